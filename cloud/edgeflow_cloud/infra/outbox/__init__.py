"""The outbox: facts leave a transaction only if it commits, and then for certain.

Owns: the table `outbox`.
Promises: an event announced in a transaction reaches every reaction at least once (its jobs are enqueued in
the transaction that marks the event as relayed, so once unless a job itself runs twice), usually within 50
ms; events of one transaction keep their order. Live listeners are told after that, at most once: they can
always fetch again.
Does not do: a log for consumers to replay. Reactions are idempotent by `event_id`.
"""

from edgeflow_cloud.infra.outbox.announcing import announce
from edgeflow_cloud.infra.outbox.model import Announced, Reaction, live_channel
from edgeflow_cloud.infra.outbox.relay import Relay

__all__ = ["Announced", "Reaction", "Relay", "announce", "live_channel"]
