"""An export is verified with the public key alone: on this machine or another, years later."""

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from cloud.tests.audit.conftest import seal_all, write
from cloud.tests.conftest import Caller
from edgeflow_cloud.app.cli import app
from edgeflow_cloud.audit import NotAnExport, OfflineReport, export, verify_lines
from edgeflow_cloud.audit.checkpoints import key_of, make_checkpoint
from edgeflow_cloud.audit.model import Flaw
from edgeflow_cloud.audit.signing import PublicKeys, Signer
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.principal import Principal

VECTOR = Path(__file__).parent / "export.jsonl"
"""An export made by the first version: formats may be added, this one stays verifiable."""
VECTOR_KEY = VECTOR.with_name("export.pem")


@pytest.fixture
async def trusted(context: Context) -> PublicKeys:
    return Signer(context.secrets, datetime.now(UTC)).trusted


@pytest.fixture
async def exported(
    context: Context, db: Database, owner: Principal, client: Caller, monkeypatch: pytest.MonkeyPatch
) -> bytes:
    """Twelve sealed entries in two checkpoints' reach, one sealed behind them, one that waits."""
    monkeypatch.setattr(export, "BATCH", 5)
    for _ in range(2):
        await write(db, owner, 6)
        await seal_all(context)
        await make_checkpoint(context, owner.tenant_id)
    await write(db, owner, 1)
    await seal_all(context)
    await write(db, owner, 1)
    answer = await client("owner").get("/audit/export", params={"format": "jsonl"})
    assert answer.status_code == 200
    return answer.content


def verified(text: bytes, trusted: PublicKeys, extra: list[bytes] | None = None) -> OfflineReport:
    return verify_lines([line + b"\n" for line in text.split(b"\n")[:-1]] or [text], trusted, extra or [])


def test_an_export_of_the_first_version_is_still_good() -> None:
    answer = CliRunner().invoke(app, ["audit", "verify", str(VECTOR), "--key", str(VECTOR_KEY)])
    assert answer.exit_code == 0, answer.output


async def test_an_export_is_good_and_says_what_it_holds(exported: bytes, trusted: PublicKeys) -> None:
    report = verified(exported, trusted)
    assert (report.broken, report.sequence, report.unsealed, report.checkpoints) == (None, 13, 1, 2)


async def test_any_other_byte_is_found(exported: bytes, trusted: PublicKeys) -> None:
    dice = random.Random(1)
    for _ in range(400):
        place = dice.randrange(len(exported))
        other = exported[:place] + bytes([exported[place] ^ dice.randrange(1, 256)]) + exported[place + 1 :]
        assert is_refused(other, trusted), (place, exported[place : place + 1])


async def test_lines_removed_exchanged_doubled_or_added_are_found(
    exported: bytes, trusted: PublicKeys
) -> None:
    whole = [line + b"\n" for line in exported.split(b"\n")[:-1]]
    for place in range(len(whole)):
        assert is_refused(b"".join(whole[:place] + whole[place + 1 :]), trusted), place
        assert is_refused(b"".join([*whole[: place + 1], *whole[place:]]), trusted), place
        if place:
            swapped = [*whole[: place - 1], whole[place], whole[place - 1], *whole[place + 1 :]]
            assert is_refused(b"".join(swapped), trusted), place
    for length in range(0, len(exported) - 1, 97):
        assert is_refused(exported[:length], trusted), length
    assert is_refused(exported + b"\n", trusted)


def is_refused(text: bytes, trusted: PublicKeys) -> bool:
    try:
        return verified(text, trusted).broken is not None
    except NotAnExport:
        return True


async def test_a_later_part_is_verified_by_itself(
    client: Caller, exported: bytes, trusted: PublicKeys
) -> None:
    part = await client("owner").get("/audit/export", params={"format": "jsonl", "after": 6})
    report = verified(part.content, trusted)
    assert (report.broken, report.after, report.sequence, report.checkpoints) == (None, 6, 13, 1)
    missing = await client("owner").get("/audit/export", params={"format": "jsonl", "after": 99})
    assert (missing.status_code, missing.json()["code"]) == (404, "seal_not_found")


async def test_another_key_does_not_do(exported: bytes) -> None:
    report = verified(exported, {})
    assert report.broken is not None
    assert report.broken.flaw is Flaw.CHECKPOINT_FORGED


async def test_a_log_that_was_cut_before_its_export_is_found_by_a_kept_checkpoint(
    context: Context,
    owner: Principal,
    client: Caller,
    exported: bytes,
    trusted: PublicKeys,
    ruler: asyncpg.Connection,
) -> None:
    kept = await context.blobs.get(key_of(owner.tenant_id, 12))
    assert verified(exported, trusted, [kept]).broken is None
    await ruler.execute("delete from audit_seals where sequence > 9")
    await ruler.execute("delete from audit_checkpoints where sequence > 9")
    short = (await client("owner").get("/audit/export", params={"format": "jsonl"})).content
    assert verified(short, trusted).broken is None
    broken = verified(short, trusted, [kept]).broken
    assert broken is not None
    assert (broken.flaw, broken.sequence) == (Flaw.TRUNCATED, 12)


async def test_the_command_tells_good_from_changed_from_unreadable(
    context: Context,
    owner: Principal,
    client: Caller,
    exported: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGEFLOW_DATA_DIR", str(tmp_path / "elsewhere"))
    keys = (await client("owner").get("/audit/checkpoints")).json()["keys"]
    key = tmp_path / "key.pem"
    key.write_text("".join(keys.values()))
    good, changed, other = tmp_path / "good.jsonl", tmp_path / "changed.jsonl", tmp_path / "other.jsonl"
    good.write_bytes(exported)
    changed.write_bytes(exported.replace(b'"dev_3"', b'"dev_4"'))
    other.write_text("timestamp,id\n")
    kept = tmp_path / "audit" / "org"
    kept.mkdir(parents=True)
    (kept / "12.json").write_bytes(await context.blobs.get(key_of(owner.tenant_id, 12)))

    def run(*words: str) -> tuple[int, str]:
        answer = CliRunner().invoke(app, ["audit", *words])
        return answer.exit_code, " ".join(answer.output.split())

    code, said = run("verify", str(good), "--key", str(key), "--checkpoint", str(tmp_path / "audit"))
    assert (code, "as it was written" in said) == (0, True), said
    code, said = run("verify", str(changed), "--key", str(key))
    assert (code, "entry_changed" in said) == (1, True), said
    for words, hint in (
        ((str(other), "--key", str(key)), "not an export"),
        ((str(good), "--key", str(other)), "no key"),
        ((str(tmp_path / "none"), "--key", str(key)), "cannot be read"),
        ((str(good),), "Give --key"),
    ):
        code, said = run("verify", *words)
        assert (code, hint in said) == (2, True), said
    assert run("key")[0] == 2
    assert not (tmp_path / "elsewhere").exists()
    shutil.copytree(context.secrets.folder, tmp_path / "elsewhere" / "secrets")
    assert run("verify", str(good))[0] == 0
    assert run("key") == (0, " ".join(key.read_text().split()))
