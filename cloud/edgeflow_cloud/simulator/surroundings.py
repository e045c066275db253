"""What the devices of a fleet share: where the cloud is, how they hurry, what they send, who counts and who watches."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx2

from edgeflow_cloud.simulator.pace import Pace
from edgeflow_cloud.simulator.tally import Tally


class Watch:
    """Told what devices do, as it happens; a drill overrides what it keeps a ledger of. Must return at once."""

    def attempted(self, device_id: str) -> None:
        """It dials."""

    def came(self, device_id: str, seconds: float) -> None:
        """It is in, `seconds` after it dialled."""

    def went(self, device_id: str, code: int) -> None:
        """It was in and is out; `code` is the close code, 1006 for none."""

    def drained(self, device_id: str, within: float) -> None:
        """It was asked to reconnect within so many seconds."""

    def made(self, device_id: str, boot_id: str, sequence: int, times: Sequence[datetime]) -> None:
        """A batch was made, and may be sent any time from now."""

    def acknowledged(self, device_id: str, boot_id: str, sequence: int, refusal: str) -> None:
        """The device may forget this batch: it is stored or, with a `refusal`, never will be."""

    def ran(self, device_id: str, command_id: str, action: str) -> None:
        """It did what a command asks."""

    def beat(self, device_id: str, seconds: float) -> None:
        """Its ping was answered."""


@dataclass(frozen=True, slots=True)
class Load:
    """What an agent sends: `rate` samples a second in frames of `batch`; 0 sends none."""

    rate: float = 0.1
    batch: int = 10


@dataclass(slots=True)
class Surroundings:
    """What the devices of a fleet share. `tunnel` is a ws(s) URL, `rest` an http(s) base without /api/v1."""

    tunnel: str
    rest: str
    http: httpx2.AsyncClient
    tls: ssl.SSLContext | None = None
    pace: Pace = field(default_factory=Pace)
    load: Load = field(default_factory=Load)
    tally: Tally = field(default_factory=Tally)
    watch: Watch = field(default_factory=Watch)
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run it beside everything else; it must not raise."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
