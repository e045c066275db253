"""A device in the registry, and a session that keeps what it was sent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from edgeflow_cloud import devices
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry.device import receive_events, receive_logs, receive_telemetry
from edgeflow_cloud.tunnel import Session
from edgeflow_protocol import frames
from edgeflow_protocol.telemetry import Disk, Network, Sample

NOW = datetime.now(UTC).replace(microsecond=0)


def sample(seconds_ago: float = 0, cpu: float | None = 10.0, **more: object) -> Sample:
    """One sample with all that a device can say, unless told otherwise."""
    values: dict[str, object] = {
        "cpu_cores": [cpu or 0.0, 1.5],
        "memory_total_bytes": 8 << 30,
        "memory_percent": 40.0,
        "load_1": 0.5,
        "disks": [Disk(mount="/", total_bytes=64 << 30, used_bytes=10 << 30)],
        "networks": [Network(interface="eth0", rx_bytes=1, tx_bytes=None)],
    } | more
    return Sample(time=NOW - timedelta(seconds=seconds_ago), cpu_percent=cpu, **values)  # type: ignore[arg-type]


def batch(sequence: int, *samples: Sample, boot: str = "b00t") -> frames.Telemetry:
    return frames.Telemetry(boot_id=boot, sequence=sequence, samples=list(samples) or [sample()])


class Peer:
    """Stands for a session of one device; `acks` is what the device would have got."""

    def __init__(self, context: Context, owner: Principal, device_id: DeviceId) -> None:
        self.context, self.tenant_id, self.device_id = context, owner.tenant_id, device_id
        self.acks: list[frames.Ack] = []

    async def send(self, frame: frames.Telemetry | frames.Events | frames.Logs) -> frames.Ack | None:
        before = len(self.acks)
        session = SimpleNamespace(
            context=self.context,
            tenant_id=self.tenant_id,
            device_id=self.device_id,
            epoch=0,  # what a device that never connected has
            send=self.acks.append,
        )
        match frame:
            case frames.Telemetry():
                await receive_telemetry(cast(Session, session), frame)
            case frames.Events():
                await receive_events(cast(Session, session), frame)
            case frames.Logs():
                await receive_logs(cast(Session, session), frame)
        return self.acks[-1] if len(self.acks) > before else None


@pytest.fixture
async def device_id(db: Database, owner: Principal) -> DeviceId:
    async with db.tenant_tx(owner) as tx:
        device, _ = await devices.create_device(tx, owner, name="press 4", notes="", tags=[])
    return device.device_id


@pytest.fixture
def peer(context: Context, owner: Principal, device_id: DeviceId) -> Peer:
    return Peer(context, owner, device_id)


Count = Callable[[], int]


async def stored(db: Database) -> int:
    async with db.system_tx("test") as tx:
        return await tx.fetchval("select count(*) from system_samples")
