"""The repository's own checks speak when they should."""

from pathlib import Path

import pytest

from tools.repository import (
    anchors,
    dead_links,
    machine_paths,
    registry_hosts,
    tracked,
    unfinished,
)

HERE = Path("/srv/build/edgeflow")


def test_the_repository_is_clean() -> None:
    texts = tracked()
    assert len(texts) > 50
    assert [*unfinished(texts), *machine_paths(texts), *registry_hosts(texts), *dead_links(texts)] == []


@pytest.mark.parametrize("mark", ["TO" + "DO", "FIX" + "ME"])
def test_a_mark_is_seen(mark: str) -> None:
    assert unfinished({"a.py": f"x = 1\n# {mark} later"}) == [
        f"a.py:2 says {mark}: do it now, or file an issue and take the mark away."
    ]
    assert unfinished({"a.py": mark.lower() + "s"}) == []
    assert unfinished({"a.json": f'{{"uptime": "{mark}"}}', "b.py": f"// {mark}: later"}) != []
    assert unfinished({"a.json": f'{{"uptime": "{mark}"}}'}) == []


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        (f"see {HERE}/cloud", True),
        ("/ho" + "me/anna/edgeflow", True),
        ("/ho" + "me/pi/edgeflow", False),
        ("/var/lib/edgeflow", False),
    ],
)
def test_a_place_is_seen(text: str, speaks: bool) -> None:
    assert bool(machine_paths({"a.md": text}, HERE)) is speaks


@pytest.mark.parametrize(("host", "speaks"), [("files.python" + "hosted.org", True), ("example.org", False)])
def test_a_registry_is_seen(host: str, speaks: bool) -> None:
    assert bool(registry_hosts({"uv.lock": f'url = "https://{host}/x"'})) is speaks


@pytest.mark.parametrize(
    ("link", "speaks"),
    [
        ("[a](other.md)", False),
        ("[a](other.md#one-thing)", False),
        ("[a](#here)", False),
        ("[a](https://example.org/x)", False),
        ("```\n[a](gone.md)\n```", False),
        ("[a](gone.md)", True),
        ("[a](../../../out.md)", True),
        ("[a](other.md#gone)", True),
        ("[a](#gone)", True),
    ],
)
def test_a_dead_link_is_seen(link: str, speaks: bool) -> None:
    texts = {"docs/index.md": f"# Here\n\n{link}\n", "docs/other.md": "# One *thing*\n"}
    assert bool(dead_links(texts, texts.__contains__)) is speaks


def test_headings_are_named_as_the_generator_names_them() -> None:
    assert anchors("# Life of a `frame`\n## A port, taken!\n```\n# not one\n```\n### X {#y}") == {
        "life-of-a-frame",
        "a-port-taken",
        "y",
    }
