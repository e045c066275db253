"""Letting devices in: credentials checked and epochs taken for many at once, nothing done for whom there is
no room.

Unknown device, wrong key, malformed id: one query, one answer, in the same time. Nothing is cached: a batch
costs one lookup however many ask, and a cache would keep a revoked key alive.
"""

from __future__ import annotations

import asyncio
import random
from typing import Protocol
from uuid import UUID

import structlog

from edgeflow_cloud import organizations
from edgeflow_cloud.devices import Arrival, authenticate_many, hash_key, presence
from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.sockets import Connection
from edgeflow_cloud.infra.wheel import NOWHERE
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, MalformedId, TenantId
from edgeflow_cloud.tunnel.damping import Damping
from edgeflow_cloud.tunnel.model import (
    BAD_CREDENTIALS,
    REPLACED,
    SUSPENDED,
    Limits,
    Refusal,
    busy,
    clone_suspected,
    too_many_attempts,
    unavailable,
)
from edgeflow_cloud.tunnel.presence import DATABASE_AWAY
from edgeflow_cloud.tunnel.rates import Failures
from edgeflow_cloud.tunnel.session import refuse
from edgeflow_protocol import frames

log = structlog.get_logger("edgeflow.tunnel")

_BATCH = 256
_GATHER = 0.01
"""Seconds that a batch waits for company: a herd then costs a tenth of the questions, one device does not notice."""
_NO_DEVICE = DeviceId(UUID(int=0))
_FAILURE_SECONDS = 6.0
_BUS_SECONDS = 0.3


