"""The people of cloud/tests/auth and the devices of cloud/tests/telemetry, for archives."""

from cloud.tests.auth.conftest import clock, house, sql
from cloud.tests.telemetry.conftest import device_id, peer

__all__ = ["clock", "device_id", "house", "peer", "sql"]
