"""The service of the worker role that hands announced events on."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

import asyncpg
import msgspec
import structlog
from prometheus_client import Counter

from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.db import Database, Row
from edgeflow_cloud.infra.jobs import Job, enqueue
from edgeflow_cloud.infra.observability import REGISTRY
from edgeflow_cloud.infra.outbox import queries
from edgeflow_cloud.infra.outbox.model import Announced, Reaction, live_channel
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.ids import TenantId

log = structlog.get_logger("edgeflow.outbox")
RELAYED = Counter("edgeflow_outbox_events", "Events handed on.", registry=REGISTRY)

_BATCH = 500
_POLL = 2.0  # seconds; a NOTIFY lost with its connection costs no more than this


class Relay:
    """Wakes on NOTIFY and on a slow poll. Any number of relays share the work; a crash at any point loses
    nothing.
    """

    def __init__(self, db: Database, bus: Bus, reactions: Iterable[Reaction] = ()) -> None:
        self._db = db
        self._bus = bus
        self._jobs: dict[str, list[Job]] = {}
        for reaction in reactions:
            self._jobs.setdefault(reaction.event, []).append(reaction.job)
        self._wake = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until `stopping` is set; what waits then is left for the next one."""
        listening = asyncio.create_task(self._listen(), name="outbox-listen")
        stop = asyncio.create_task(stopping.wait(), name="outbox-stop")
        try:
            while not stopping.is_set():
                self._wake.clear()
                if not await self._relay_waiting(stopping):
                    await asyncio.sleep(1.0)  # the database is away: say so once a second, not in a loop
                wake = asyncio.create_task(self._wake.wait())
                await asyncio.wait({wake, stop}, timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
                wake.cancel()
        finally:
            listening.cancel()
            stop.cancel()
            await asyncio.gather(listening, stop, return_exceptions=True)

    async def _relay_waiting(self, stopping: asyncio.Event) -> bool:
        """Relay batch after batch until nothing waits; False when the database did not let us."""
        try:
            while not stopping.is_set() and await self.relay_batch() == _BATCH:
                pass
        except (Unavailable, asyncpg.PostgresError, OSError) as error:
            log.warning("outbox.interrupted", error=str(error) or type(error).__name__)
            return False
        return True

    async def relay_batch(self) -> int:
        """Hand one batch on; answers how many events it held."""
        async with self._db.system_tx("outbox relay") as tx:
            rows = await queries.take_waiting(tx, _BATCH)
            for row in rows:
                for job in (*self._jobs.get(row["name"], ()), *self._jobs.get("*", ())):
                    announced = _announced(row)
                    await enqueue(tx, job, announced.to_payload(), once=f"{job.name}:{announced.event_id}")
            if rows:
                await queries.mark_relayed(tx, rows)
        RELAYED.inc(len(rows))
        await self._tell_live(rows)
        return len(rows)

    async def _tell_live(self, rows: Sequence[Row]) -> None:
        """One message an organization, each path once. Nobody is owed these: a lost one is made up by
        fetching.
        """
        changed: dict[TenantId, dict[str, None]] = {}
        for row in rows:
            if row["changed"]:
                changed.setdefault(row["tenant_id"], {}).update(dict.fromkeys(row["changed"]))
        for tenant_id, paths in changed.items():
            message = msgspec.json.encode({"changed": list(paths)})
            if not await self._bus.publish_quietly(live_channel(tenant_id), message):
                return

    async def _listen(self) -> None:
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                async with self._db.listen(queries.CHANNEL) as notes:
                    self._wake.set()  # what was announced while nobody listened
                    async for _ in notes:
                        self._wake.set()
            await asyncio.sleep(0.5)


def _announced(row: Row) -> Announced:
    return Announced(
        event_id=row["event_id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        version=row["version"],
        occurred_at=row["occurred_at"],
        payload=row["payload"],
    )
