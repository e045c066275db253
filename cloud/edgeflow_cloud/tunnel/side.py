"""What a subsystem contributes to the conversation with devices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.tunnel.session import Session
from edgeflow_protocol import FrameError

FrameHandler = Callable[[Session, Any], Awaitable[None]]
"""`handler(session, frame)`: one frame of the type that it was registered for, in the order of arrival."""

FaultHandler = Callable[[Session, FrameError], Awaitable[None]]
"""`handler(session, error)`: a frame of a registered type has a wrong field; answer it, so that nobody
waits.
"""

ActionHandler = Callable[[Session, dict[str, object]], Awaitable[object]]
"""`handler(session, payload) -> data` of a device's own command; raise a Problem to answer with an error."""

SignalHandler = Callable[[Session, bytes], Awaitable[None]]
"""`handler(session, data)`: what `signal_device` sent from any process to the hub that holds the device."""

ConnectStep = Callable[["Session"], Awaitable[None]]
"""`step(session)`, after `connected` was sent; a new step starts when the one before it is done."""

Concerned = Callable[[Context, Sequence[Session]], Awaitable[Sequence[Session]]]
"""`concerned(context, sessions)`: of those who came in together, whom the connect steps are for."""


@dataclass(frozen=True, kw_only=True)
class DeviceSide:
    """What one subsystem adds to the conversation with devices: it goes into `Subsystem.device`.

    `frames` by the frame's class (`frames.Telemetry`), `faults` by its name (`telemetry`). Frames of one
    class from one device are handled one after the other; different classes do not wait for each other. An
    exception that escapes a handler is logged and ends nothing.

    `on_connect` runs for everybody, or for those whom `concerned` names: a fleet that comes home is asked about in
    one query, and for most devices nothing waits. When that query fails the steps run for all.
    """

    capabilities: Sequence[str] = ()
    frames: Mapping[type, FrameHandler] = field(default_factory=dict[type, FrameHandler])
    faults: Mapping[str, FaultHandler] = field(default_factory=dict[str, FaultHandler])
    actions: Mapping[str, ActionHandler] = field(default_factory=dict[str, ActionHandler])
    signals: Mapping[str, SignalHandler] = field(default_factory=dict[str, SignalHandler])
    on_connect: Sequence[ConnectStep] = ()
    concerned: Concerned | None = None
