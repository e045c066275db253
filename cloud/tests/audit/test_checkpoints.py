"""Checkpoints: when they are made, what they say, and how the store and the table stay one."""

import asyncio
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from cloud.tests.audit.conftest import seal_all, write
from cloud.tests.conftest import Caller
from edgeflow_cloud.audit import checkpoints, signing
from edgeflow_cloud.audit.checkpoints import BrokenLog, key_of, make_checkpoint, make_due_checkpoints
from edgeflow_cloud.audit.restoration import Loss, accept_loss
from edgeflow_cloud.audit.verification import verify
from edgeflow_cloud.infra.blobs import BlobsAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.clock import SetClock
from edgeflow_cloud.kernel.principal import Principal


@pytest.fixture
def later(context: Context) -> Context:
    """The same cloud, a minute on."""
    return replace(context, clock=SetClock(datetime.now(UTC) + timedelta(minutes=1)))


async def test_a_chain_is_signed_within_a_minute_and_then_left_alone(
    context: Context, later: Context, db: Database, owner: Principal, stranger: Principal
) -> None:
    await write(db, owner, 3)
    await write(db, stranger, 2)
    await seal_all(context)
    assert await make_due_checkpoints(context) == 0
    assert await make_due_checkpoints(later) == 2
    assert await make_due_checkpoints(later) == 0
    report = await verify(context, owner)
    assert (report.ok, report.last_checkpoint, report.checkpoints) == (True, 3, 1)


