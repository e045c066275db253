"""Contributed handlers: order, isolation, backpressure, signals from other processes, what a stall holds back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from cloud.tests.tunnel.conftest import Client, Registered, running, until
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel import DeviceSide, Hub, Limits, Session, send_to_device, signal_device
from edgeflow_cloud.tunnel.routing import Leases
from edgeflow_protocol import FrameError, frames

HELLO = {"capabilities": ["telemetry"], "boot_id": "b"}


class Recorder:
    """A subsystem that notes what it is given; `gate` holds its handlers."""

    def __init__(self) -> None:
        self.sequences: list[int] = []
        self.faults: list[FrameError] = []
        self.signals: list[bytes] = []
        self.late: list[str] = []
        self.sessions: list[Session] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def telemetry(self, session: Session, frame: frames.Telemetry) -> None:
        await self.gate.wait()
        if frame.sequence == 13:
            raise RuntimeError("an unlucky number")
        self.sequences.append(frame.sequence)
        session.send(frames.Ack(frame="telemetry", boot_id=frame.boot_id, sequence=frame.sequence))

    async def fault(self, session: Session, error: FrameError) -> None:
        self.faults.append(error)

    async def signal(self, session: Session, data: bytes) -> None:
        self.signals.append(data)

    async def response(self, session: Session, frame: frames.Response) -> None:
        self.late.append(frame.id)

    async def update_reported(self, session: Session, payload: dict[str, object]) -> object:
        if payload.get("refuse"):
            raise Conflict("The version is not the current one.")
        if payload.get("break"):
            raise RuntimeError("a bug")
        return {"device": session.wire_id, "tenant": str(session.principal.tenant_id), "payload": payload}

    async def connected(self, session: Session) -> None:
        self.sessions.append(session)

    def side(self) -> DeviceSide:
        return DeviceSide(
            capabilities=["telemetry"],
            frames={frames.Telemetry: self.telemetry, frames.Response: self.response},
            faults={"telemetry": self.fault},
            actions={"update_reported": self.update_reported},
            signals={"shadow": self.signal},
            on_connect=[self.connected],
        )


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


async def test_frames_of_one_kind_keep_their_order_and_a_bug_ends_nothing(
    context: Context, device: Registered, recorder: Recorder
) -> None:
    async with running(context, recorder.side()) as hub, hub.client(device, **HELLO) as client:
        for sequence in range(10, 16):
            await client.send(type="telemetry", boot_id="b", sequence=sequence)
        await until(lambda: 15 in recorder.sequences)
        assert recorder.sequences == [10, 11, 12, 14, 15]
        await client.send(type="telemetry", boot_id="b", sequence=7, samples="none")
        await until(lambda: bool(recorder.faults))
        assert recorder.faults[0].sequence == 7
        session = recorder.sessions[0]
        assert session.has("telemetry") and not session.has("shadow")
        await until(lambda: session.inboxes is None and session.waiting == 0)


async def test_kinds_do_not_wait_for_each_other(
    context: Context, device: Registered, recorder: Recorder
) -> None:
    async with running(context, recorder.side()) as hub, hub.client(device, **HELLO) as client:
        recorder.gate.clear()
        await client.send(type="telemetry", boot_id="b", sequence=1)
        await client.send(type="command", id="c", action="update_reported", payload={"x": 1})
        said = await client.receive()
        assert (said["type"], said["data"]["payload"], said["data"]["device"]) == (
            "response",
            {"x": 1},
            device.wire_id,
        )
        recorder.gate.set()
        assert (await client.receive())["type"] == "ack"


async def test_a_refusal_and_a_bug_are_both_answered(
    context: Context, device: Registered, recorder: Recorder
) -> None:
    async with running(context, recorder.side()) as hub, hub.client(device, **HELLO) as client:
        await client.send(type="command", id="c1", action="update_reported", payload={"refuse": True})
        said = await client.receive()
        assert (said["status"], said["error"]) == ("error", "The version is not the current one.")
        await client.send(type="command", id="c2", action="update_reported", payload={"break": True})
        said = await client.receive()
        assert said["status"] == "error"
        assert "bug" not in said["error"]


async def test_a_device_that_is_faster_than_its_handlers_is_held_back(
    context: Context, device: Registered, recorder: Recorder
) -> None:
    async with running(context, recorder.side()) as hub, hub.client(device, **HELLO) as client:
        recorder.gate.clear()
        filler = "x" * 20_000
        sending = asyncio.create_task(_send_many(client, 200, filler))
        await asyncio.sleep(0.3)
        session = recorder.sessions[0]
        assert session.waiting < 60, "what waits is bounded by the limit and one buffer of the socket"
        recorder.gate.set()
        await sending
        await until(lambda: recorder.sequences == list(range(1, 13)) + list(range(14, 201)))
        assert session.is_open


async def _send_many(client: Client, count: int, filler: str) -> None:
    for sequence in range(1, count + 1):
        await client.send(type="telemetry", boot_id="b", sequence=sequence, ignored=filler)


async def test_a_command_through_the_lane(context: Context, device: Registered, recorder: Recorder) -> None:
    async with running(context, recorder.side()) as hub, hub.client(device) as client:
        await until(lambda: bool(recorder.sessions))
        lane = recorder.sessions[0].lane
        assert lane.room == 1
        asked = asyncio.create_task(lane.request(frames.Command(id="cmd_1", action="health_check"), 5))
        said = await client.receive()
        assert said == {"type": "command", "id": "cmd_1", "action": "health_check"}
        await client.send(type="response", id="cmd_1", status="success", data={"uptime": "TODO"})
        assert (await asked).data == {"uptime": "TODO"}
        await client.send(type="response", id="cmd_0", status="success")
        await until(lambda: recorder.late == ["cmd_0"])
        asked = asyncio.create_task(lane.request(frames.Command(id="cmd_2", action="x"), 5))
        await client.receive()
        await client.socket.send('{"type":"response","id":"cmd_2","status":"success","error":{}}')
        answered = await asked
        assert (answered.status, answered.error.startswith("Malformed answer")) == ("error", True)


async def test_signals_and_frames_from_another_process(
    context: Context, device: Registered, recorder: Recorder, other_bus: Bus
) -> None:
    assert not await signal_device(other_bus, device.device_id, "shadow", b"1")
    async with running(context, recorder.side()) as hub, hub.client(device, **HELLO) as client:
        assert await signal_device(other_bus, device.device_id, "shadow", b"2")
        assert await signal_device(context.bus, device.device_id, "shadow", b"3")
        await until(lambda: sorted(recorder.signals) == [b"2", b"3"])
        desired = frames.ShadowDesired(version=3, desired={"a": 1}, delta={"a": 1})
        assert await send_to_device(other_bus, device.device_id, desired)
        assert (await client.receive())["version"] == 3
        assert not await signal_device(other_bus, DeviceId(ids.new()), "shadow")
    await asyncio.sleep(0.1)
    assert not await signal_device(other_bus, device.device_id, "shadow")


async def test_a_wiped_valkey_knows_everything_again(
    context: Context, device: Registered, recorder: Recorder, other_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow_cloud.tunnel.neighbours.RENEW_SECONDS", 0.2)
    async with running(context, recorder.side()) as hub, hub.client(device, **HELLO):
        key = f"route:{device.device_id}"
        assert await other_bus.get(key)
        await other_bus.delete(key)
        assert not await signal_device(other_bus, device.device_id, "shadow")
        await asyncio.sleep(0.5)
        assert await signal_device(other_bus, device.device_id, "shadow", b"again")
        await until(lambda: recorder.signals == [b"again"])


async def test_a_lease_never_goes_to_an_older_epoch(bus: Bus, device: Registered) -> None:
    old, new = Leases(bus, "old"), Leases(bus, "new")
    assert await old.claim([(device.device_id, 1)]) == {}
    assert await new.claim([(device.device_id, 2)]) == {device.device_id: ("old", 1)}
    assert await old.claim([(device.device_id, 1)]) == {device.device_id: ("new", 2)}
    assert await bus.get(f"route:{device.device_id}") == b"new:2"
    await old.release([(device.device_id, 1)])
    assert await bus.get(f"route:{device.device_id}") == b"new:2"
    await new.release([(device.device_id, 2)])
    assert await bus.get(f"route:{device.device_id}") is None


async def test_a_hub_that_stood_still_writes_nothing_for_a_device_that_moved_on(
    context: Context, device: Registered, recorder: Recorder, other_bus: Bus
) -> None:
    """SIGSTOP hub A, the device goes to B, SIGCONT: what still lay in A's sockets is refused."""
    async with (
        running(context, recorder.side()) as a,
        running(replace(context, bus=other_bus)) as b,
        a.client(device, **HELLO) as stale,
    ):
        deafen(a.hub)  # A hears nothing of the takeover, as if it were stopped
        async with b.client(device, **HELLO):
            assert device.device_id in a.hub.sessions
            a.hub._ticked -= 60.0  # the loop of A stood still for a minute
            await stale.send(type="telemetry", boot_id="b", sequence=1)
            assert await stale.closed() == 4409
            assert recorder.sequences == []
            assert device.device_id not in a.hub.sessions


