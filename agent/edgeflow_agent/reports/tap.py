"""A logging handler that hands the agent's lines on, to the spool and to whoever watches live."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

_LONGEST = 8192
_LINES_A_SECOND = 100
_LEVELS = {"CRITICAL": "error", "ERROR": "error", "WARNING": "warning", "INFO": "info", "DEBUG": "debug"}

Line = dict[str, object]


class LogTap(logging.Handler):
    """`take` gets every line as the wire has it: `time level source message`. At most 100 a second; called in any
    thread. Lines of flows come from the engine, which knows their node: they are not taken here."""

    def __init__(self, take: Callable[[Line], None]) -> None:
        super().__init__(logging.DEBUG)
        self._take = take
        self._second = 0
        self._lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        source = record.name.removeprefix("edgeflow_agent.")
        if source == "flow" or source.startswith("reports"):
            return
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > _LINES_A_SECOND:
            return
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                message += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
            self._take(
                {
                    "time": datetime.fromtimestamp(record.created, UTC),
                    "level": _LEVELS.get(record.levelname, "info"),
                    "source": source,
                    "message": message[:_LONGEST],
                }
            )
        except Exception:
            self.handleError(record)
