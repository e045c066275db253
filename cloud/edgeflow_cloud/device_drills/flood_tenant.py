"""R10: a noisy organization beside a quiet one on one hub: the quiet one waits at most 1.5 times as long.

Asked as a ratio in the same run: windows without and with the noise in turn, the median of the windows' ratios.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from statistics import median

from edgeflow_cloud.drills import CannotRun, Drill, Ground, Layout, Order, Peer, Report, open_stack
from edgeflow_cloud.simulator import Credentials
from edgeflow_protocol import encode, frames

_QUIET = 4
_EACH = 48.0
"""Frames a second of each noisy device: just below what a device may send."""
_WINDOWS, _WINDOW = 3, 2.0
_REST = 1.0
_MOST = 1.5
_NOISE = "noise@example.com"
_PATIENCE = 20.0
_WINDOW_FRAMES = 8
"""Reports of a device that may wait for their answer: what devices keep, and little enough to be over soon."""


class Noise:
    """A crowd of devices that report all the time, as fast as they are answered: each report is a commit of its own,
    the dearest that a device may ask for."""

    def __init__(self, url: str, identities: Sequence[Credentials]) -> None:
        self._url = url
        self._identities = identities
        self._peers: list[Peer] = []
        self._sequences: dict[int, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stored: dict[int, int] = {}
        self.sent = 0

    async def enter(self) -> None:
        """All are in, and silent."""
        self._peers = [await Peer.enter(self._url, one, "noise") for one in self._identities]
        for number, peer in enumerate(self._peers):
            peer.hear = partial(self._hear, number)
        self._sequences = dict.fromkeys(range(len(self._peers)), 0)
        self._stored = dict.fromkeys(range(len(self._peers)), 0)

    def start(self) -> None:
        """Loud from now on."""
        self._tasks = [asyncio.create_task(self._shout())]

    async def stop(self) -> None:
        """Silent again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        end = time.monotonic() + _PATIENCE
        # What is on its way is noise, too: the calm begins when all of it has come.
        while sum(self._sequences.values()) > sum(self._stored.values()) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def _hear(self, number: int, frame: frames.CloudFrame) -> None:
        if isinstance(frame, frames.ShadowAccepted | frames.Error):
            self._stored[number] += 1

    def end(self) -> list[int]:
        """Cut them; the close codes there were."""
        codes = [peer.code for peer in self._peers]
        for peer in self._peers:
            peer.end()
        return codes

    async def _shout(self) -> None:
        """One pace for all: a timer for each would cost this process more than the cloud."""
        while True:
            for number, peer in enumerate(self._peers):
                if self._sequences[number] - self._stored[number] < _WINDOW_FRAMES:
                    self._sequences[number] += 1
                    peer.say(frames.ShadowReported(id="n", reported={"count": self._sequences[number]}))
                    self.sent += 1
            await asyncio.sleep(1.0 / _EACH)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Quiet and noisy windows in turn."""
    async with open_stack(ground, Layout(1, 1, 0), report, mutant=order.mutant, mutated=["hub"]) as stack:
        await stack.register(_NOISE)
        hub = stack.of("hub")[0]
        url = f"ws://127.0.0.1:{hub.port}/tunnel"
        quiet = [await Peer.enter(url, one) for one in await stack.enter(_QUIET)]
        noise = Noise(url, await stack.enter(order.devices, _NOISE))
        await noise.enter()
        await _window(quiet)  # the first of anything is slow
        ratios: list[float] = []
        for number in range(_WINDOWS):
            calm = await _window(quiet)
            before, began = noise.sent, time.monotonic()
            noise.start()
            await asyncio.sleep(_REST)  # what may come at once has come
            spent = hub.spent()
            loud = await _window(quiet)
            busy = (hub.spent() - spent) / _WINDOW
            rate = (noise.sent - before) / (time.monotonic() - began)
            await noise.stop()
            ratios.append(loud / calm)
            report.step(
                f"window {number + 1}: {calm * 1000:.1f} ms in the calm, {loud * 1000:.1f} ms beside {rate:.0f} frames "
                f"a second: {loud / calm:.2f} times, the hub {busy:.0%} of a core"
            )
            if order.mutant and ratios[0] > 2 * _MOST:
                break
            await asyncio.sleep(_REST)
        found = median(ratios)
        report.fact("ratio", f"{found:.2f}, of {', '.join(f'{one:.2f}' for one in ratios)}")
        report.check(found <= _MOST, f"the quiet wait at most {_MOST:g} times as long: {found:.2f} times")
        codes = {code for code in noise.end() if code}
        report.check(not codes or bool(order.mutant), f"the noisy are held back, not put out: closes {codes}")
        lost = [peer.code for peer in quiet if peer.code]
        report.check(not lost, f"the quiet stay in: closes {lost}")
        for peer in quiet:
            peer.end()


async def _window(quiet: Sequence[Peer]) -> float:
    """The median time, in seconds, from a report of a device to the answer that it is stored."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _WINDOW
    times: list[float] = []

    async def ask(peer: Peer, number: int) -> None:
        while loop.time() < end:
            peer.heard.clear()
            began = loop.time()
            peer.say(encode(frames.ShadowReported(id="q", reported={"at": began, "by": number})))
            if not await peer.until(lambda: bool(peer.heard), _PATIENCE):
                raise CannotRun(f"A quiet device was not answered: close code {peer.code}.")
            times.append(loop.time() - began)
            await asyncio.sleep(0.04)

    await asyncio.gather(*(ask(peer, number) for number, peer in enumerate(quiet)))
    return median(times)


DRILL = Drill(
    name="flood-tenant",
    question="Does an organization whose devices send all they can slow others at most 1.5 times?",
    run=run,
    mutants={"no-share": "an organization may be as loud as it likes"},
    seconds=1.0,
    devices=100,
)