async def test_a_hub_that_stood_still_goes_on_with_the_devices_that_are_still_its_own(
    context: Context, device: Registered, recorder: Recorder
) -> None:
    async with running(context, recorder.side()) as hub, hub.client(device, **HELLO) as client:
        hub.hub._ticked -= 60.0
        await client.send(type="telemetry", boot_id="b", sequence=1)
        assert (await client.receive())["type"] == "ack"


def deafen(hub: Hub) -> None:
    def deaf(device_id: DeviceId, epoch: int) -> None:
        """Takes no news from other hubs."""

    hub.replace = deaf


async def test_two_subsystems_on_one_frame_are_found_at_the_start(
    context: Context, recorder: Recorder
) -> None:
    with pytest.raises(ValueError, match="Telemetry"):
        Hub(context, [recorder.side(), Recorder().side()])


async def test_a_full_house_says_come_back_later(
    context: Context, device: Registered, register: Callable[[], Awaitable[Registered]]
) -> None:
    async with running(context, limits=Limits(waiting_connects=0)) as hub, hub.client() as client:
        await client.send(
            type="connect", device_id=device.wire_id, api_key=device.key, capabilities=["x"], boot_id="b"
        )
        error, code = await client.refusal()
        assert (code, error["code"]) == (1013, "busy")
        assert error["retry_after"] >= 5
