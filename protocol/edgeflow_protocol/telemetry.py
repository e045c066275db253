"""One measurement of a device. Units are in the names; a value that the device cannot measure is absent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with any offset and up to nine fractional digits; kept to the microsecond."""


Bytes = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Disk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mounted file system."""

    mount: str
    total_bytes: Bytes | None = None
    used_bytes: Bytes | None = None


class Network(msgspec.Struct, frozen=True, omit_defaults=True):
    """One interface; bytes since the interface came up, so they may fall back to 0."""

    interface: str
    rx_bytes: Bytes | None = None
    tx_bytes: Bytes | None = None


class FlowTotals(msgspec.Struct, frozen=True, omit_defaults=True):
    """The device's flows now, and its executions since the agent started."""

    total: Bytes = 0
    running: Bytes = 0
    stopped: Bytes = 0
    executions_total: Bytes = 0
    executions_failed: Bytes = 0


MAX_CUSTOM = 64
"""Custom values a sample."""
CUSTOM_NAME = r"^[A-Za-z_][A-Za-z0-9_.]{0,63}$"
"""What the name of a custom value looks like: `boiler.pressure_bar`."""
CustomName = Annotated[str, msgspec.Meta(pattern=CUSTOM_NAME)]


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """The device at one moment, by the device's clock."""

    time: AwareTime
    cpu_percent: float | None = None
    cpu_cores: list[float] = []
    memory_total_bytes: Bytes | None = None
    memory_used_bytes: Bytes | None = None
    memory_available_bytes: Bytes | None = None
    memory_percent: float | None = None
    swap_total_bytes: Bytes | None = None
    swap_used_bytes: Bytes | None = None
    temperature_celsius: float | None = None
    uptime_seconds: float | None = None
    load_1: float | None = None
    load_5: float | None = None
    load_15: float | None = None
    disks: list[Disk] = []
    networks: list[Network] = []
    custom: Annotated[dict[CustomName, float], msgspec.Meta(max_length=MAX_CUSTOM)] = {}
    flows: FlowTotals | None = None
