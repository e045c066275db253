"""Frames: `telemetry`, `events` and `logs` from the device, `ack` back after the commit."""

from collections.abc import Awaitable, Callable

from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.telemetry.ingest import Ingest
from edgeflow_cloud.telemetry.measures import REFUSED
from edgeflow_cloud.telemetry.model import Batch, Refused, make_batch
from edgeflow_cloud.telemetry.reports.model import events_batch, logs_batch
from edgeflow_cloud.tunnel import DeviceSide, Session
from edgeflow_protocol import FrameError, frames

TELEMETRY, EVENTS, LOGS = "telemetry", "events", "logs"


async def receive_telemetry(session: Session, frame: frames.Telemetry) -> None:
    """Store one batch and acknowledge it. Without an acknowledgement the device keeps it and sends it
    again.
    """
    context, now = session.context, session.context.clock.now()
    said = ""
    try:
        batch = make_batch(
            session.tenant_id, session.device_id, frame.boot_id, frame.sequence, frame.samples, now
        )
        ingest = Ingest.of(context)
        if batch.custom:
            said = await ingest.custom.admit(context, batch, now)
        try:
            await ingest.store(context, batch, session.epoch)
        except BaseException:
            ingest.custom.untell(batch)
            raise
    except Refused as refused:
        REFUSED.inc()
        said = str(refused)
    except Unavailable:
        return
    session.send(frames.Ack(frame=TELEMETRY, boot_id=frame.boot_id, sequence=frame.sequence, error=said))


async def receive_events(session: Session, frame: frames.Events) -> None:
    """Store one batch of executions and events, and acknowledge it."""
    batch = events_batch(session.tenant_id, session.device_id, frame, session.context.clock.now())
    await _store(session, batch, EVENTS)


async def receive_logs(session: Session, frame: frames.Logs) -> None:
    """Store one batch of log lines, and acknowledge it."""
    batch = logs_batch(session.tenant_id, session.device_id, frame, session.context.clock.now())
    await _store(session, batch, LOGS)


async def _store(session: Session, batch: Batch, name: str) -> None:
    error = ""
    try:
        await Ingest.of(session.context).store(session.context, batch, session.epoch)
    except Refused as refused:
        REFUSED.inc()
        error = str(refused)
    except Unavailable:
        return
    session.send(frames.Ack(frame=name, boot_id=batch.boot_id, sequence=batch.sequence, error=error))


def _refuse(name: str) -> Callable[[Session, FrameError], Awaitable[None]]:
    async def refuse(session: Session, fault: FrameError) -> None:
        """A batch that cannot be read will never be: say so, so that the device drops it and goes on."""
        REFUSED.inc()
        if fault.boot_id and fault.sequence:
            session.send(
                frames.Ack(frame=name, boot_id=fault.boot_id, sequence=fault.sequence, error=str(fault))
            )
        else:
            session.send(frames.Error(error=str(fault), code=str(fault.fault)))

    return refuse


refuse_telemetry = _refuse(TELEMETRY)

DEVICE_SIDE = DeviceSide(
    capabilities=[TELEMETRY, EVENTS, LOGS],
    frames={frames.Telemetry: receive_telemetry, frames.Events: receive_events, frames.Logs: receive_logs},
    faults={TELEMETRY: refuse_telemetry, EVENTS: _refuse(EVENTS), LOGS: _refuse(LOGS)},
)
