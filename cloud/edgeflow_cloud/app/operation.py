"""What the operator's commands stand on: settings, logs, errors as sentences, and the parts that are running."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from edgeflow_cloud.app.terminal import Terminal
from edgeflow_cloud.infra.observability import configure_logs
from edgeflow_cloud.infra.origins import BadSettings, Loaded, load
from edgeflow_cloud.infra.settings import Settings

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

T = TypeVar("T")


def load_settings() -> Loaded:
    """The settings; what is wrong with them is said, and ends the command with exit code 2."""
    try:
        return load()
    except BadSettings as error:
        for problem in error.problems:
            Terminal().fail(problem)
        raise typer.Exit(2) from None


def log_at(settings: Settings, level: str) -> None:
    """Begin to log."""
    style = "readable" if settings.log_format == "text" else settings.log_format
    configure_logs(style=style, level=level)
    # It tells of each plugin that it loads.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def guarded(call: Callable[[], T]) -> T:
    """Run; what is expected to go wrong is a sentence and exit code 1, anything else a trace."""
    try:
        return call()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        from edgeflow_cloud.app.failures import evidence, sentence

        said = sentence(error)
        if said is None:
            raise
        Terminal().fail(said, evidence(error))
        raise typer.Exit(1) from None


def operate(call: "Callable[[Context], Awaitable[T]]") -> T:
    """Run one operation on the parts that the settings name, or on the embedded ones that run now.

    No service is started beside it. What goes wrong is a sentence and exit code 1.
    """
    loaded = load_settings()
    log_at(loaded.settings, "warning")
    return guarded(lambda: asyncio.run(_operate(loaded, call)))


async def _operate(loaded: Loaded, call: "Callable[[Context], Awaitable[T]]") -> T:
    from edgeflow_cloud.app.cloud import open_context
    from edgeflow_cloud.infra.schema import require_schema

    settings = with_running_parts(loaded.settings)
    if settings.database_url is not None:
        await require_schema(settings.database_url.reveal())
    async with open_context(settings, loaded.secrets()) as context:
        return await call(context)


def with_running_parts(settings: Settings) -> Settings:
    """The settings with the addresses of embedded parts filled in. Raises MissingPart when they do not run."""
    from edgeflow_cloud.app.cloud import MissingPart
    from edgeflow_cloud.infra.embedded import running_at

    names = {"database": "database_url", "valkey": "valkey_url", "objects": "s3_url"}
    running = running_at(settings.data_dir)
    filled: dict[str, str | None] = {}
    for part, name in names.items():
        if getattr(settings, name) is not None:
            continue
        if part not in running:
            raise MissingPart(
                f"EdgeFlow Cloud does not run on {settings.data_dir.absolute()}: start it with `edgeflow-cloud up`, or "
                f"set EDGEFLOW_DATA_DIR (or EDGEFLOW_{name.upper()}) to where it does."
            )
        filled[name] = running[part]
    return settings.with_parts(**filled)
