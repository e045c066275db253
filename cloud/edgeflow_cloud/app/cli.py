"""The command line: thin verbs over what the rest of `app` does."""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeflow_cloud import __version__
from edgeflow_cloud.app.cli_drill import drill
from edgeflow_cloud.app.cli_simulate import simulate
from edgeflow_cloud.app.terminal import Terminal
from edgeflow_cloud.infra.observability import configure_logs
from edgeflow_cloud.infra.origins import BadSettings, Loaded, load, shown
from edgeflow_cloud.infra.settings import PREFIX, Settings

app = typer.Typer(
    name="edgeflow-cloud",
    help="Fleets of edge devices, seen, configured and cared for from one place.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Entry point of `edgeflow-cloud`."""
    app()


@app.command()
def up() -> None:
    """Start everything on this machine, with an embedded database, and a first device. Ctrl-C ends it."""
    loaded = _load()
    # Calm where a person watches; as configured for whoever reads logs.
    calm = loaded.origins["log_level"] == "default" and sys.stderr.isatty()
    _log(loaded.settings, "warning" if calm else loaded.settings.log_level)
    from edgeflow_cloud.app.up import run_up

    _guarded(lambda: run_up(loaded, Terminal()))


@app.command()
def serve(
    role: Annotated[
        list[str] | None, typer.Option(help="api, hub or worker; may be repeated. All of them.")
    ] = None,
) -> None:
    """Run roles on a database, a Valkey and an S3 store of your own."""
    loaded = _load()
    _log(loaded.settings, loaded.settings.log_level)
    from edgeflow_cloud.app.serve import Role, run_serve

    try:
        roles = [Role(name) for name in role or Role]
    except ValueError:
        Terminal().fail(f"--role takes {', '.join(Role)}, not {', '.join(role or [])}.")
        raise typer.Exit(2) from None
    for warning in loaded.warnings:
        Terminal().warn(warning)
    _guarded(lambda: run_serve(loaded, roles))


@app.command()
def migrate() -> None:
    """Bring the database at EDGEFLOW_DATABASE_URL to this version's schema."""
    loaded = _load()
    _log(loaded.settings, loaded.settings.log_level)
    from edgeflow_cloud.app.cloud import MissingPart
    from edgeflow_cloud.infra.schema import bring_up_to_date

    def call() -> None:
        url = loaded.settings.database_url
        if url is None:
            raise MissingPart(
                "Set EDGEFLOW_DATABASE_URL; the embedded database is migrated by `edgeflow-cloud up`."
            )
        revisions = asyncio.run(bring_up_to_date(url.reveal()))
        typer.echo(f"Ran {', '.join(revisions)}." if revisions else "The schema is already this version's.")

    _guarded(call)


@app.command()
def config() -> None:
    """Print every setting, its value (secrets as stars) and where it comes from."""
    loaded = _load()
    rows = list(_rows(loaded))
    if sys.stdout.isatty():
        console = Console(highlight=False)
        table = Table(box=None, pad_edge=False, header_style="bold")
        explained = console.width >= 130
        for heading in ("Setting", "Value", "From", *(["Meaning"] if explained else [])):
            table.add_column(heading, overflow="fold")
        for name, value, origin, meaning in rows:
            table.add_row(name, value, origin, *([f"[dim]{meaning}[/dim]"] if explained else []))
        console.print(table)
    else:
        for name, value, origin, _meaning in rows:
            typer.echo(f"{name}={value}  # {origin}")
    for warning in loaded.warnings:
        Terminal().warn(warning)


app.command()(simulate)
app.command()(drill)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"edgeflow-cloud {__version__}")


def _load() -> Loaded:
    try:
        return load()
    except BadSettings as error:
        for problem in error.problems:
            Terminal().fail(problem)
        raise typer.Exit(2) from None


def _log(settings: Settings, level: str) -> None:
    style = "readable" if settings.log_format == "text" else settings.log_format
    configure_logs(style=style, level=level)
    # It tells of each plugin that it loads.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _guarded(call: Callable[[], None]) -> None:
    """Run; what is expected to go wrong is a sentence and exit code 1, anything else a trace."""
    try:
        call()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        from edgeflow_cloud.app.failures import evidence, sentence

        said = sentence(error)
        if said is None:
            raise
        Terminal().fail(said, evidence(error))
        raise typer.Exit(1) from None


def _rows(loaded: Loaded) -> Sequence[tuple[str, str, str, str]]:
    made = loaded.secrets().origins()
    rows: list[tuple[str, str, str, str]] = []
    for name, field in Settings.model_fields.items():
        value, origin = shown(getattr(loaded.settings, name)), str(loaded.origins[name])
        if value == "unset" and made.get(name) == "made by `up`":
            value, origin = "********", made[name]
        if origin == "file":
            origin = str(loaded.file)
        rows.append((f"{PREFIX}{name.upper()}", value, origin, field.description or ""))
    return rows
