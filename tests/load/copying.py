"""The floor of telemetry: COPY alone, of the rows that the hub would write, into the same table.

`python -m tests.load.copying TENANT DEVICE…` with the database in EDGEFLOW_DATABASE_URL; asked in JSON lines. Order
`copy` (seconds, rows a transaction, connections): each connection begins, copies, commits, again and again.
"""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from uuid import UUID

import uvloop

from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import Batch, make_batch
from edgeflow_protocol.telemetry import Sample
from tests.load.generator import Answer, serve_orders


def batches(tenant: TenantId, devices: list[DeviceId], rows: int) -> list[Batch]:
    """As many batches of ten samples, round the devices, as hold `rows`."""
    now = datetime.now(UTC)
    sample = Sample(
        time=now, cpu_percent=0.0, memory_percent=3.5, temperature_celsius=7.0, memory_total_bytes=3_000_009,
        memory_used_bytes=4_000_012, memory_available_bytes=5_000_015, swap_total_bytes=6_000_018,
        swap_used_bytes=7_000_021, uptime_seconds=8_000_024.0, load_1=31.5, load_5=35.0, load_15=38.5,
    )  # fmt: skip
    return [
        make_batch(tenant, devices[number % len(devices)], "floor", number + 1, [sample] * 10, now)
        for number in range(rows // 10)
    ]


async def serve(tenant: TenantId, devices: list[DeviceId]) -> None:
    database = Database(os.environ["EDGEFLOW_DATABASE_URL"])
    await database.open()

    async def copy(seconds: float, rows: int = 2_000, connections: int = 2) -> Answer:
        made, began, done = batches(tenant, devices, rows), time.perf_counter(), 0

        async def work() -> None:
            nonlocal done
            while time.perf_counter() < began + seconds:
                async with database.ingest_tx() as tx:
                    await queries.copy_samples(tx, made)
                done += rows

        await asyncio.gather(*(work() for _ in range(connections)))
        return {"samples": done, "rate": done / (time.perf_counter() - began)}

    await serve_orders({"copy": copy})
    await database.close()


if __name__ == "__main__":
    uvloop.run(serve(TenantId(UUID(sys.argv[1])), [DeviceId(UUID(one)) for one in sys.argv[2:]]))
