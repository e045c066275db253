"""Many devices in one process: made from identities, started at a pace, watched, ended in order."""

from __future__ import annotations

import asyncio
import resource
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

import httpx2

from edgeflow_cloud.simulator.agent import AgentDevice
from edgeflow_cloud.simulator.credentials import Credentials
from edgeflow_cloud.simulator.faults import Ailments, Faults
from edgeflow_cloud.simulator.field import FieldDevice
from edgeflow_cloud.simulator.machine import Device
from edgeflow_cloud.simulator.pace import Pace
from edgeflow_cloud.simulator.plant import PlantDevice
from edgeflow_cloud.simulator.surroundings import Load, Surroundings, Watch
from edgeflow_cloud.simulator.tally import Tally

PROFILES: dict[str, type[Device]] = {kind.profile: kind for kind in (AgentDevice, PlantDevice, FieldDevice)}
_SPARE_DESCRIPTORS = 128


class TooManyDevices(Exception):
    """This process may not open so many sockets; the text says what to do."""


class BadProfile(ValueError):
    """A profile that is not known; the text says which are."""


def read_profile(text: str) -> dict[str, float]:
    """`agent`, `plant`, `field`, or shares: `agent=0.9,field=0.1`. Raises BadProfile."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.strip().partition("=")
        try:
            shares[name] = float(share or 1.0)
        except ValueError:
            shares[name] = -1.0
        if name not in PROFILES or shares[name] < 0:
            names = " or ".join(PROFILES)
            raise BadProfile(f"--profile takes {names}, or shares like agent=0.9,field=0.1; not {text!r}.")
    if not sum(shares.values()):
        raise BadProfile("--profile gives no device a share.")
    return shares


class Fleet:
    """`async with open_fleet(…) as fleet: await fleet.start(…)`. `tally` counts, `devices` are all there are."""

    def __init__(self, around: Surroundings, devices: Sequence[Device]) -> None:
        self.around = around
        self.devices = list(devices)
        around.tally.devices = len(self.devices)

    @property
    def tally(self) -> Tally:
        """The counters."""
        return self.around.tally

    @property
    def agents(self) -> list[AgentDevice]:
        """Those of profile `agent`."""
        return [device for device in self.devices if isinstance(device, AgentDevice)]

    @property
    def unacknowledged(self) -> int:
        """Batches that wait for an acknowledgement, over all devices."""
        return sum(device.unacknowledged for device in self.agents)

    async def start(self, per_second: float = 500.0) -> None:
        """Switch devices on, so many a second; returns when the last one was."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, device in enumerate(self.devices):
            if number % 16 == 0:
                await asyncio.sleep(max(0.0, began + number / per_second - loop.time()))
            device.start()

    async def until_in(self, count: int | None = None, *, within: float) -> bool:
        """Whether `count` devices (all) were in at one moment within so many seconds."""
        wanted = len(self.devices) if count is None else count
        return await self.until(lambda: self.tally.connected >= wanted, within=within)

    async def until(self, so: Callable[[], bool], *, within: float) -> bool:
        """Whether `so` came true within so many seconds; asked 50 times a second."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while not so():
            if loop.time() > end:
                return False
            await asyncio.sleep(0.02)
        return True

    async def settle(self, within: float) -> bool:
        """Make no more samples, and wait until all that were made are acknowledged; False: some are not."""
        for device in self.agents:
            device.quiet()
        return await self.until(lambda: self.unacknowledged == 0, within=within)

    async def stop(self) -> None:
        """A graceful end of every device, at most three seconds."""
        for device in self.devices:
            device.stop()
        await self.until(lambda: all(device.line is None for device in self.devices), within=3.0)
        for device in self.devices:
            device.kill()
        for task in list(self.around.tasks):
            task.cancel()
        await asyncio.gather(*self.around.tasks, return_exceptions=True)


@asynccontextmanager
async def open_fleet(
    identities: Sequence[Credentials],
    *,
    tunnel: str,
    rest: str,
    profile: str = "agent",
    faults: Faults | None = None,
    load: Load | None = None,
    pace: Pace | None = None,
    watch: Watch | None = None,
    seed: int | None = None,
    verify: bool = True,
) -> AsyncGenerator[Fleet]:
    """A fleet of these devices, not started yet; stopped at the end of the block.

    `tunnel` is ws(s)://host:port/tunnel, `rest` http(s)://host:port. `seed` fixes all dice. `verify` False believes
    any certificate. Raises TooManyDevices, BadProfile.
    """
    shares = read_profile(profile)
    _allow(len(identities) + _SPARE_DESCRIPTORS)
    dice = Random(seed)  # noqa: S311 - chance, not a secret
    tls = None
    if tunnel.startswith("wss:"):
        tls = ssl.create_default_context()
        if not verify:
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=16)
    async with httpx2.AsyncClient(
        base_url=f"{rest}/api/v1", trust_env=False, verify=verify, limits=limits
    ) as http:
        around = Surroundings(
            tunnel,
            rest,
            http,
            tls,
            pace or Pace(),
            load or Load(),
            Tally(),
            watch or Watch(),
        )
        kinds = dice.choices([PROFILES[name] for name in shares], list(shares.values()), k=len(identities))
        fleet = Fleet(
            around,
            [
                kind(around, identity, Ailments.draw(faults or Faults(), dice), Random(dice.getrandbits(64)))  # noqa: S311
                for kind, identity in zip(kinds, identities, strict=True)
            ],
        )
        try:
            yield fleet
        finally:
            await fleet.stop()


def _allow(descriptors: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors <= hard or (soft < descriptors and hard == resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
    elif descriptors > soft:
        raise TooManyDevices(
            f"This process may open {hard:,} files, so at most {hard - _SPARE_DESCRIPTORS:,} devices. Raise the limit "
            "(`ulimit -n`), or split the fleet over two processes with two --credentials files."
        )
