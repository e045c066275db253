"""`edgeflow-cloud user`, `mail` and `keys`: the operator's hands on accounts, kept mails, and the two keys."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeflow_cloud.app.operation import guarded, load_settings, log_at, operate
from edgeflow_cloud.app.terminal import Terminal

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context
    from edgeflow_cloud.infra.mail import Kept

users = typer.Typer(name="user", help="People of this instance.", no_args_is_help=True)
mails = typer.Typer(
    name="mail", help="Mails that were sent, or kept for want of a server.", no_args_is_help=True
)
keys = typer.Typer(name="keys", help="The key that signs logins, and the master key.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


@users.command("list")
def list_users(
    search: Annotated[str, typer.Argument(help="A part of the address; everybody when left out.")] = "",
) -> None:
    """People, whether their address is verified and a second factor on, and where they belong."""
    from edgeflow_cloud import auth

    found = operate(lambda context: auth.list_accounts(context, search))
    rows = [
        (
            item.user.email,
            f"{item.user.first_name} {item.user.last_name}".strip(),
            "verified" if item.user.email_verified else "unverified",
            "MFA" if item.user.mfa_enabled else "no MFA",
            ", ".join(f"{each.organization.slug} ({each.role.value})" for each in item.memberships) or "-",
        )
        for item in found
    ]
    _table(("Address", "Name", "Mail", "Factor", "Organizations"), rows, "Nobody was found.")


@users.command("reset-password")
def reset_password(email: Email) -> None:
    """Give a person a new password, printed this once. All their sessions end; a second factor stays."""
    from edgeflow_cloud import auth

    password = operate(lambda context: auth.reset_password_of(context, email))
    terminal = Terminal()
    terminal.fact("Login", email)
    terminal.fact("Password", password, "shown this once: change it under Profile")


@users.command("disable-mfa")
def disable_mfa(email: Email) -> None:
    """Switch a person's second factor off: the password alone is asked for. All their sessions end."""
    from edgeflow_cloud import auth

    operate(lambda context: auth.disable_mfa_of(context, email))
    typer.echo(f"The second factor of {email} is off. Make sure that it was the person who asked for this.")


@mails.command("list")
def list_mails(
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 50,
) -> None:
    """The latest mails: kept, waiting, sent, refused, late. The newest is first."""
    from edgeflow_cloud.infra import mail

    found = operate(lambda context: mail.latest(context, limit))
    rows = [
        (
            str(item.id),
            f"{item.created_at:%Y-%m-%d %H:%M} UTC",
            item.state.value,
            item.recipient,
            item.content.subject if item.content else item.kind,
            item.error or "",
        )
        for item in found
    ]
    _table(("Id", "Written", "State", "To", "Subject", "Error"), rows, "No mail was written in 30 days.")


@mails.command("show")
def show_mail(
    mail_id: Annotated[
        str, typer.Argument(help="Its id, or the beginning of the id; `last` for the newest.")
    ],
) -> None:
    """One mail with its text. A link in it is a key to somebody's account: hand it to that person only."""

    found = operate(lambda context: _find_mail(context, mail_id))
    if found is None:
        Terminal().fail(f"There is no mail {mail_id}: `edgeflow-cloud mail list` shows the latest.")
        raise typer.Exit(1)
    typer.echo(
        f"To: {found.recipient}\nState: {found.state.value}\nGood until: {found.good_until:%Y-%m-%d %H:%M} UTC"
    )
    if found.error:
        typer.echo(f"Error: {found.error}")
    if found.content is None:
        typer.echo("\nIts text is gone: it was sent, or the master key that sealed it is not here.")
        return
    typer.echo(f"Subject: {found.content.subject}\n\n{found.content.text}")


@keys.command("list")
def list_keys() -> None:
    """The keys by their ids, and until when former ones count."""
    loaded = load_settings()
    secrets = loaded.secrets()

    def call() -> list[tuple[str, str, str]]:
        from datetime import UTC, datetime

        now = datetime.now(UTC)
        rows: list[tuple[str, str, str]] = []
        for name, ring in (("jwt", secrets.jwt_keys), ("master", secrets.master_keys)):
            if not ring.exists:
                continue
            for index, key in enumerate(ring.accepted(now)):
                kept = "listed" if key.until.year == 9999 else f"until {key.until:%Y-%m-%d %H:%M} UTC"
                rows.append((name, key.id, "in use" if index == 0 else kept))
        return rows

    _table(("Key", "Id", "State"), guarded(call), "There is no key yet: the first start makes them.")


@keys.command("rotate")
def rotate_keys(
    jwt: Annotated[
        bool, typer.Option("--jwt", help="The key that signs logins: the one meant if none is named.")
    ] = False,
    master: Annotated[
        bool, typer.Option("--master", help="The master key; what is stored sealed is sealed anew.")
    ] = False,
    at_once: Annotated[
        bool,
        typer.Option("--at-once", help="With --jwt: the former key counts no more; everybody logs in again."),
    ] = False,
) -> None:
    """Make a new key. The former one counts until what it made has ended, so nobody notices."""
    from edgeflow_cloud.app import rotation

    if jwt or not master:
        loaded = load_settings()
        log_at(loaded.settings, "warning")
        typer.echo(guarded(lambda: rotation.rotate_jwt(loaded.secrets(), at_once=at_once)))
    if master:
        for line in operate(rotation.rotate_master):
            typer.echo(line)


@keys.command("reseal")
def reseal() -> None:
    """Seal everything stored with the master key in use: after EDGEFLOW_MASTER_KEY was changed."""
    from edgeflow_cloud.app import rotation

    for line in operate(rotation.reseal):
        typer.echo(line)


async def _find_mail(context: "Context", text: str) -> "Kept | None":
    from edgeflow_cloud.infra import mail

    found = await mail.latest(context, 1000)
    if text == "last":
        return found[0] if found else None
    matching = [item for item in found if str(item.id).startswith(text.lower())]
    return matching[0] if len(matching) == 1 else None


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    """A table on a terminal, tab-separated lines for programs."""
    console = Console(highlight=False)
    if not rows:
        typer.echo(nothing)
    elif not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(cell.replace("[", "\\[") for cell in row))
        console.print(table)
