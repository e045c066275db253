"""A hub with the shadows' side, and devices in the registry."""

from collections.abc import AsyncIterator

import pytest

from cloud.tests.conftest import device_principal
from cloud.tests.tunnel.conftest import Registered, Running, running
from edgeflow_cloud import devices
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.shadows.device import DEVICE_SIDE


@pytest.fixture
async def hub(context: Context) -> AsyncIterator[Running]:
    async with running(context, DEVICE_SIDE) as hub:
        yield hub


@pytest.fixture
async def device(context: Context, owner: Principal, known: dict[str, Principal]) -> Registered:
    """A device; `client("device")` is its key."""
    async with context.db.tenant_tx(owner) as tx:
        made, key = await devices.create_device(tx, owner, name="a device")
    known["device"] = device_principal(owner, made.device_id)
    return Registered(made.device_id, key)
