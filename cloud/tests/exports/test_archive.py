"""What stands in an archive: every row that is kept, counted against the tables."""

import asyncio
import io
import json
import tracemalloc
import zipfile
from datetime import timedelta

import pytest

from cloud.tests.conftest import make_principal
from cloud.tests.telemetry.conftest import NOW, Peer, batch, sample
from cloud.tests.telemetry.test_reports import event, events, execution, lines
from edgeflow_cloud import devices
from edgeflow_cloud.exports import queries
from edgeflow_cloud.exports.archive import write_archive
from edgeflow_cloud.exports.files import FILES
from edgeflow_cloud.exports.model import LEFT_OUT
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry.rollups.model import DAY, HOUR, MINUTE
from edgeflow_cloud.telemetry.rollups.rolling import roll_up

Files = dict[str, list[dict[str, object]]]


async def archived(context: Context, owner: Principal) -> tuple[Files, list[tuple[int, int]]]:
    """The archive's files, parsed, without their ending; and how far it said that it was."""
    told: list[tuple[int, int]] = []

    async def progress(percent: int, rows: int) -> None:
        told.append((percent, rows))

    file = io.BytesIO()
    total = await write_archive(context, owner, file, progress)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        files = {
            name.removesuffix(".ndjson"): [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
            if name.endswith(".ndjson")
        }
        contents = json.loads(archive.read("contents.json"))
        readme = archive.read("README.txt").decode()
    assert contents == {f"{name}.ndjson": len(rows) for name, rows in files.items()}
    assert total == sum(contents.values())
    assert {"devices", "shadows", "commands", "projects"} <= set(files)
    assert all(name.split("_")[0] in readme for name in files if name.startswith(("meas", "exec", "event")))
    return files, told


async def test_every_row_of_telemetry_is_in_it(
    context: Context, db: Database, owner: Principal, peer: Peer, sql
) -> None:
    async with db.tenant_tx(owner) as tx:
        second, _ = await devices.create_device(tx, owner, name="press 5")
    stranger = make_principal()
    async with db.tenant_tx(stranger) as tx:
        foreign, _ = await devices.create_device(tx, stranger, name="foreign")
    peers = [
        peer,
        Peer(context, owner, second.device_id),
        Peer(context, stranger, foreign.device_id),
    ]
    for place, one in enumerate(peers):
        for number in range(1, 6):
            made = [sample(7_000 * number + 10 * k, 10.0 * k, custom={"bar": float(k)}) for k in range(8)]
            await one.send(batch(number, *made))
        await one.send(events(1, execution(f"e{place}"), event("started"), event("stopped", ago=4)))
        await one.send(lines(1, "one", "two", "three"))
    for step in (MINUTE, HOUR, DAY):
        await roll_up(db, step, NOW + timedelta(days=2))

    files, told = await archived(context, owner)
    for contributed in FILES.all():
        (table,) = contributed.tables
        stored = await sql.fetchval(f"select count(*) from {table} where tenant_id = $1", owner.tenant_id)
        assert stored > 0, table
        assert len(files[contributed.file]) == stored, contributed.file
        assert table == contributed.file or table not in files
        assert {row["device_id"] for row in files[contributed.file]} <= {
            str(peer.device_id),
            str(second.device_id),
        }
    assert len(files["measurements"]) == len(files["measurements_custom"]) == 2 * 5 * 8
    one = next(row for row in files["measurements"] if row["cpu_percent"] == 70.0)
    assert (one["cpu_cores"], one["disk_mounts"], one["network_interfaces"]) == ([70.0, 1.5], ["/"], ["eth0"])
    for step in ("1m", "1h", "1d"):
        kept = [row["metrics"]["cpu_percent"] for row in files[f"measurements_{step}"]]  # type: ignore[index]
        assert sum(item["count"] for item in kept) == 2 * 5 * 8
        assert sum(item["sum"] for item in kept) == pytest.approx(2 * 5 * 280.0)
        assert max(item["max"] for item in kept) == 70.0
    assert [row["message"] for row in files["logs"]][:3] == ["one", "two", "three"]
    assert files["executions"][0]["nodes"]
    percents = [percent for percent, _ in told]
    assert percents == sorted(percents) and percents[-1] == 100 and len(set(percents)) > 15
    assert [rows for _, rows in told] == sorted(rows for _, rows in told)


async def test_no_table_is_forgotten_and_none_is_in_it_twice(db: Database, owner: Principal) -> None:
    async with db.tenant_tx(owner) as tx:
        known = set(await queries.select_tenant_tables(tx))
    listed = [table for file in FILES.all() for table in file.tables]
    assert len(listed) == len(set(listed))
    assert known >= LEFT_OUT | set(listed)
    assert not LEFT_OUT & set(listed)
    assert len({file.file for file in FILES.all()} - (known - LEFT_OUT - set(listed))) == len(FILES.all())


async def test_it_is_written_in_bounded_memory(context: Context, owner: Principal, peer: Peer, sql) -> None:
    await peer.send(lines(1, "the first"))
    await sql.execute(
        """
        insert into device_logs (tenant_id, device_id, id, time, received_at, level, source, message)
        select $1, $2, gen_random_uuid(), $3, $3, 'info', 'test', repeat('x', 3000)
        from generate_series(1, 20000)
        """,
        owner.tenant_id,
        peer.device_id,
        NOW,
    )

    async def ignore(percent: int, rows: int) -> None: ...

    with io.BytesIO() as file:
        tracemalloc.start()
        try:
            rows = await write_archive(context, owner, file, ignore)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert rows > 20_000
    assert peak < 20_000_000, peak  # of 60 MB


async def test_a_slow_disk_does_not_end_the_reading(
    db: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_AT_ONCE", 1)
    statement = "select $1::uuid::text || $2::uuid::text as document from generate_series(1, 3)"
    async with db.tenant_tx(owner) as tx:
        await tx.execute("set local idle_in_transaction_session_timeout = 100")
        read = 0
        async for _ in queries.device_rows(tx, statement, owner.tenant_id, DeviceId(ids.new())):
            read += 1
            await asyncio.sleep(0.3)
    assert read == 3
