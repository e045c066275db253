"""The way in: a socket has ten seconds to say who it is; whoever is admitted gets a session, and is greeted."""

from __future__ import annotations

import secrets
from typing import Protocol

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.sockets import Connection
from edgeflow_cloud.infra.wheel import Wheel
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.tunnel.admission import Admission, Applicant
from edgeflow_cloud.tunnel.damping import Damping
from edgeflow_cloud.tunnel.fairness import Fairness
from edgeflow_cloud.tunnel.model import (
    AUTHENTICATION_TIMEOUT,
    NOT_CONNECTED,
    RESTART,
    Limits,
    Refusal,
    busy,
)
from edgeflow_cloud.tunnel.session import Home, Session, refuse
from edgeflow_protocol import FrameError, clock, decode_from_device, frames
from edgeflow_protocol.capabilities import negotiate
from edgeflow_protocol.closing import CloseCode
from edgeflow_protocol.errors import Fault

_SPREAD_BUSY = 10.0


class House(Home, Protocol):
    """The hub, as the entrance needs it."""

    damping: Damping
    fairness: Fairness
    hub_id: str
    limits: Limits

    def now(self) -> float:
        """The event loop's seconds."""
        ...

    def has_live(self, device_id: DeviceId) -> bool:
        """Whether a session of the device is open here."""
        ...

    def seat(self, session: Session) -> bool:
        """Take the session in, in place of an older one. False: nobody is taken in any more."""
        ...

    def welcome(self, sessions: list[Session]) -> None:
        """These are in, and were greeted."""
        ...


class Entrance:
    """Applicants of one hub. `wheel` is the hub's: an applicant in it has not said who it is."""

    def __init__(self, hub: House, capabilities: tuple[str, ...]) -> None:
        self._hub = hub
        self._capabilities = capabilities
        self._admission = Admission(hub.context, self, hub.damping, hub.limits, hub.hub_id)
        self._applicants = 0
        self._wheel: Wheel[Session | Applicant] | None = None
        self.run = self._admission.run

    @property
    def context(self) -> Context:
        """The parts of this process."""
        return self._hub.context

    def begin(self, wheel: Wheel[Session | Applicant]) -> None:
        """From now on, with nobody waiting."""
        self._wheel = wheel
        self._applicants = 0

    def opened(self, connection: Connection, accepting: bool) -> None:
        """A handshake is complete: it has ten seconds to say who it is."""
        applicant = Applicant(connection)
        connection.owner = applicant
        limits = self._hub.limits
        if not accepting or self._wheel is None:
            refuse(connection, RESTART, negotiated=False)
        elif self._applicants >= limits.unauthenticated:
            refuse(connection, busy(_SPREAD_BUSY), negotiated=False)
        else:
            self._applicants += 1
            self._wheel.put(applicant, self._hub.now() + limits.authentication_seconds)

    def introduced(self, applicant: Applicant, message: bytes) -> None:
        """The first message: it must be `connect`, and nothing may follow before the answer."""
        if self._wheel is None or applicant.connect is not None or applicant.wheel_slot < 0:
            applicant.refuse(NOT_CONNECTED)
            return
        self.gone(applicant)
        try:
            frame = decode_from_device(message)
        except FrameError as error:
            code = CloseCode.TOO_LARGE if error.fault is Fault.TOO_LARGE else CloseCode.POLICY
            applicant.refuse(Refusal(code, error.fault, str(error)))
            return
        if isinstance(frame, frames.Connect):
            self._admission.ask(applicant, frame)
        else:
            applicant.refuse(NOT_CONNECTED)

    def gone(self, applicant: Applicant) -> None:
        """It has said who it is, or its socket is gone: it is waited for no more."""
        if self._wheel is not None and applicant.wheel_slot >= 0:
            self._applicants -= 1
            self._wheel.drop(applicant)

    def expired(self, applicant: Applicant) -> None:
        """The wheel has let go of it: its time is up."""
        self._applicants -= 1
        applicant.refuse(AUTHENTICATION_TIMEOUT)

    # --- Door: called by the admission

    def has_live(self, device_id: DeviceId) -> bool:
        """Whether a session of the device is open here."""
        return self._hub.has_live(device_id)

    async def let_in(self, admitted: list[tuple[Applicant, TenantId, int]]) -> None:
        """Open sessions under their new epochs; whoever was in before is told and closed, on every hub."""
        opened: list[Session] = []
        for applicant, tenant_id, epoch in admitted:
            session = self._open(applicant, tenant_id, epoch)
            if session is not None and self._hub.seat(session):
                opened.append(session)
                self._greet(session)
        self._hub.welcome(opened)

    def _open(self, applicant: Applicant, tenant_id: TenantId, epoch: int) -> Session | None:
        connect = applicant.connect
        if connect is None:
            return None
        return Session(
            self._hub,
            applicant.connection,
            tenant_id=tenant_id,
            device_id=applicant.device_id,
            epoch=epoch,
            session_id=secrets.token_hex(8),
            key_hash=applicant.key_hash,
            capabilities=tuple(negotiate(connect.capabilities, self._capabilities)),
            negotiated=applicant.negotiates,
            version=connect.version[:64],
            boot_id=connect.boot_id[:64],
            now=self._hub.now(),
        )

    def _greet(self, session: Session) -> None:
        if session.capabilities is None:
            session.send(frames.Connected())
            return
        session.send(
            frames.Connected(
                session_id=session.session_id,
                epoch=session.epoch,
                heartbeat_interval=self._hub.limits.heartbeat_seconds,
                server_time=clock.format_time(self._hub.context.clock.now()),
                capabilities=list(session.capabilities),
            )
        )
