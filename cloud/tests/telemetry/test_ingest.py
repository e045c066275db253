"""An acknowledgement means committed, once; a bad batch harms nobody; the database may go and come."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from cloud.tests.telemetry.conftest import NOW, Peer, batch, sample, stored
from edgeflow_cloud import devices
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import ingest, queries, sample_channel
from edgeflow_cloud.telemetry.device import refuse_telemetry
from edgeflow_protocol import FrameError
from edgeflow_protocol.codec import decode_from_device
from edgeflow_protocol.telemetry import Disk


async def test_a_batch_is_stored_once_and_acknowledged_each_time(db: Database, peer: Peer) -> None:
    for _ in range(2):
        ack = await peer.send(batch(1, sample(10), sample(0)))
        assert ack is not None
        assert (ack.frame, ack.boot_id, ack.sequence, ack.error) == ("telemetry", "b00t", 1, "")
    assert await stored(db) == 2
    await peer.send(batch(3))
    late = await peer.send(batch(2))  # at or below the cursor: acknowledged, unwritten
    assert late is not None
    assert late.sequence == 2
    assert await stored(db) == 3
    await peer.send(batch(1, boot="another run"))
    assert await stored(db) == 4


async def test_twins_at_the_same_moment_are_stored_once(db: Database, peer: Peer) -> None:
    acks = await asyncio.gather(*(peer.send(batch(1)) for _ in range(5)))
    assert len([ack for ack in acks if ack is not None]) == 5
    assert await stored(db) == 1


async def test_two_hubs_with_the_same_device_store_once(
    db: Database, peer: Peer, context: Context, owner: Principal, database_url: str
) -> None:
    other_db = Database(database_url)
    await other_db.open()
    other = Peer(replace(context, db=other_db), owner, peer.device_id)
    for sequence in range(1, 20):
        await asyncio.gather(peer.send(batch(sequence)), other.send(batch(sequence)))
    assert await stored(db) == 19
    await other_db.close()


async def test_all_that_was_said_is_kept(db: Database, peer: Peer) -> None:
    await peer.send(batch(1, sample(5, 12.5)))
    async with db.system_tx("test") as tx:
        row = await tx.fetchrow("select * from system_samples")
    assert row is not None
    assert row["time"] == NOW - timedelta(seconds=5)
    assert (row["cpu_percent"], row["cpu_cores"], row["disk_mounts"]) == (12.5, [12.5, 1.5], ["/"])
    assert (row["network_interfaces"], row["network_tx_bytes"]) == (["eth0"], [None])
    assert row["device_time"] is None


async def test_a_batch_that_can_never_be_stored_is_refused_and_others_go_on(
    db: Database, context: Context, owner: Principal, peer: Peer
) -> None:
    async with db.tenant_tx(owner) as tx:
        others = [
            Peer(
                context,
                owner,
                (await devices.create_device(tx, owner, name=f"d{n}", notes="", tags=[]))[0].device_id,
            )
            for n in range(6)
        ]
    ghost = Peer(context, owner, DeviceId(ids.new()))  # was deleted meanwhile: its cursor has no device
    acks = await asyncio.gather(ghost.send(batch(1)), *(other.send(batch(1)) for other in others))
    assert acks[0] is not None
    assert "cannot be stored" in acks[0].error
    assert [ack.error for ack in acks[1:] if ack is not None] == [""] * 6
    assert await stored(db) == 6
    bad = await peer.send(batch(1, sample(disks=[Disk(mount="x" * 1000)])))
    assert bad is not None
    assert "longer than 512" in bad.error
    good = await peer.send(batch(2))
    assert good is not None
    assert good.error == ""


async def test_a_frame_that_cannot_be_read_is_refused_by_its_sequence(peer: Peer) -> None:
    text = b'{"type":"telemetry","boot_id":"b","sequence":7,"samples":[{"time":"now"}]}'
    with pytest.raises(FrameError) as fault:
        decode_from_device(text)
    sent = peer
    from types import SimpleNamespace

    await refuse_telemetry(SimpleNamespace(send=sent.acks.append), fault.value)  # type: ignore[arg-type]
    assert (sent.acks[-1].boot_id, sent.acks[-1].sequence) == ("b", 7)
    assert sent.acks[-1].error


async def test_without_a_commit_there_is_no_acknowledgement(
    db: Database, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        async def away(*_: object) -> None:
            raise Unavailable("away")

        patch.setattr(queries, "move_cursors", away)
        assert await peer.send(batch(1)) is None
    assert await stored(db) == 0
    assert await peer.send(batch(1)) is not None
    assert await stored(db) == 1


async def test_a_device_away_for_long_fills_days_that_have_no_partition_yet(db: Database, peer: Peer) -> None:
    await peer.send(batch(1, *(sample(day * 86_400) for day in range(25))))
    assert await stored(db) == 25
    async with db.system_tx("test") as tx:
        parts = await tx.fetchval(
            "select count(*) from pg_inherits where inhparent = 'system_samples'::regclass"
        )
        assert parts == 25
        assert await queries.drop_partitions(tx, NOW - timedelta(days=20), 100) == 4
    assert await stored(db) == 21
    # A day that was dropped under a running hub is made again when it is needed.
    await peer.send(batch(2, sample(23 * 86_400)))
    assert await stored(db) == 22


async def test_live_samples_go_where_somebody_looks(context: Context, owner: Principal, peer: Peer) -> None:
    channel = sample_channel(owner.tenant_id, peer.device_id)
    async with context.bus.subscribe(channel) as subscription:
        await peer.send(batch(1, sample(0, 33.0)))
        async with asyncio.timeout(3):
            message = msgspec.json.decode((await anext(subscription)).data)
    assert message["device_id"] == ids.encode(ids.DEVICE, peer.device_id)
    assert message["cpu_percent"] == 33.0
    assert message["disks"][0]["mount"] == "/"


async def test_samples_of_a_deleted_device_go(
    db: Database, context: Context, owner: Principal, peer: Peer
) -> None:
    from edgeflow_cloud.infra.outbox import Relay
    from edgeflow_cloud.telemetry.jobs import FORGET_DEVICE, REACTIONS

    await peer.send(batch(1))
    async with db.tenant_tx(owner) as tx:
        await devices.delete_device(tx, owner, peer.device_id)
    await Relay(db, context.bus, REACTIONS).relay_batch()
    async with db.system_tx("test") as tx:
        payload = await tx.fetchval(
            "select convert_from(payload, 'UTF8') from jobs.pgqueuer where entrypoint = $1",
            FORGET_DEVICE.name,
        )
        assert await tx.fetchval("select count(*) from telemetry_cursors") == 0
    await FORGET_DEVICE.handler(context, msgspec.json.decode(payload))
    assert await stored(db) == 0


async def test_of_many_devices_none_is_forgotten(
    db: Database, context: Context, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        ingest, "_FLUSH_ROWS", 20
    )  # many flushes, two at once, beginning and ending all the time
    monkeypatch.setattr(ingest, "_LINGER", 0.001)
    async with db.tenant_tx(owner) as tx:
        made = [await devices.create_device(tx, owner, name=f"d{n}", notes="", tags=[]) for n in range(40)]

    async def send_all(peer: Peer) -> None:
        for sequence in range(1, 16):
            assert await peer.send(batch(sequence, sample(1), sample(0))) is not None

    async with asyncio.timeout(60):
        await asyncio.gather(*(send_all(Peer(context, owner, device.device_id)) for device, _ in made))
    assert await stored(db) == 40 * 15 * 2
