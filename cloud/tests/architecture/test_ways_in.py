"""The ways past row-level security are few, and each of their users is named here with its reason.

`tenant_tx(principal)` is the way in. `lookup()` runs definer functions before anyone is known,
`system_tx(reason)` sees every organization, `ingest_tx()` writes samples by COPY. A line more, a review more.
"""

import ast

import pytest

from cloud.tests.architecture.source import Module, load

WAYS = frozenset({"lookup", "system_tx", "ingest_tx"})

ALLOWED: dict[str, dict[str, str]] = {
    "infra.jobs.execution": {"system_tx": "the attempt is counted before a job's body runs"},
    "infra.jobs.runner": {"system_tx": "the queue and the schedules belong to no organization"},
    "infra.outbox.relay": {"system_tx": "hands on the events of all organizations"},
    "infra.mail.post": {"system_tx": "mails are the instance's; people's transactions read none"},
    "audit.sealer": {"system_tx": "seals the entries of all organizations"},
    "audit.checkpoints": {"system_tx": "signs the chains of all organizations; nobody asked for it"},
    "infra.retention": {"system_tx": "deletes what is old, whoever owns it"},
    "tenant_drills.tenant_hop": {"lookup": "asks whether a look-up on a used connection sees a tenant row"},
    "quotas.meter": {"system_tx": "the day's calls of all organizations are folded in at once"},
    "organizations.invitations.service": {"lookup": "whoever has the link belongs to nothing yet"},
    "organizations.lifecycle.jobs": {"system_tx": "finds and removes organizations whose time is over"},
    "identity.mfa.service": {"system_tx": "a rotated master key seals every person's seed anew"},
    "auth.mails": {"system_tx": "makes links that prove an address: no person's transaction may"},
    "auth.operator": {"system_tx": "the instance's operator helps people of every organization"},
    "auth.recovery": {"lookup": "a link in a mail is shown before anyone is known"},
    "auth.sessions": {"lookup": "the organizations of somebody who changes from one to another"},
    "exports.jobs": {"system_tx": "archives that never came, whoever ordered them"},
    "organizations.lifecycle.operator": {"system_tx": "the instance's operator looks over all organizations"},
    "auth.registration": {"lookup": "is the address taken: nobody is logged in yet"},
    "auth.service": {"lookup": "login and refresh begin before anyone is known"},
    "tunnel.presence": {"system_tx": "a hub's batch spans organizations"},
    "tunnel.admission": {
        "lookup": "a device shows its key before it belongs to anyone",
        "system_tx": "those who come together belong to many organizations",
    },
    "tunnel.exchange": {"lookup": "asks whether a live device's key is still good"},
    "tunnel.pulse": {
        "system_tx": "hubs belong to no organization; devices of one that was lost, whoever owns them"
    },
    "tunnel.jobs": {"system_tx": "devices of a hub that was killed, whoever owns them"},
    "tunnel.clones": {"system_tx": "the platform suspects a clone; nobody asked for it"},
    "telemetry.ingest": {"ingest_tx": "COPY of a batch that spans organizations"},
    "telemetry.custom": {"ingest_tx": "counts an organization's names before a device's batch is stored"},
    "telemetry.latest": {"ingest_tx": "the newest values of many organizations' devices, written at once"},
    "telemetry.partitions": {"system_tx": "a day's partition holds everybody's samples"},
    "telemetry.rollups.rolling": {"system_tx": "many organizations' samples, rolled up together"},
    "telemetry.sweeping.sweep": {"system_tx": "what a plan does not keep, of each organization on it"},
    "telemetry.jobs": {"system_tx": "samples are out of people's reach; their device was deleted"},
    "flow_keys.service": {"system_tx": "a rotated master key seals every organization's key anew"},
    "provisioning.routes": {"lookup": "a device shows its code before it belongs to anyone"},
    "commands.device": {"system_tx": "what waits for those who come together, whosever they are"},
    "shadows.device": {"system_tx": "what those who come together have not reported yet"},
    "commands.jobs": {"system_tx": "commands whose time is up, whoever gave them"},
    "app.callers": {"lookup": "turns a token or key into a principal"},
    "app.cloud": {"lookup": "finds the first owner at start"},
    "app.instance": {"lookup": "asks whether the database answers"},
}


def users(modules: list[Module]) -> dict[str, dict[str, int]]:
    """Module -> way -> a line that opens it. `infra.db`, which offers them, is not among them."""
    found: dict[str, dict[str, int]] = {}
    for module in modules:
        if module.name == "infra.db":
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WAYS:
                found.setdefault(module.name, {}).setdefault(node.func.attr, node.lineno)
    return found


def unlisted(modules: list[Module], allowed: dict[str, dict[str, str]]) -> list[str]:
    """Users that are not listed, and lines of the list that nobody needs."""
    found = users(modules)
    said = [
        f"{name}:{line} opens {way}(), which test_ways_in.py does not list: say there why."
        for name, ways in found.items()
        for way, line in ways.items()
        if way not in allowed.get(name, {})
    ]
    said += [
        f"test_ways_in.py lists {name} for {way}(), which it does not open."
        for name, ways in allowed.items()
        for way in ways
        if way not in found.get(name, {})
    ]
    return said


def test_every_user_is_listed() -> None:
    assert unlisted(load(), ALLOWED) == []


@pytest.mark.parametrize("way", sorted(WAYS))
def test_an_unlisted_user_is_seen(way: str) -> None:
    sample = Module("devices.service", f"async def f(db):\n    async with db.{way}('x') as tx: pass")
    assert unlisted([sample], {})
    assert unlisted([sample], {"devices.service": {way: "sample"}}) == []


def test_a_stale_line_is_seen() -> None:
    assert unlisted([Module("devices.service", "")], {"devices.service": {"lookup": "sample"}})
