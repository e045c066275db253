"""From any process to the hub that holds a device, and leases that say which hub that is.

`route:{device}` in Valkey holds `hub:epoch` for half a minute; the hub renews it every ten seconds, so that
a wiped Valkey knows everything again within that time. A lease never goes to an older epoch. `hub:{id}` is
a hub's channel. A process that runs the hub itself needs no Valkey to reach its own devices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Protocol, cast
from uuid import UUID

import msgspec
from redis.exceptions import RedisError

from edgeflow_cloud.infra.bus import Bus, BusAway
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_protocol import encode, frames

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0
_DEADLINE = 2.0
_CHUNK = 500

# Lua, so that a hub that slept cannot overwrite what a newer connection wrote in between.
_CLAIM = """
local old = {}
for index, key in ipairs(KEYS) do
    local value = redis.call('get', key) or ''
    local epoch = tonumber(string.match(value, ':(%d+)$') or '-1')
    if epoch <= tonumber(ARGV[index + 2]) then
        redis.call('set', key, ARGV[1] .. ':' .. ARGV[index + 2], 'px', ARGV[2])
    end
    old[index] = value
end
return old
"""
_RELEASE = """
for index, key in ipairs(KEYS) do
    if redis.call('get', key) == ARGV[1] .. ':' .. ARGV[index + 1] then redis.call('del', key) end
end
return 1
"""


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """What travels to a hub: a signal for one device. `epoch` only where the signal is about connections."""

    device_id: UUID
    name: str
    data: bytes = b""
    epoch: int = 0


SEND = "tunnel.send"
REPLACED = "tunnel.replaced"
CHECK_KEY = "tunnel.check_key"
"""Signals of the hub itself; those of subsystems have their own names."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Parcel).decode


class LocalHub(Protocol):
    """A hub of this process."""

    def holds(self, device_id: DeviceId) -> bool:
        """Whether it has the device's live session."""
        ...

    def deliver(self, parcel: Parcel) -> None:
        """Take a parcel; never blocks."""
        ...


_hubs: dict[Bus, list[LocalHub]] = {}


def register(bus: Bus, hub: LocalHub) -> None:
    """Called by a hub when it starts."""
    _hubs.setdefault(bus, []).append(hub)


def unregister(bus: Bus, hub: LocalHub) -> None:
    """Called by a hub when it ends."""
    hubs = _hubs.get(bus, [])
    if hub in hubs:
        hubs.remove(hub)
    if not hubs:
        _hubs.pop(bus, None)


def channel(hub_id: str) -> str:
    """A hub's channel on the bus."""
    return f"hub:{hub_id}"


async def signal_device(bus: Bus, device_id: DeviceId, name: str, data: bytes = b"") -> bool:
    """Run the handler that a subsystem gave for signal `name`, in the hub that holds the device, with `data`.

    True: it was handed to that hub, which runs it unless the connection ends before; so it is a hint, and
    what may not be lost is a row. False: the device is not connected. Raises BusAway when Valkey is needed
    and away.
    """
    return await _dispatch(bus, Parcel(device_id, name, data))


async def send_to_device(bus: Bus, device_id: DeviceId, frame: frames.CloudFrame) -> bool:
    """Send one frame to a device, wherever it is connected; answers and raises as `signal_device`.

    Raises FrameError for a frame that is too large. Commands go through the session's `lane` instead.
    """
    return await _dispatch(bus, Parcel(device_id, SEND, encode(frame)))


async def check_key(bus: Bus, device_id: DeviceId, hubs: Sequence[str] = ()) -> bool:
    """Have the device's hub check its key once more, and end the tunnel when it is no longer good.

    Without a lease it is not known which hub that is: then each of `hubs` is asked.
    """
    parcel = Parcel(device_id, CHECK_KEY)
    if await _dispatch(bus, parcel):
        return True
    return any([await bus.publish(channel(hub_id), _pack(parcel)) for hub_id in hubs])


async def _dispatch(bus: Bus, parcel: Parcel) -> bool:
    device_id = DeviceId(parcel.device_id)
    for hub in _hubs.get(bus, ()):
        if hub.holds(device_id):
            hub.deliver(parcel)
            return True
    route = await bus.get(_key(device_id))
    if route is None:
        return False
    hub_id = route.decode().rpartition(":")[0]
    return await bus.publish(channel(hub_id), _pack(parcel)) > 0


async def send_parcel(bus: Bus, hub_id: str, parcel: Parcel) -> None:
    """From hub to hub. Raises BusAway."""
    await bus.publish(channel(hub_id), _pack(parcel))


def read_parcel(data: bytes) -> Parcel | None:
    """A parcel from the bus; None for what is not one."""
    try:
        return _unpack(data)
    except (msgspec.MsgspecError, ValueError):
        return None


class Leases:
    """One hub's leases."""

    def __init__(self, bus: Bus, hub_id: str) -> None:
        self._bus = bus
        self._hub_id = hub_id

    async def claim(self, held: Sequence[tuple[DeviceId, int]]) -> dict[DeviceId, tuple[str, int]]:
        """Lease each (device, epoch). Answers whose lease was another hub's: that hub and its epoch.

        An epoch higher than the one claimed means that the claim is stale and was not granted. Raises
        BusAway.
        """
        others: dict[DeviceId, tuple[str, int]] = {}
        for start in range(0, len(held), _CHUNK):
            part = held[start : start + _CHUNK]
            milliseconds = str(round(LEASE_SECONDS * 1000))
            arguments = [self._hub_id, milliseconds, *(str(epoch) for _, epoch in part)]
            answers = cast("list[bytes]", await self._run(_CLAIM, [_key(d) for d, _ in part], arguments))
            for (device_id, _), value in zip(part, answers, strict=True):
                hub_id, _, epoch = value.decode().rpartition(":")
                if hub_id and hub_id != self._hub_id:
                    others[device_id] = (hub_id, int(epoch))
        return others

    async def mark(self) -> bool:
        """Leave this hub's mark; answers whether the one from before was still there. Raises BusAway."""
        return await self._bus.replace(f"mark:{self._hub_id}", b"1", ttl=LEASE_SECONDS) is not None

    async def release(self, held: Sequence[tuple[DeviceId, int]]) -> None:
        """Give leases back; those that are somebody else's by now stay. Raises BusAway."""
        for start in range(0, len(held), _CHUNK):
            part = held[start : start + _CHUNK]
            arguments = [self._hub_id, *(str(epoch) for _, epoch in part)]
            await self._run(_RELEASE, [_key(d) for d, _ in part], arguments)

    async def _run(self, script: str, keys: list[str], arguments: list[str]) -> object:
        try:
            async with asyncio.timeout(_DEADLINE):
                answer = self._bus.client.eval(script, len(keys), *keys, *arguments)
                return await cast("Awaitable[object]", answer)
        except (RedisError, OSError, TimeoutError) as error:
            raise BusAway("The message bus (Valkey) does not answer.") from error


def _key(device_id: DeviceId) -> str:
    return f"route:{device_id}"
