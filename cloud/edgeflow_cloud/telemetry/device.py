"""Frames: `telemetry` from the device, `ack` back after the commit."""

from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.telemetry.ingest import Ingest
from edgeflow_cloud.telemetry.measures import REFUSED
from edgeflow_cloud.telemetry.model import Refused, make_batch
from edgeflow_cloud.tunnel import DeviceSide, Session
from edgeflow_protocol import FrameError, frames

CAPABILITY = "telemetry"


async def receive_telemetry(session: Session, frame: frames.Telemetry) -> None:
    """Store one batch and acknowledge it. Without an acknowledgement the device keeps it and sends it
    again.
    """
    context = session.context
    error = ""
    try:
        batch = make_batch(
            session.tenant_id,
            session.device_id,
            frame.boot_id,
            frame.sequence,
            frame.samples,
            context.clock.now(),
        )
        await Ingest.of(context).store(context, batch, session.epoch)
    except Refused as refused:
        REFUSED.inc()
        error = str(refused)
    except Unavailable:
        return
    session.send(frames.Ack(frame=CAPABILITY, boot_id=frame.boot_id, sequence=frame.sequence, error=error))


async def refuse_telemetry(session: Session, fault: FrameError) -> None:
    """A batch that cannot be read will never be: say so, so that the device drops it and goes on."""
    REFUSED.inc()
    if fault.boot_id and fault.sequence:
        session.send(
            frames.Ack(frame=CAPABILITY, boot_id=fault.boot_id, sequence=fault.sequence, error=str(fault))
        )
    else:
        session.send(frames.Error(error=str(fault), code=str(fault.fault)))


DEVICE_SIDE = DeviceSide(
    capabilities=[CAPABILITY],
    frames={frames.Telemetry: receive_telemetry},
    faults={CAPABILITY: refuse_telemetry},
)