async def test_many_entries_are_signed_sooner(
    context: Context, db: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SEALS", 5)
    await write(db, owner, 4)
    await seal_all(context)
    assert await make_due_checkpoints(context) == 0
    await write(db, owner, 1)
    await seal_all(context)
    assert await make_due_checkpoints(context) == 1


async def test_two_workers_make_one_story(context: Context, db: Database, owner: Principal) -> None:
    for _ in range(3):
        await write(db, owner, 2)
        await seal_all(context)
        await asyncio.gather(*(make_checkpoint(context, owner.tenant_id) for _ in range(3)))
    report = await verify(context, owner)
    assert (report.ok, report.verified_to, report.last_checkpoint) == (True, 6, 6)


async def test_a_checkpoint_that_only_the_store_has_is_taken_up(
    context: Context, db: Database, owner: Principal, ruler: asyncpg.Connection
) -> None:
    """The worker died between the store and the table."""
    await write(db, owner, 2)
    await seal_all(context)
    await make_checkpoint(context, owner.tenant_id)
    await ruler.execute("truncate audit_checkpoints")
    assert (await verify(context, owner)).checkpoints == 1
    await write(db, owner, 1)
    await seal_all(context)
    await make_checkpoint(context, owner.tenant_id)
    assert await ruler.fetch("select sequence from audit_checkpoints order by 1") == [(2,), (3,)]
    assert (await verify(context, owner)).ok


async def test_without_the_store_checkpoints_wait_and_a_verification_says_so(
    later: Context, db: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(db, owner, 2)
    await seal_all(replace(later, clock=SetClock(datetime.now(UTC))))

    async def away(*_: object, **__: object) -> None:
        raise BlobsAway("The object store does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(later.blobs, "put", away)
        assert await make_due_checkpoints(later) == 0
        patched.setattr(checkpoints, "stored_sequences", _away)
        assert await make_due_checkpoints(later) == 0
    assert await make_due_checkpoints(later) == 1


async def _away(*_: object) -> None:
    raise BlobsAway("The object store does not answer.")
    yield


async def test_an_old_key_is_believed_and_a_strange_one_is_not(
    context: Context, db: Database, owner: Principal, tmp_path: Path
) -> None:
    await write(db, owner, 2)
    await seal_all(context)
    await make_checkpoint(context, owner.tenant_id)
    old = context.secrets.audit_keys.current.text
    fresh = Secret("A" * 43)
    known = replace(context, secrets=Secrets(tmp_path / "other", audit_key=fresh, audit_old_keys=[old]))
    assert (await verify(known, owner)).ok
    await write(db, owner, 1)
    await seal_all(known)
    await make_checkpoint(known, owner.tenant_id)
    report = await verify(known, owner)
    assert (report.ok, report.last_checkpoint, len(report.key_ids)) == (True, 3, 2)
    strange = replace(context, secrets=Secrets(tmp_path / "third"))
    broken = (await verify(strange, owner)).broken
    assert broken is not None
    assert broken.flaw == "checkpoint_forged"


async def test_the_list_shows_what_was_signed_and_openssl_agrees(
    context: Context, db: Database, owner: Principal, client: Caller, tmp_path: Path
) -> None:
    for _ in range(3):
        await write(db, owner, 1)
        await seal_all(context)
        await make_checkpoint(context, owner.tenant_id)
    first = (await client("owner").get("/audit/checkpoints", params={"limit": 2})).json()
    rest = (await client("owner").get("/audit/checkpoints", params={"cursor": first["next_cursor"]})).json()
    assert [item["sequence"] for item in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next_cursor"] is None
    newest = first["items"][0]
    assert newest["previous_sequence"] == 2
    assert newest["object_key"] == key_of(owner.tenant_id, 3)
    stored = await context.blobs.get(newest["object_key"])
    organization = ids.encode(ids.ORGANIZATION, owner.tenant_id)
    trusted = signing.Signer(context.secrets, datetime.now(UTC)).trusted
    signed = signing.split_signed(stored, "checkpoint")
    assert signing.read_checkpoint(signed, organization, trusted).hash == newest["hash"]
    with pytest.raises(signing.NotSigned):
        signing.read_checkpoint(signed, "org_" + "0" * 26, trusted)
    (tmp_path / "key.pem").write_text(first["keys"][newest["key_id"]])
    (tmp_path / "document").write_text(newest["document"])
    (tmp_path / "signature").write_bytes(signed.signature)
    checked = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "document",
         "-sigfile", "signature"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert (await client("stranger").get("/audit/checkpoints")).json()["items"] == []
    assert (await client("viewer").get("/audit/checkpoints")).status_code == 403
    bad = await client("owner").get("/audit/checkpoints", params={"cursor": "WyJ4Il0"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")


async def test_the_operator_accepts_what_a_restore_lost(
    context: Context,
    later: Context,
    db: Database,
    owner: Principal,
    ruler: asyncpg.Connection,
    client: Caller,
) -> None:
    for _ in range(3):
        await write(db, owner, 4)
        await seal_all(context)
        await make_checkpoint(context, owner.tenant_id)
    assert await accept_loss(context, owner.tenant_id) is None
    # A backup from after seal 6 comes back, and the cloud writes on before anybody notices.
    await ruler.execute(
        "delete from audit_entries where id in (select entry_id from audit_seals where sequence > 6)"
    )
    await ruler.execute("delete from audit_seals where sequence > 6")
    await ruler.execute("delete from audit_checkpoints where sequence > 6")
    await ruler.execute("update audit_chains set sequence = 6, checkpoint_sequence = 4")
    await write(db, owner, 3)
    await seal_all(context)
    assert await make_due_checkpoints(later) == 0
    assert not (await verify(context, owner)).ok
    assert await accept_loss(context, owner.tenant_id) == Loss(kept=9, reached=12, moved=2)
    await seal_all(context)
    assert await make_checkpoint(context, owner.tenant_id)
    report = await verify(context, owner)
    assert (report.ok, report.verified_to, report.last_checkpoint) == (True, 10, 10)
    entry = (await client("owner").get("/audit")).json()["items"][0]
    assert (entry["action"], entry["old_values"]["sequence"]) == ("audit.loss_accepted", 12)
    organization = ids.encode(ids.ORGANIZATION, owner.tenant_id)
    aside = [blob.key async for blob in context.blobs.keys("audit-lost") if organization in blob.key]
    assert len(aside) == 2


async def test_a_broken_chain_cannot_be_accepted(
    context: Context, db: Database, owner: Principal, ruler: asyncpg.Connection
) -> None:
    await write(db, owner, 4)
    await seal_all(context)
    await make_checkpoint(context, owner.tenant_id)
    await ruler.execute("update audit_entries set action = 'x'")
    with pytest.raises(BrokenLog):
        await accept_loss(context, owner.tenant_id)