class Applicant:
    """A connection that is not let in yet. `claim` is set once it has sent `connect`."""

    __slots__ = ("connect", "connection", "device_id", "key_hash", "wheel_slot")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.connect: frames.Connect | None = None
        self.device_id = _NO_DEVICE
        self.key_hash = b""
        self.wheel_slot = NOWHERE

    @property
    def negotiates(self) -> bool:
        """Whether it named capabilities, so that it understands the extensions."""
        return self.connect is not None and bool(self.connect.capabilities)

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and close."""
        refuse(self.connection, refusal, negotiated=self.negotiates)


class Door(Protocol):
    """The hub, as admission needs it."""

    def has_live(self, device_id: DeviceId) -> bool:
        """Whether a session of the device is open on this hub."""
        ...

    async def let_in(self, admitted: list[tuple[Applicant, TenantId, int]]) -> None:
        """Open sessions for those whose credentials are right, with their epochs."""
        ...


class Admission:
    """One task that takes what waits, batch after batch."""

    def __init__(
        self,
        context: Context,
        door: Door,
        damping: Damping,
        limits: Limits,
        hub_id: str,
    ) -> None:
        self._context = context
        self._door = door
        self._damping = damping
        self._limits = limits
        self._hub_id = hub_id
        self._failures = Failures(limits.failures_burst, _FAILURE_SECONDS)
        self._waiting: list[Applicant] = []
        self._wake = asyncio.Event()

    def ask(self, applicant: Applicant, connect: frames.Connect) -> None:
        """Take an applicant's `connect`. Refused at once when too many wait already."""
        applicant.connect = connect
        if len(self._waiting) >= self._limits.waiting_connects:
            applicant.refuse(busy(_spread(5, 30)))
            return
        wait = self._failures.wait((applicant.connection.address, connect.device_id), _now())
        if wait > 0.0:
            applicant.refuse(too_many_attempts(wait))
            return
        try:
            applicant.device_id = DeviceId(ids.decode(ids.DEVICE, connect.device_id))
        except MalformedId:
            applicant.device_id = _NO_DEVICE  # it takes the same way, and the same time, as an unknown one
        applicant.key_hash = hash_key(connect.api_key)
        self._waiting.append(applicant)
        self._wake.set()

    async def run(self) -> None:
        """Let in, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await asyncio.sleep(_GATHER)
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                try:
                    await self._admit([one for one in batch if one.connection.is_open])
                except DATABASE_AWAY as error:
                    log.warning("tunnel.admission_failed", waiting=len(batch), error=str(error))
                    for applicant in batch:
                        applicant.refuse(unavailable(_spread(2, 10)))

    async def _admit(self, batch: list[Applicant]) -> None:
        known = await self._check(batch)
        if not known:
            return
        newest: dict[DeviceId, tuple[Applicant, TenantId]] = {}
        for applicant, tenant_id in known:
            earlier = newest.pop(applicant.device_id, None)
            if earlier is not None:
                earlier[0].refuse(REPLACED)
            newest[applicant.device_id] = (applicant, tenant_id)
        await self._refuse_damped(newest)
        if not newest:
            return
        arrivals = [
            Arrival(
                tenant_id,
                device_id,
                applicant.connect.version[:64] if applicant.connect and applicant.connect.version else None,
                applicant.negotiates,
            )
            for device_id, (applicant, tenant_id) in newest.items()
        ]
        async with self._context.db.system_tx("tunnel arrivals") as tx:
            epochs = await presence.connect_many(tx, arrivals, self._hub_id, self._context.clock.now())
        admitted: list[tuple[Applicant, TenantId, int]] = []
        for device_id, (applicant, tenant_id) in newest.items():
            if device_id in epochs:
                admitted.append((applicant, tenant_id, epochs[device_id]))
            else:
                applicant.refuse(BAD_CREDENTIALS)  # it was removed between the two steps
        await self._door.let_in(admitted)

    async def _check(self, batch: list[Applicant]) -> list[tuple[Applicant, TenantId]]:
        """Those whose key is right; the others are refused and their failure is counted."""
        if not batch:
            return []
        claims = list({(one.device_id, one.key_hash) for one in batch})
        # One device may be claimed with several keys in one batch, so the right pairs are asked for, not
        # the devices.
        right: dict[tuple[DeviceId, bytes], TenantId] = {}
        async with self._context.db.lookup() as tx:
            for group in _by_device(claims):
                tenants = await authenticate_many(tx, group)
                right |= {claim: tenants[claim[0]] for claim in group if claim[0] in tenants}
            closed = await organizations.closed_among(tx, set(right.values()))
        known: list[tuple[Applicant, TenantId]] = []
        for applicant in batch:
            tenant_id = right.get((applicant.device_id, applicant.key_hash))
            if tenant_id in closed:
                applicant.refuse(SUSPENDED)  # the key is right, so this is no failed attempt
                continue
            if tenant_id is not None:
                known.append((applicant, tenant_id))
                continue
            if applicant.connect is not None:
                self._failures.count((applicant.connection.address, applicant.connect.device_id), _now())
            applicant.refuse(BAD_CREDENTIALS)
        return known

    async def _refuse_damped(self, newest: dict[DeviceId, tuple[Applicant, TenantId]]) -> None:
        """While two boxes fight over a device, the one that is in stays in."""
        elsewhere = await self._damped_elsewhere(list(newest))
        for device_id in list(newest):
            wait = 0.0
            if self._door.has_live(device_id):
                wait = self._damping.wait(device_id, _now())
            elif device_id in elsewhere:
                wait = self._limits.damping_seconds
            if wait > 0.0:
                applicant, _ = newest.pop(device_id)
                applicant.refuse(clone_suspected(wait))

    async def _damped_elsewhere(self, devices: list[DeviceId]) -> set[DeviceId]:
        """Those that another hub holds and protects."""
        keys = [f"{kind}:{device_id}" for device_id in devices for kind in ("damped", "route")]
        try:
            async with asyncio.timeout(_BUS_SECONDS):  # a Valkey that hangs must not hold up those who come
                values = await self._context.bus.get_many(*keys)
        except (BusAway, TimeoutError):
            return set()
        return {
            device_id
            for device_id, damped, route in zip(devices, values[::2], values[1::2], strict=True)
            if damped and route and not route.startswith(self._hub_id.encode() + b":")
        }


def _by_device(claims: list[tuple[DeviceId, bytes]]) -> list[list[tuple[DeviceId, bytes]]]:
    """The claims in groups, each device at most once in a group: nearly always it is one group."""
    groups: list[list[tuple[DeviceId, bytes]]] = []
    taken: dict[DeviceId, int] = {}
    for claim in claims:
        index = taken.get(claim[0], 0)
        taken[claim[0]] = index + 1
        if index == len(groups):
            groups.append([])
        groups[index].append(claim)
    return groups


def _now() -> float:
    return asyncio.get_running_loop().time()


def _spread(least: float, most: float) -> float:
    """Somewhere between: those that are sent away together do not come back together."""
    return random.uniform(least, most)  # noqa: S311 - spreads load, keeps no secret
