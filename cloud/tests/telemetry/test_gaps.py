"""What follows a batch that was not stored is not stored either, and not acknowledged: `ack` speaks for all before it.

Found by `edgeflow-cloud drill ack` and `drill pg-immediate`: the cursor had moved over the gap.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cloud.tests.telemetry.conftest import Peer, batch, stored
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.telemetry import ingest
from edgeflow_cloud.telemetry.model import make_batch

Write = Callable[..., Awaitable[Any]]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have the next write fail as it does when PostgreSQL goes."""
    write: Write = ingest.Ingest._write
    waiting: list[OSError] = []

    async def once(self: ingest.Ingest, *arguments: Any) -> Any:
        if waiting:
            raise waiting.pop()
        return await write(self, *arguments)

    monkeypatch.setattr(ingest.Ingest, "_write", once)
    return lambda: waiting.append(ConnectionResetError("the server went"))


async def test_nothing_is_stored_or_acknowledged_beyond_a_gap(
    db: Database, peer: Peer, fail: Callable[[], None]
) -> None:
    await peer.send(batch(1))
    fail()
    assert await peer.send(batch(2)) is None
    for sequence in (3, 4):  # they were in flight behind it
        assert await peer.send(batch(sequence)) is None
    assert await stored(db) == 1
    for sequence in (2, 3, 4):  # sent again, in order
        ack = await peer.send(batch(sequence))
        assert ack is not None and ack.sequence == sequence
    assert await stored(db) == 4


async def test_another_run_is_not_held_up(db: Database, peer: Peer, fail: Callable[[], None]) -> None:
    fail()
    assert await peer.send(batch(1)) is None
    assert await peer.send(batch(1, boot="another run")) is not None
    assert await stored(db) == 1


async def test_a_new_connection_begins_anew(
    db: Database, context: Context, peer: Peer, fail: Callable[[], None]
) -> None:
    fail()
    assert await peer.send(batch(5)) is None
    # Meanwhile another hub stored 5: the device, back under a newer epoch, goes on with 6.
    frame = batch(6)
    ready = make_batch(peer.tenant_id, peer.device_id, frame.boot_id, 6, frame.samples, context.clock.now())
    own = ingest.Ingest.of(context)
    own._refuse_beyond_gap(ready, epoch=1)
    assert not own._gaps
