"""`edgeflow-cloud audit`: verify an export without the cloud that made it, and print the key that this needs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeflow_cloud.app.operation import guarded, load_settings, operate
from edgeflow_cloud.app.terminal import Terminal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from edgeflow_cloud.audit import OfflineReport, PublicKeys

audits = typer.Typer(name="audit", help="Proof that an audit log is as it was written.", no_args_is_help=True)


@audits.command("verify")
def verify_export(
    file: Annotated[Path, typer.Argument(help="An export of the log as JSON lines.")],
    key: Annotated[
        list[Path] | None,
        typer.Option(
            help="PEM file with the public key; may be repeated. Default: this installation's own key."
        ),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            help="A checkpoint from the object store, or a folder of them: shows what was cut off; may be repeated."
        ),
    ] = None,
) -> None:
    """Recompute an exported chain and check its signatures, on any machine, without a network.

    Exit code: 0 the log is as it was written, 1 it was changed or is incomplete, 2 it could not be verified.
    """
    from edgeflow_cloud.audit import BadKey, NotAnExport, verify_lines

    terminal = Terminal()
    try:
        trusted = _keys(key or [])
        extra = [path.read_bytes() for given in checkpoint or [] for path in _files(given)]
        with file.open("rb") as lines:
            report = verify_lines(lines, trusted, extra)
    except OSError as error:
        terminal.fail(f"{error.filename or file} cannot be read: {error.strerror or error}.")
        raise typer.Exit(2) from None
    except (BadKey, NotAnExport) as error:
        terminal.fail(f"{file} cannot be verified. {error}")
        raise typer.Exit(2) from None
    _say(terminal, report)
    if report.broken is not None:
        raise typer.Exit(1)


@audits.command("key")
def print_key() -> None:
    """Print the public keys that checkpoints and exports are verified with, in PEM. Keep them elsewhere."""
    from edgeflow_cloud.audit import BadKey, to_pem

    try:
        own = _own_keys()
    except BadKey:
        Terminal().fail(
            "This installation has no audit key yet: start it once with `edgeflow-cloud up`, set EDGEFLOW_AUDIT_KEY, "
            "or set EDGEFLOW_DATA_DIR to where it runs."
        )
        raise typer.Exit(2) from None
    for public in own.values():
        typer.echo(to_pem(public), nl=False)


@audits.command("accept-loss")
def accept(
    organization: Annotated[str, typer.Argument(help="Its id, org_….")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """After a restore from a backup: let the log as it is now be the true one, and say so in the log.

    Checkpoints that know of later entries are moved to audit-lost/ in the object store and stay there as evidence.
    """
    from edgeflow_cloud.audit import BrokenLog, accept_loss
    from edgeflow_cloud.kernel import ids

    terminal = Terminal()
    try:
        tenant_id = ids.TenantId(ids.decode(ids.ORGANIZATION, organization))
    except ids.MalformedId:
        terminal.fail(f"{organization} is no id of an organization: `edgeflow-cloud org list` shows them.")
        raise typer.Exit(2) from None
    if not yes:
        typer.confirm(
            "Only a restore from a backup is a reason for this: entries that were cut off by somebody look the same. "
            "Was there one?",
            abort=True,
        )
    try:
        loss = operate(lambda context: accept_loss(context, tenant_id))
    except BrokenLog as error:
        terminal.fail(f"This is no loss by a restore, and is not accepted. {error}")
        raise typer.Exit(1) from None
    if loss is None:
        terminal.online("Nothing is lost: every checkpoint fits the log.")
        return
    terminal.fact("Kept", f"{loss.kept:,} entries", f"the log once had {loss.reached:,}")
    terminal.fact("Aside", f"{loss.moved:,} checkpoints", "under audit-lost/ in the object store")


def _keys(paths: Sequence[Path]) -> "PublicKeys":
    from edgeflow_cloud.audit import BadKey, by_id, read_public_keys

    if not paths:
        return _own_keys()
    found: list[Ed25519PublicKey] = []
    for path in paths:
        try:
            found += read_public_keys(path.read_text(encoding="utf-8", errors="replace"))
        except BadKey as error:
            raise BadKey(f"{path} is no key: {error}") from None
    return by_id(found)


def _own_keys() -> "PublicKeys":
    """The keys of the installation whose settings these are. Raises BadKey when it has none: none is made here."""
    from edgeflow_cloud.audit import BadKey, Signer

    loaded = load_settings()
    secrets = loaded.secrets()
    if loaded.settings.audit_key is None and not (secrets.folder / "audit_key").exists():
        raise BadKey(
            "Give --key FILE with the public key: GET /api/v1/audit/checkpoints shows it, and where the cloud runs "
            "`edgeflow-cloud audit key` too."
        )
    return guarded(lambda: Signer(secrets, datetime.now(UTC)).trusted)


def _files(given: Path) -> Sequence[Path]:
    return sorted(given.rglob("*.json")) if given.is_dir() else [given]


def _say(terminal: Terminal, report: "OfflineReport") -> None:
    terminal.fact("Log", report.organization_id, f"exported {report.made_at}")
    terminal.fact(
        "Entries", f"{report.sequence - report.after:,}", f"seals {report.after + 1} to {report.sequence}"
    )
    terminal.fact("Head", report.head)
    terminal.fact("Signed by", ", ".join(report.key_ids) or "nobody", f"{report.checkpoints:,} checkpoints")
    if report.unsealed:
        terminal.note(
            f"{report.unsealed} entries waited for their seal: the signed end of the file holds them."
        )
    if report.broken is None:
        terminal.online("The log is as it was written.")
    else:
        terminal.fail(f"{report.broken.message} ({report.broken.flaw.value})")
