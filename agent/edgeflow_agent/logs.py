"""Log lines on stderr: plain text that reads well in a terminal and the journal, or one JSON object a
line.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

_ROOT = "edgeflow_agent"


def start_logging(level: str, style: str, stream: TextIO | None = None) -> None:
    """Send the agent's log lines to `stream` (stderr); `style` is `text` or `json`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLines() if style == "json" else _TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries only speak when something is wrong; our own level is the person's choice.
    root.setLevel(logging.WARNING)
    set_level(level)


def set_level(level: str) -> None:
    """`debug`, `info`, `warning` or `error`, from now on."""
    logging.getLogger(_ROOT).setLevel(level.upper())


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        line = f"{at} {record.levelname.lower():7} {_source(record)}: {_one_line(record.getMessage())}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "source": _source(record),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _source(record: logging.LogRecord) -> str:
    return record.name.removeprefix(_ROOT + ".")


def _one_line(text: str) -> str:
    """What a cloud or a person sent may hold line breaks; a log line may not be forged with them."""
    return "".join(character if character.isprintable() else " " for character in text)
