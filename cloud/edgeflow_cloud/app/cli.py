"""The command line: thin verbs over what the rest of `app` does."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeflow_cloud import __version__
from edgeflow_cloud.app.cli_audit import audits
from edgeflow_cloud.app.cli_drill import drill
from edgeflow_cloud.app.cli_orgs import orgs
from edgeflow_cloud.app.cli_simulate import simulate
from edgeflow_cloud.app.cli_users import keys, mails, users
from edgeflow_cloud.app.operation import guarded, load_settings, log_at
from edgeflow_cloud.app.terminal import Terminal
from edgeflow_cloud.infra.origins import Loaded, shown
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
    loaded = load_settings()
    # Calm where a person watches; as configured for whoever reads logs.
    calm = loaded.origins["log_level"] == "default" and sys.stderr.isatty()
    log_at(loaded.settings, "warning" if calm else loaded.settings.log_level)
    from edgeflow_cloud.app.up import run_up

    guarded(lambda: run_up(loaded, Terminal()))


@app.command()
def serve(
    role: Annotated[
        list[str] | None, typer.Option(help="api, hub or worker; may be repeated. All of them.")
    ] = None,
) -> None:
    """Run roles on a database, a Valkey and an S3 store of your own."""
    loaded = load_settings()
    log_at(loaded.settings, loaded.settings.log_level)
    from edgeflow_cloud.app.serve import Role, run_serve

    try:
        roles = [Role(name) for name in role or Role]
    except ValueError:
        Terminal().fail(f"--role takes {', '.join(Role)}, not {', '.join(role or [])}.")
        raise typer.Exit(2) from None
    for warning in loaded.warnings:
        Terminal().warn(warning)
    guarded(lambda: run_serve(loaded, roles))


@app.command()
def migrate() -> None:
    """Bring the database at EDGEFLOW_DATABASE_URL to this version's schema."""
    loaded = load_settings()
    log_at(loaded.settings, loaded.settings.log_level)
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

    guarded(call)


@app.command()
def config() -> None:
    """Print every setting, its value (secrets as stars) and where it comes from."""
    loaded = load_settings()
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
app.add_typer(users)
app.add_typer(orgs)
app.add_typer(mails)
app.add_typer(keys)
app.add_typer(audits)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"edgeflow-cloud {__version__}")


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
