"""One run of `edgeflow-cloud simulate`: identities, a fleet, progress, a summary."""

import asyncio
import json
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import httpx2
import typer
import uvloop
from rich.console import Console

from edgeflow_cloud.simulator import (
    BadFault,
    BadProfile,
    Credentials,
    Faults,
    Fleet,
    Load,
    ProvisioningFailed,
    TooManyDevices,
    load,
    obtain,
    open_api,
    open_fleet,
    save,
)

__all__ = ["CannotRun", "Order", "run_simulation"]

CannotRun = (ProvisioningFailed, TooManyDevices, BadProfile, BadFault)
"""What a person is told in a sentence, with exit code 2."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    devices: int
    rest: str
    tunnel: str
    email: str
    password: str
    codes: list[str]
    credentials: Path | None
    profile: str
    faults: list[str]
    seconds: float | None
    rate: float
    batch: int
    ramp: float
    seed: int | None
    as_json: bool
    verify: bool


def run_simulation(order: Order) -> bool:
    """In an event loop of its own; whether all went well. Raises what CannotRun lists."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(order))


async def _run(order: Order) -> bool:
    faults = Faults.parse(order.faults)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    console = Console(stderr=True, highlight=False)
    async with AsyncExitStack() as opened:
        identities = await _identities(order, console)
        fleet = await opened.enter_async_context(
            open_fleet(
                identities,
                tunnel=order.tunnel,
                rest=order.rest,
                profile=order.profile,
                faults=faults,
                load=Load(order.rate, order.batch),
                seed=order.seed,
                verify=order.verify,
            )
        )
        began = monotonic()
        progress = asyncio.create_task(_progress(fleet, console, began))
        start = asyncio.create_task(fleet.start(order.ramp))
        try:
            await _until(stopping, order.seconds)
            start.cancel()
            settled = await fleet.settle(10.0)
        finally:
            progress.cancel()
        tally = fleet.tally
        healthy = tally.ever_in == tally.devices and not tally.samples_refused and not tally.violations
        _say(order, fleet, monotonic() - began)
    return healthy and (settled or bool(faults.crash or faults.stall or faults.loss))


async def _identities(order: Order, console: Console) -> Sequence[Credentials]:
    if order.credentials is not None and order.credentials.exists():
        found = load(order.credentials)
        if len(found) < order.devices:
            raise ProvisioningFailed(
                f"{order.credentials} holds {len(found)} devices, {order.devices} are asked for. "
                "Ask for fewer, or name a new file."
            )
        return found[: order.devices]
    shown = _Line(console)

    def progress(done: int) -> None:
        if done % max(50, order.devices // 10) == 0 or done == order.devices:
            shown.say(f"{done:,} of {order.devices:,} devices provisioned")

    if order.codes:
        async with httpx2.AsyncClient(
            base_url=f"{order.rest}/api/v1", trust_env=False, verify=order.verify
        ) as api:
            found = await obtain(api, len(order.codes), codes=order.codes, progress=progress)
    else:
        async with open_api(order.rest, order.email, order.password, verify=order.verify) as api:
            found = await obtain(api, order.devices, progress=progress)
    shown.end()
    if order.credentials is not None:
        save(order.credentials, found)
    return found


async def _until(stopping: asyncio.Event, seconds: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def _progress(fleet: Fleet, console: Console, began: float) -> None:
    shown = _Line(console)
    try:
        while True:
            await asyncio.sleep(1.0 if console.is_terminal else 10.0)
            shown.say(f"{monotonic() - began:5.0f} s  {fleet.tally.line()}")
    finally:
        shown.end()


def _say(order: Order, fleet: Fleet, seconds: float) -> None:
    if order.as_json:
        document = {"seconds": round(seconds, 2), **fleet.tally.document()}
        typer.echo(json.dumps(document))
        return
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"[bold]{fleet.tally.devices:,} simulated devices, {seconds:,.0f} s[/bold]")
    for name, value in fleet.tally.rows():
        out.print(f"  {name:<20}{value}")


class _Line:
    """A line that is written over on a terminal, and repeated elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = False

    def say(self, text: str) -> None:
        self._said = True
        if self._console.is_terminal:
            self._console.print(f"\r{text}\033[K", end="", soft_wrap=True)
        else:
            self._console.print(text, soft_wrap=True)

    def end(self) -> None:
        if self._said and self._console.is_terminal:
            self._console.print()
        self._said = False
