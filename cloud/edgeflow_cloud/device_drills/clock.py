"""Clocks that are wrong: devices ten years off both ways, and the cloud's own, stepped an hour on and back."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx2

from edgeflow_cloud.drills import (
    EMAIL,
    PASSWORD,
    CannotRun,
    Drill,
    Ground,
    Layout,
    Node,
    Order,
    Peer,
    Report,
    Stack,
    open_stack,
)
from edgeflow_cloud.simulator import Credentials
from edgeflow_protocol import frames
from edgeflow_protocol.telemetry import Sample

_YEARS = timedelta(days=3650)
_HOUR = 3600.0
_WAIT = 15.0
_BATCHES = 3


class Astray:
    """A device whose clock is `skew` off; it measures, obeys, and dates all that it says by its own clock."""

    def __init__(self, credentials: Credentials, skew: timedelta) -> None:
        self.credentials = credentials
        self.skew = skew
        self.acknowledged = 0
        self.refused: list[str] = []
        self.obeyed = 0
        self._sequence = 0
        self.peer = Peer(credentials)

    async def enter(self, url: str) -> None:
        """Be let in. Raises CannotRun."""
        self.peer = await Peer.enter(url, self.credentials, "astray")
        self.peer.hear = self._hear

    def measure(self) -> None:
        """One batch of one sample."""
        self._sequence += 1
        sample = Sample(time=datetime.now(UTC) + self.skew, cpu_percent=50.0)
        self.peer.say(frames.Telemetry("astray", self._sequence, [sample]))

    def _hear(self, frame: frames.CloudFrame) -> None:
        match frame:
            case frames.Ack(error=""):
                self.acknowledged = max(self.acknowledged, frame.sequence)
            case frames.Ack():
                self.refused.append(frame.error)
            case frames.Command():
                self.obeyed += 1
                stamp = (datetime.now(UTC) + self.skew).isoformat()
                self.peer.say(frames.Response(id=frame.id, status=frames.SUCCESS, data={}, timestamp=stamp))
            case _:
                pass


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Wrong devices first, then steps of the cloud's clock."""
    async with open_stack(ground, Layout(0, 0, 0, 1), report, mutant=order.mutant) as stack:
        node = stack.of("all")[0]
        identities = await stack.enter(4)
        skews = (_YEARS, -_YEARS, timedelta(0))
        devices = [Astray(one, skew) for one, skew in zip(identities, skews, strict=False)]
        for device in devices:
            await device.enter(f"ws://127.0.0.1:{node.port}/tunnel")
        async with stack.owner() as api:
            await _measure(api, devices, report, "as it is")
            await _obey(api, devices, report, "as it is")
            if not order.mutant:
                await _step(stack, node, api, devices, identities[3], report)
        codes = {device.peer.code for device in devices}
        report.check(codes == {0}, f"no device is put out: close codes {codes}")
        for device in devices:
            device.peer.end()
        for line in stack.failures()[:3]:
            report.check(False, f"no handler fails: {line}")


async def _measure(api: httpx2.AsyncClient, devices: list[Astray], report: Report, when: str) -> None:
    """What is measured now is shown as of now, whatever the device's clock says."""
    asked = [device.acknowledged + _BATCHES for device in devices]
    for _ in range(_BATCHES):
        for device in devices:
            device.measure()
        await asyncio.sleep(0.05)
    for device, wanted in zip(devices, asked, strict=True):
        done = await device.peer.until(
            lambda device=device, wanted=wanted: device.acknowledged >= wanted or bool(device.refused), _WAIT
        )
        far = f"a clock {device.skew.days // 365:+d} years off, the cloud's {when}"
        report.check(done and not device.refused, f"{far}: batches are stored, {device.refused}")
        start = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()  # whose clock is right is believed
        end = (datetime.now(UTC) + _offset(api) + timedelta(minutes=5)).isoformat()
        answer = await api.get(
            f"/devices/{device.credentials.device_id}/metrics",
            params={"metric": "cpu_percent", "from": start, "to": end},
        )
        values = answer.json().get("metrics", {}).get("cpu_percent", [])
        report.check(50.0 in values, f"{far}: what it measured is on the chart of now: {answer.text[:200]}")


async def _obey(api: httpx2.AsyncClient, devices: list[Astray], report: Report, when: str) -> None:
    """Commands are done, and the device counts as online and heard just now."""
    for device in devices:
        path = f"/devices/{device.credentials.device_id}"
        answer = await api.post(f"{path}/commands?wait=10", json={"action": "health_check", "ttl": 60})
        said = answer.json().get("status")
        report.check(said == "done", f"{device.skew} off, the cloud's {when}: a command is done, not {said}")
        found = (await api.get(path)).json()
        report.check(
            found["status"] == "online",
            f"{device.skew} off, the cloud's {when}: online, not {found['status']}",
        )


async def _step(
    stack: Stack,
    node: Node,
    api: httpx2.AsyncClient,
    devices: list[Astray],
    away: Credentials,
    report: Report,
) -> None:
    """An hour on: what was good for less is over, and nothing else. Then back."""
    answer = await api.post(
        f"/devices/{away.device_id}/commands", json={"action": "health_check", "ttl": 600}
    )
    if answer.status_code not in (200, 202):
        raise CannotRun(f"A command was not kept: {answer.status_code} {answer.text[:200]}")
    waiting = answer.json()["id"]
    refresh = (await api.post("/auth/login", json={"email": EMAIL, "password": PASSWORD})).json()
    node.step_clock(_HOUR)
    report.step("the cloud's clock: an hour on")
    old = await api.get("/auth/profile")
    report.check(old.status_code == 401, f"an hour on: a token of minutes is over, {old.status_code}")
    again = await api.post("/auth/refresh", json={"refresh_token": refresh["refresh_token"]})
    report.check(
        again.status_code == 200, f"an hour on: the session lives on, {again.status_code} {again.text[:200]}"
    )
    api.headers["authorization"] = f"Bearer {again.json().get('access_token')}"
    api.headers["x-drill-offset"] = str(_HOUR)
    late = Astray(away, timedelta(0))
    await late.enter(f"ws://127.0.0.1:{node.port}/tunnel")
    ran = await late.peer.until(lambda: late.obeyed > 0, 2.0)
    status = (await api.get(f"/commands/{waiting}")).json()["status"]
    report.check(not ran, f"an hour on: a command that was good for ten minutes does not run: it is {status}")
    late.peer.end()
    await _measure(api, devices, report, "an hour on")
    await _obey(api, devices, report, "an hour on")
    node.step_clock(0.0)
    report.step("the cloud's clock: back")
    api.headers["x-drill-offset"] = "0"
    async with stack.owner() as fresh:
        await _measure(fresh, devices, report, "set back an hour")
        await _obey(fresh, devices, report, "set back an hour")


def _offset(api: httpx2.AsyncClient) -> timedelta:
    return timedelta(seconds=float(api.headers.get("x-drill-offset", "0")))


DRILL = Drill(
    name="clock",
    question="With clocks that are wrong, the devices' by ten years and the cloud's by an hour: does all behave?",
    run=run,
    mutants={"believes-devices": "a device's time is taken as it is said"},
    seconds=1.0,
    devices=4,
)
