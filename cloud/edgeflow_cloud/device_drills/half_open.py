"""Peers that vanish without FIN or RST: after three missed heartbeats they are offline, and their sockets free."""

import asyncio
import time
from collections.abc import Sequence

import httpx2

from edgeflow_cloud.drills import Drill, Ground, Layout, Order, Peer, Report, open_stack
from edgeflow_cloud.simulator import FaultProxy
from edgeflow_protocol import frames

_HEARTBEAT = 1.0
_MISSED = 3
_SLACK = 2.5
"""The hub's wheel turns once a second, a close waits two seconds for its answer, a departure is written in a batch."""
_WITNESSES = 5


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Devices behind a network that goes silent, witnesses beside it that keep beating."""
    layout = Layout(0, 0, 0, 1)
    limits = {"heartbeat_seconds": _HEARTBEAT, "heartbeats_missed": _MISSED}
    async with (
        open_stack(ground, layout, report, mutant=order.mutant, limits=limits) as stack,
        stack.owner() as api,
    ):
        node = stack.of("all")[0]
        identities = await stack.enter(order.devices + _WITNESSES)
        near = f"ws://127.0.0.1:{node.port}/tunnel"
        witnesses = [await Peer.enter(near, one) for one in identities[:_WITNESSES]]
        beating = asyncio.create_task(_beat(witnesses))
        async with FaultProxy.open([node.address]) as network:
            idle = node.descriptors()
            far = f"ws://{network.netloc}/tunnel"
            gone = await asyncio.gather(*(Peer.enter(far, one) for one in identities[_WITNESSES:]))
            also = asyncio.create_task(_beat(gone))
            await asyncio.sleep(2 * _HEARTBEAT)
            online = await _online(api)
            report.check(online == len(identities), f"all are online before: {online} of {len(identities)}")
            held = node.descriptors()
            also.cancel()
            network.blackhole = True
            began = time.monotonic()
            report.step("silence: nothing passes, nothing ends")
            online, offline_after, free_after = len(identities), 0.0, 0.0
            most = _MISSED * _HEARTBEAT + _SLACK
            while time.monotonic() - began < most + 3.0 and not free_after:
                await asyncio.sleep(0.1)
                seconds = time.monotonic() - began
                if not offline_after:
                    online = await _online(api)
                    offline_after = seconds if online <= _WITNESSES else 0.0
                elif node.descriptors() <= idle + 2:
                    free_after = seconds
            report.fact("offline after", f"{offline_after:.1f} s")
            report.fact(
                "sockets freed after", f"{free_after:.1f} s, {held} descriptors then {node.descriptors()}"
            )
            report.check(
                0.0 < offline_after <= most,
                f"who vanished is offline within {most:g} s: {online - _WITNESSES} of {order.devices} were not",
            )
            report.check(
                offline_after == 0.0 or offline_after >= (_MISSED - 1) * _HEARTBEAT,
                f"nobody is given up before three heartbeats were missed: {offline_after:.1f} s",
            )
            report.check(free_after > 0.0, f"their sockets are freed: {node.descriptors() - idle} are held")
            counted = await node.count('edgeflow_tunnel_refusals_total{code="no_heartbeat"}')
            report.check(counted == order.devices, f"an operator sees how many fell silent: {counted:.0f}")
            codes = {peer.code for peer in witnesses}
            report.check(codes == {0}, f"who beats stays: close codes {codes}")
        beating.cancel()
        for peer in (*witnesses, *gone):
            peer.end()


async def _beat(peers: Sequence[Peer]) -> None:
    while True:
        for peer in peers:
            peer.say(frames.Ping())
        await asyncio.sleep(_HEARTBEAT / 2)


async def _online(api: httpx2.AsyncClient) -> int:
    return len((await api.get("/devices?status=online&limit=200")).json()["items"])


DRILL = Drill(
    name="half-open",
    question="Are devices that vanish without a word offline after three heartbeats, and their sockets free?",
    run=run,
    mutants={"no-clock": "nobody looks whether a device was heard"},
    seconds=1.0,
    devices=60,
)
