"""What a plan does not keep goes, by whole days, and nobody else's."""

from datetime import timedelta

import pytest

from cloud.tests.telemetry.conftest import NOW, Peer, batch, sample
from edgeflow_cloud import quotas
from edgeflow_cloud.infra.db import Database, Transaction
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import custom, ingest
from edgeflow_cloud.telemetry.rollups.model import DAY, HOUR, MINUTE, floor
from edgeflow_cloud.telemetry.rollups.rolling import roll_up
from edgeflow_cloud.telemetry.sweeping import sweep as sweeping


@pytest.fixture
def on_free(owner: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's organization is the only one, and on the free plan."""

    async def tenants(tx: Transaction, plan: str, after: TenantId | None, limit: int) -> list[TenantId]:
        return [owner.tenant_id] if plan == "free" and after is None else []

    monkeypatch.setattr(quotas, "list_tenants", tenants)


async def counts(db: Database, *tables: str) -> list[int]:
    async with db.system_tx("test") as tx:
        return [await tx.fetchval(f"select count(*) from {table}") for table in tables]


@pytest.mark.usefixtures("on_free")
async def test_whole_days_go_and_their_rollups_stay(db: Database, peer: Peer) -> None:
    kept_from = floor(NOW - timedelta(days=7), DAY)
    edge = (NOW - kept_from).total_seconds()
    ages = [0, edge, edge + 1, 9 * DAY, 20 * DAY]
    await peer.send(batch(1, *(sample(age, custom={"a": 1.0}) for age in ages)))
    for step in (MINUTE, HOUR, DAY):
        await roll_up(db, step, NOW)
    tables = ("system_samples", "custom_samples", "system_1m", "custom_1m", "system_1h", "system_1d")
    before = await counts(db, *tables)
    assert await sweeping.sweep(db, NOW) == 6
    assert await counts(db, *tables) == [2, 2, *before[2:]]  # history is 30 days
    assert await sweeping.sweep(db, NOW) == 0
    await sweeping.sweep(db, NOW + timedelta(days=29))
    assert sum(await counts(db, *tables)) < sum(before)
    assert await counts(db, "system_samples", "system_1d") == [0, 1]


async def test_longer_plans_and_other_organizations_lose_nothing(
    db: Database, peer: Peer, stranger: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tenants(tx: Transaction, plan: str, after: TenantId | None, limit: int) -> list[TenantId]:
        return [stranger.tenant_id] if plan == "free" else [peer.tenant_id] if plan == "pro" else []

    monkeypatch.setattr(quotas, "list_tenants", tenants)
    await peer.send(batch(1, sample(20 * DAY)))
    assert await sweeping.sweep(db, NOW) == 0
    assert await counts(db, "system_samples") == [1]


async def test_organizations_are_found_by_their_plan(db: Database) -> None:
    async with db.system_tx("test") as tx:
        assert await quotas.list_tenants(tx, "free", None, 10) == []


async def test_the_event_of_refused_names_comes_with_the_next_batch_when_one_fails(
    db: Database, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom, "MAX_CUSTOM_METRICS", 0)
    store = ingest.Ingest.store

    async def fail(*given: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(ingest.Ingest, "store", fail)
    assert await peer.send(batch(1, sample(0, custom={"a": 1.0}))) is None
    monkeypatch.setattr(ingest.Ingest, "store", store)
    for sequence in (1, 2):
        ack = await peer.send(batch(sequence, sample(0, custom={"a": 1.0})))
        assert ack is not None
    assert await counts(db, "device_events") == [1]
