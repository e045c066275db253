"""The sweep: ends commands whose time is up, and reminds hubs of queues that they may have missed."""

from datetime import timedelta

from edgeflow_cloud.commands import service
from edgeflow_cloud.commands.execution import LOOK
from edgeflow_cloud.commands.waiting import tell
from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.tunnel import signal_device

BATCH = 500
REMIND_AFTER, REMIND_UNTIL = timedelta(seconds=5), timedelta(minutes=10)
"""A hub that missed a signal is told again; what waits longer waits for a device that is away."""


async def sweep(context: Context, _payload: dict[str, object]) -> None:
    """Expire queued commands, give sent ones up as unknown, remind hubs."""
    now = context.clock.now()
    while True:
        async with context.db.system_tx("commands due") as tx:
            ended = await service.end_due(tx, now, BATCH)
        for command in ended:
            await tell(context.bus, command)
        if len(ended) < BATCH:
            break
    async with context.db.system_tx("commands waiting") as tx:
        waiting = await service.list_waiting_devices(tx, now - REMIND_UNTIL, now - REMIND_AFTER)
    try:
        for device_id in waiting:
            await signal_device(context.bus, device_id, LOOK)
    except BusAway:
        return  # the next run reminds them


SWEEP = Job(name="commands.sweep", handler=sweep, attempts=1, timeout=timedelta(seconds=60))
SCHEDULE = Schedule(name="commands.sweep", job=SWEEP, every=timedelta(seconds=5))
