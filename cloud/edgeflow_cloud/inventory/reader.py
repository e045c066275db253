"""Reading a CSV file as people's programs write it: which characters, which separator, which columns. Pure.

What can be told for certain is read: UTF-8 with and without its mark, UTF-16 with its mark; commas, semicolons and
tabs; any line ends, and line breaks inside quotes. What would be a guess is refused, with what to do.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from edgeflow_cloud.inventory.model import ALIASES, COLUMNS, SHOWN, Line, unguard
from edgeflow_cloud.kernel.errors import Invalid, Problem

MOST_LINES = 5_000
_SEPARATORS = (",", ";", "\t")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "utf-16": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "windows-1252": "cp1252",
    "iso-8859-1": "latin-1",
    "iso-8859-15": "iso8859-15",
}
_NOTHING: tuple[int, list[str]] = (0, [])
_HOW = "In Excel: Save as, type 'CSV UTF-8 (comma delimited)'."


class NotCsv(Problem):
    """The body is something else."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was read: its columns as it has them, and its lines without the heading and blank ones."""

    columns: tuple[str, ...]
    separator: str
    lines: tuple[Line, ...]


def read(body: bytes, content_type: str = "text/csv") -> Sheet:
    """The lines of the file. Raises NotCsv, and Invalid (`csv_encoding`, `csv_heading`, `csv_quotes`, `csv_empty`,
    `csv_too_long`): then nothing of it was read.
    """
    text = decode(body, content_type)
    text, separator = _separator(text)
    records = _records(text, separator)
    _, heading = next(records, _NOTHING)
    columns = _columns(heading)
    lines: list[Line] = []
    for number, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(lines) == MOST_LINES:
            raise Invalid(
                f"The file has more than {MOST_LINES:,} lines. Split it, and send the parts one after the other.",
                code="csv_too_long",
            )
        lines.append(_line(number, cells, columns))
    if not lines:
        raise Invalid("The file has a heading and no line under it.", code="csv_empty")
    return Sheet(columns, separator, tuple(lines))


def decode(body: bytes, content_type: str) -> str:
    """The text of the file. Raises NotCsv, Invalid (`csv_encoding`)."""
    header = Message()
    header["content-type"] = content_type or "text/csv"
    kind = header.get_content_type()
    if body.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise NotCsv(f"This is a workbook, not a CSV file. {_HOW}")
    if not (kind.startswith("text/") or kind in ("application/csv", "application/vnd.ms-excel")):
        raise NotCsv("Send the file as CSV, with the header Content-Type: text/csv.")
    marked = next(((mark, name) for mark, name in _MARKS if body.startswith(mark)), None)
    mark, name = marked or (b"", _charset(header))
    try:
        text = body[len(mark) :].decode(name)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"Line {line} is not {name.upper()}: the byte 0x{body[len(mark) + error.start]:02X} stands for nothing "
            f"there. Save the file as UTF-8. {_HOW} Or name its characters: Content-Type: text/csv; "
            "charset=windows-1252.",
            code="csv_encoding",
        ) from None
    if "\0" in text:
        raise Invalid(
            f"The file holds U+0000, which no text does: is it UTF-16 without a mark? Save it as UTF-8. {_HOW}",
            code="csv_encoding",
        )
    return text


def _charset(header: Message) -> str:
    asked = header.get_content_charset("utf-8")
    known = _CHARSETS.get(asked)
    if known is None:
        raise Invalid(
            f"The charset {asked[:40]} is not known here. Save the file as UTF-8. {_HOW}", code="csv_encoding"
        )
    return known


def _separator(text: str) -> tuple[str, str]:
    """The text without Excel's `sep=` line, and the separator: that line's, or the one by which the heading has the
    most columns that we know.
    """
    first, _, rest = text.partition("\n")
    said = first.strip().strip('"')
    if said.lower().startswith("sep=") and len(said) == len("sep=") + 1 and said[-1] in _SEPARATORS:
        return rest, said[-1]
    return text, max(_SEPARATORS, key=lambda one: _known(text, one))


def _known(text: str, separator: str) -> int:
    try:
        _, heading = next(_records(text, separator), _NOTHING)
    except Invalid:
        return 0
    return sum(_canonical(cell) in (*COLUMNS, *SHOWN) for cell in heading)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells). Raises Invalid (`csv_quotes`)."""
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=separator, strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise Invalid(
                f"The quotes of the line that begins at line {begins} do not fit: a cell with a separator, a line "
                'break or a quote goes in quotes, and a quote in it is written twice, like "5"" pipe".',
                code="csv_quotes",
            ) from None
        yield begins, cells
        begins = reader.line_num + 1


def _canonical(cell: str) -> str:
    name = cell.strip().lower().replace(" ", "_")
    return ALIASES.get(name, name)


def _columns(heading: list[str]) -> tuple[str, ...]:
    while heading and not heading[-1].strip():
        heading = heading[:-1]  # a spreadsheet's empty columns
    columns = tuple(_canonical(cell) for cell in heading)
    known = ", ".join(COLUMNS)
    unknown = [
        cell.strip()[:40]
        for cell, name in zip(heading, columns, strict=True)
        if name not in (*COLUMNS, *SHOWN)
    ]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if not columns:
        said = f"The file has no heading. Its first line names the columns: {known}."
    elif unknown:
        said = (
            f"The heading has columns that are not known: {', '.join(map(repr, unknown[:10]))}. "
            f"The columns are {known}; the first line names them."
        )
    elif twice:
        said = f"The heading names {', '.join(twice)} twice. Remove one of the two."
    elif "name" not in columns and "device_id" not in columns:
        said = "The heading needs name or device_id: by one of the two a line says which device it is about."
    else:
        return columns
    raise Invalid(said, code="csv_heading")


def _line(number: int, cells: list[str], columns: tuple[str, ...]) -> Line:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(columns):
        said = (
            f"This line has {len(cells)} cells, and the heading has {len(columns)}. "
            "A cell that holds the separator goes in quotes."
        )
        return Line(number, {}, said)
    return Line(
        number,
        {name: unguard(cell) for name, cell in zip(columns, cells, strict=True) if name not in SHOWN},
    )
