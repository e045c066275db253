"""Shadows over the tunnel: desired pushed to the device, reported taken from it.

A client with the capability gets `shadow_desired` frames. Any other gets the command `update_desired`, one
at a time and only the newest: a field client then reads its shadow over REST by itself.
"""

from collections.abc import Sequence

import msgspec
import structlog

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid, Problem, TooMany, Unavailable
from edgeflow_cloud.shadows import service
from edgeflow_cloud.shadows.model import Desired, Shadow, render
from edgeflow_cloud.tunnel import DeviceAway, DeviceSide, NoAnswer, Session
from edgeflow_protocol import FrameError, frames
from edgeflow_protocol.actions import Action, DeviceAction
from edgeflow_protocol.limits import MAX_FRAME_BYTES

log = structlog.get_logger("edgeflow.shadows")

CAPABILITY = "shadow"
ANSWER_SECONDS = 50.0
"""A field client reads nothing for 20 s after it connected, and has 30 s to answer."""

_pushing: dict[Session, Desired | None] = {}
"""Sessions that are being told by a command, with what is to be told next."""


async def report(session: Session, frame: frames.ShadowReported) -> None:
    """`shadow_reported`: merged, committed, then `shadow_accepted`; or an `error` with its id."""
    try:
        shadow = await _store(session, frame.reported)
    except Unavailable as problem:
        session.send(frames.Error(id=frame.id, error=problem.detail, code=problem.code, retry_after=2.0))
    except TooMany as problem:
        session.send(
            frames.Error(
                id=frame.id, error=problem.detail, code=problem.code, retry_after=float(problem.retry_after)
            )
        )
    except Problem as problem:
        session.send(frames.Error(id=frame.id, error=problem.detail, code=problem.code))
    else:
        session.send(frames.ShadowAccepted(id=frame.id, version=shadow.version, delta=shadow.delta))


async def refuse_report(session: Session, fault: FrameError) -> None:
    """A `shadow_reported` that cannot be read."""
    session.send(frames.Error(id=fault.id, error=str(fault), code=str(fault.fault)))


async def get_shadow(session: Session, _payload: dict[str, object]) -> object:
    """The device's own command: its whole shadow. Where that is too long for a frame, the times are left
    out."""
    async with session.context.db.tenant_tx(session.principal) as tx:
        shadow = await service.find_shadow(tx, session.principal, session.device_id)
    return _fit(shadow)


async def update_reported(session: Session, payload: dict[str, object]) -> object:
    """The device's own command: merge `reported`, answer the whole shadow."""
    reported = payload.get("reported")
    if not isinstance(reported, dict):
        raise Invalid("update_reported needs `reported`, an object.", code="reported_missing")
    return _fit(await _store(session, msgspec.convert(reported, dict[str, object])))


async def on_desired(session: Session, data: bytes) -> None:
    """People changed what they want."""
    _tell(session, Desired.decode(data))


async def concerned(context: Context, sessions: Sequence[Session]) -> Sequence[Session]:
    """Those whose shadow must be looked at: most have no delta."""
    async with context.db.system_tx("shadows of arrivals") as tx:
        unmet = await service.list_unmet(tx, [(one.tenant_id, one.device_id) for one in sessions])
    return [session for session in sessions if session.device_id in unmet]


async def on_connect(session: Session) -> None:
    """The device is back: it is told what it has not reported yet."""
    async with session.context.db.tenant_tx(session.principal) as tx:
        shadow = await service.find_shadow(tx, session.principal, session.device_id)
    delta = shadow.delta
    if delta:
        _tell(session, Desired(shadow.version, shadow.desired, delta))


DEVICE_SIDE = DeviceSide(
    capabilities=[CAPABILITY],
    frames={frames.ShadowReported: report},
    faults={"shadow_reported": refuse_report},
    actions={
        DeviceAction.GET_SHADOW.value: get_shadow,
        DeviceAction.UPDATE_REPORTED.value: update_reported,
    },
    signals={service.DESIRED: on_desired},
    on_connect=[on_connect],
    concerned=concerned,
)


async def _store(session: Session, reported: dict[str, object]) -> Shadow:
    async with session.transaction() as tx:
        return await service.update_reported(
            tx, session.principal, session.device_id, reported, now=session.context.clock.now()
        )


def _fit(shadow: Shadow) -> dict[str, object]:
    document = render(shadow)
    if len(msgspec.json.encode(document)) > MAX_FRAME_BYTES - 1024:
        document["metadata"] = {"desired": {}, "reported": {}}
    return document


def _tell(session: Session, desired: Desired) -> None:
    if session.has(CAPABILITY):
        session.send(
            frames.ShadowDesired(version=desired.version, desired=desired.desired, delta=desired.delta)
        )
    elif session in _pushing:
        waiting = _pushing[session]
        if waiting is None or waiting.version < desired.version:
            _pushing[session] = desired
    elif desired.delta:
        _pushing[session] = desired
        session.hub.spawn(_command(session))


async def _command(session: Session) -> None:
    """Tell a client without the capability, the newest only, until there is nothing newer to tell."""
    try:
        while session.is_open:
            async with session.lane.turn() as turn:
                desired = _pushing[session]
                if desired is None:
                    return
                _pushing[session] = None
                command = frames.Command(
                    id=ids.encode("shadow", ids.new()),  # never used twice, whatever the version counts
                    action=Action.UPDATE_DESIRED.value,
                    payload={"desired": desired.desired},
                )
                await turn.request(command, ANSWER_SECONDS)
    except (DeviceAway, NoAnswer):
        pass  # it is told again when it connects, and reads its shadow now and then
    except FrameError as error:
        log.warning("shadows.not_told", device=session.wire_id, error=str(error))
    finally:
        _pushing.pop(session, None)
