"""The floor of shadow updates: one UPDATE of the shadow's row and its commit, `python -m tests.load.updating COUNT`.

As the database's owner on a connection of its own for each writer: no lock first, no history, no event, no push. The
rows are those of the first COUNT devices. Order `update` (seconds, writers); answers rate, p50, p95 in milliseconds.
"""

import asyncio
import os
import statistics
import sys
import time
from uuid import UUID

import asyncpg
import uvloop

from tests.load.generator import Answer, serve_orders


async def serve(count: int) -> None:
    url = os.environ["EDGEFLOW_DATABASE_URL"]
    first = await asyncpg.connect(url)
    rows = await first.fetch("select tenant_id, id from devices order by id limit $1", count)
    places: list[tuple[UUID, UUID]] = [(row["tenant_id"], row["id"]) for row in rows]
    await first.executemany(
        "insert into shadows (tenant_id, device_id, updated_at) values ($1, $2, now()) on conflict do nothing",
        places,
    )
    await first.close()

    async def update(seconds: float, writers: int = 16) -> Answer:
        took: list[float] = []
        connections = [await asyncpg.connect(url) for _ in range(writers)]
        began = time.perf_counter()

        async def work(number: int) -> None:
            connection, step = connections[number], number
            while (start := time.perf_counter()) < began + seconds:
                await connection.execute(
                    "update shadows set reported = $3::text::jsonb, updated_at = now() "
                    "where tenant_id = $1 and device_id = $2",
                    *places[step % len(places)],
                    f'{{"temperature": {step}}}',
                )
                took.append((time.perf_counter() - start) * 1000)
                step += writers

        await asyncio.gather(*(work(number) for number in range(writers)))
        spent = time.perf_counter() - began
        await asyncio.gather(*(connection.close() for connection in connections))
        points = statistics.quantiles(took, n=100)
        return {"rate": len(took) / spent, "p50": points[49], "p95": points[94]}

    await serve_orders({"update": update})


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
