"""From a letter and its values to a mail: jinja2, strict about missing values, HTML escaped."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from edgeflow_cloud.infra.mail.model import Content, Letter

_LAYOUT: Final = Path(__file__).parent / "templates"
_LINK: Final = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}:)?//+|(?<=\w)\.(?=\w)|@(?=\w)")
_LONGEST: Final = 80


def render(letter: Letter, values: Mapping[str, object]) -> Content:
    """The mail in its two forms. Raises jinja2.TemplateError for a wrong template or a missing value."""
    environment = _environment(letter.folder)
    stem = letter.name.rpartition(".")[2]
    text = environment.get_template(f"{stem}.txt").render(values).strip()
    subject, _, body = text.partition("\n")
    html = environment.get_template(f"{stem}.html").render({**values, "subject": subject})
    return Content(subject=" ".join(subject.split()), text=body.strip() + "\n", html=html)


def calm(text: object) -> str:
    """A stranger's words, fit for a mail that we send: one line, bounded, and nothing that becomes a link."""
    line = "".join(letter if letter.isprintable() else " " for letter in str(text))
    line = " ".join(_LINK.sub(lambda found: "·" if found.group() == "." else " ", line).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


@lru_cache(maxsize=32)
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, _LAYOUT]),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),  # the other form is plain text
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["calm"] = calm
    return environment
