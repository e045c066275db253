"""The bus: Valkey, for what may be lost. Messages between processes, leases, tickets, caches.

Owns: one client and one subscription connection a process.
Promises: every call ends within the deadline (2 s by default) or raises `BusAway`, which is a 503 that says
so; subscriptions rejoin by themselves when Valkey is back and say when they may have missed something.
Does not do: keep anything. What may not be lost is a row in PostgreSQL.

Channels: `live:{tenant_id}` what people should fetch again; `samples:{tenant_id}:{device_id}` live samples.
"""

from edgeflow_cloud.infra.bus.client import Bus, BusAway
from edgeflow_cloud.infra.bus.subscription import Message, Subscription

__all__ = ["Bus", "BusAway", "Message", "Subscription"]
