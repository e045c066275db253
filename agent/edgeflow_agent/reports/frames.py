"""The two frames of reports. Entries go over as they lie in the spool; the cloud reads them by their kind."""

from __future__ import annotations

from edgeflow_protocol.frames import Frame

EVENTS = "events"
LOGS = "logs"


class EventsFrame(Frame, frozen=True, tag=EVENTS):
    """Negotiated `events`: one batch, answered by an `ack` of this frame."""

    boot_id: str
    sequence: int
    events: list[dict[str, object]]


class LogsFrame(Frame, frozen=True, tag=LOGS):
    """Negotiated `logs`: one batch, answered by an `ack` of this frame."""

    boot_id: str
    sequence: int
    lines: list[dict[str, object]]
