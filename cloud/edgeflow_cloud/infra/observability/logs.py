"""structlog, set up once a process: for people on a terminal, JSON lines for machines."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from edgeflow_cloud.infra.observability.redaction import redact

Style = Literal["readable", "json", "auto"]

_QUIET = (
    "alembic",
    "uvicorn",
    "uvicorn.access",
    "asyncio",
    "httpx2",
    "httpcore",
    "httpcore2",
    "pgqueuer.debug",
)


def configure_logs(*, style: Style = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging to one stream (stderr). May be called again.

    `auto` is readable on a terminal and JSON elsewhere. Every line carries what `bind` has bound (request_id,
    tenant_id, device_id, job) and passes `redact`.
    """
    output = stream or sys.stderr
    chosen = ("readable" if output.isatty() else "json") if style == "auto" else style
    number = getattr(logging, level.upper(), logging.INFO)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    final: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if chosen == "json":
        final += [structlog.processors.format_exc_info, _without_secrets, structlog.processors.JSONRenderer()]
    else:
        final += [
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.dev.ConsoleRenderer(colors=output.isatty(), pad_event_to=28),
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "pgqueuer"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # pgqueuer logs a traceback for each failed run; our executor has said it already, with the job's context.
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)


def _without_secrets(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    return cast("MutableMapping[str, object]", redact(event))


def bind(**values: object) -> None:
    """Bind values (request_id, tenant_id, device_id) to every later line of this task and its children."""
    structlog.contextvars.bind_contextvars(**values)


def unbind(*names: str) -> None:
    """Take bound values back."""
    structlog.contextvars.unbind_contextvars(*names)
