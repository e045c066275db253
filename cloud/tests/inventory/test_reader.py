"""The CSV reader: whatever people's programs write is read, or refused with what to do."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_cloud.inventory.model import COLUMNS, draft, guard, join_groups, split_groups, unguard
from edgeflow_cloud.inventory.reader import MOST_LINES, NotCsv, read
from edgeflow_cloud.inventory.writer import MARK, as_csv
from edgeflow_cloud.kernel.errors import Invalid, Problem

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
WRITABLE = tuple(column for column in COLUMNS if column != "device_id")


@given(
    st.lists(st.lists(TEXT, min_size=8, max_size=8), min_size=1, max_size=5),
    st.sampled_from(",;\t"),
    st.sampled_from(
        [("utf-8", b""), ("utf-8-sig", b""), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")]
    ),
    st.sampled_from(["\r\n", "\n", "\r"]),
)
def test_what_is_written_is_read(
    rows: list[list[str]], separator: str, encoding: tuple[str, bytes], ends: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=ends, quoting=csv.QUOTE_ALL)
    writer.writerows([WRITABLE, *([guard(cell) for cell in row] for row in rows)])
    name, mark = encoding
    full = [row for row in rows if any(cell.strip() for cell in row)]
    body = mark + text.getvalue().encode(name)
    if not full:
        with pytest.raises(Invalid):
            read(body)
        return
    sheet = read(body)
    assert [[line.cells[column] for column in WRITABLE] for line in sheet.lines] == full
    assert sheet.separator == separator


@given(TEXT)
def test_a_guarded_cell_is_no_formula_and_comes_back(cell: str) -> None:
    assert unguard(guard(cell)) == cell
    assert not guard(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@given(st.lists(TEXT.map(str.strip).filter(bool), max_size=4, unique=True))
def test_names_of_groups_make_one_cell_and_come_back(names: list[str]) -> None:
    names = [name for name in names if "\r" not in name and "\n" not in name]
    assert list(split_groups(join_groups(names))) == names


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        sheet = read(body)
    except Problem as refusal:
        assert refusal.detail.endswith(".")
    else:
        assert sheet.lines


def test_a_line_is_counted_as_an_editor_does() -> None:
    body = b'name,notes\n\na,"two\nlines"\nb,x\n,,\n'
    assert [(line.number, line.cells.get("name")) for line in read(body).lines] == [(3, "a"), (5, "b")]


def test_what_a_german_excel_writes() -> None:
    body = "sep=;\r\nName;Tags;Latitude;Longitude\r\nPresse 7;halle-2;52,5;13,4\r\n;;;\r\n".encode(
        "utf-8-sig"
    )
    sheet = read(body)
    made = draft(sheet.lines[0], decimal_comma=sheet.separator == ";")
    assert (made.name, made.tags, made.latitude, made.longitude) == ("Presse 7", ("halle-2",), 52.5, 13.4)
    old = "name;notes\r\nMühle;größer\r\n".encode("cp1252")
    with pytest.raises(Invalid, match="CSV UTF-8") as refused:
        read(old)
    assert refused.value.code == "csv_encoding" and "Line 2" in refused.value.detail
    assert read(old, "text/csv; charset=windows-1252").lines[0].cells == {"name": "Mühle", "notes": "größer"}


@pytest.mark.parametrize(
    ("body", "kind", "code", "said"),
    [
        (b"PK\x03\x04rest", "text/csv", "unsupported_media_type", "workbook"),
        (b"name\nx\n", "application/json", "unsupported_media_type", "text/csv"),
        ("name\nx".encode("utf-16-le"), "text/csv", "csv_encoding", "UTF-16"),
        (b"name\nx", "text/csv; charset=klingon", "csv_encoding", "klingon"),
        (b"", "text/csv", "csv_heading", "no heading"),
        (b"name,colour\nx,red\n", "text/csv", "csv_heading", "'colour'"),
        (b"name,group,groups\nx,a,b\n", "text/csv", "csv_heading", "group twice"),
        (b"notes\nx\n", "text/csv", "csv_heading", "name or device_id"),
        (b"name\n\n", "text/csv", "csv_empty", "no line"),
        (b'name,notes\na,b\nc,"5" pipe"\n', "text/csv", "csv_quotes", "line 3"),
        (b'name\n"never closed\nx\ny', "text/csv", "csv_quotes", "line 2"),
        (b"name\n" + b"x\n" * (MOST_LINES + 1), "text/csv", "csv_too_long", "5,000"),
    ],
)
def test_what_would_be_a_guess_is_refused(body: bytes, kind: str, code: str, said: str) -> None:
    with pytest.raises((Invalid, NotCsv)) as refused:
        read(body, kind)
    assert refused.value.code == code
    assert said in refused.value.detail


def test_a_line_says_all_that_is_wrong_with_it() -> None:
    cells = ["dev_x", "n" * 201, 'a"b ' + "t" * 65, "north", "13", '"open', "x" * 10]
    columns = ["device_id", "name", "tags", "latitude", "longitude", "group", "project"]
    made = draft(read((MARK + as_csv([columns, cells])).encode()).lines[0])
    assert len(made.errors) == 6
    ragged = read(b"name,notes\na,b,c\nd\n").lines
    assert all("cells" in (line.error or "") for line in ragged)
