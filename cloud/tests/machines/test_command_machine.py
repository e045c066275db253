"""R2 as a state machine: the real service and hub on PostgreSQL, a device with every kind of accident, time that jumps.

Frames are dropped (never done, never answered), doubled, answered out of order, late, by a made-up id; connections are
lost and taken over; hubs, workers and APIs are killed between any two steps. Promised is what `check` and `end` say.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cloud.tests.machines.world import (
    MANY,
    PICKS,
    Killed,
    Socket,
    World,
    broken_promise,
    machine_settings,
)
from edgeflow_cloud.commands import DeviceOffline, Order, cancel_command, queries, run_command, service
from edgeflow_cloud.commands.device import DEVICE_SIDE
from edgeflow_cloud.commands.jobs import sweep
from edgeflow_cloud.commands.model import FINAL, CommandStatus, NotQueued
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import CommandId, DeviceId, TenantId


@dataclass
class Row:
    """A command as PostgreSQL has it."""

    status: CommandStatus
    result: object
    error: str | None
    finished_at: object


class CommandsMachine(RuleBasedStateMachine):
    """Orders, a device, accidents. `negotiates`: the device keeps a journal by command id."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.owner, self.device_id, self.key = self.world.make_device()
        self.socket: Socket | None = None
        self.seen = 0
        self.inbox: list[str] = []
        self.received: list[str] = []
        self.done: Counter[str] = Counter()
        self.answered: dict[str, set[str]] = {}
        self.journal: set[str] = set()
        self.known: dict[str, Row] = {}
        self.keys: list[str] = []
        self.steps = 0

    @initialize(negotiates=st.booleans())
    def begin(self, negotiates: bool) -> None:
        self.negotiates = negotiates
        if self.world.hub is None:
            self.world.start_hub()
        self.connect(take_over=False)

    # --- people

    @rule(ttl=st.sampled_from([None, None, 5.0, 60.0]), timeout=st.sampled_from([1.0, 8.0]))
    def order(self, ttl: float | None, timeout: float) -> None:
        self._order(Order(device_id=self.device_id, action="work", payload={}, timeout=timeout, ttl=ttl))

    @rule(again=st.booleans(), ttl=st.sampled_from([None, 60.0]))
    def order_by_key(self, again: bool, ttl: float | None) -> None:
        """The same idempotency key again is the same command, also after a kill in between."""
        if not (again and self.keys):
            self.keys.append(str(ids.new()))
        order = Order(
            device_id=self.device_id,
            action="keyed",
            payload={},
            timeout=8,
            ttl=ttl,
            idempotency_key=self.keys[-1],
        )
        self._order(order)

    @rule(ttl=st.sampled_from([None, 60.0]))
    def order_and_die(self, ttl: float | None) -> None:
        """The API is killed after its commit, before anybody heard of the command."""
        order = Order(device_id=self.device_id, action="orphan", payload={}, timeout=8, ttl=ttl)

        async def store() -> None:
            context = self.world.context
            async with context.db.tenant_tx(self.owner) as tx:
                await service.create_command(tx, self.owner, order, now=context.clock.now())

        try:
            self.world.run(store())
        except DeviceOffline:
            assert ttl is None

    @rule(count=st.integers(3, 5))
    def return_to_a_queue(self, count: int) -> None:
        """The device is away while several are given, and then is back."""
        self.lose_power()
        for _ in range(count):
            self._order(Order(device_id=self.device_id, action="kept", payload={}, timeout=8, ttl=60))
        self.connect(take_over=False)

    @rule(pick=PICKS)
    def cancel(self, pick: int) -> None:
        if not self.known:
            return
        wire_id = sorted(self.known)[pick % len(sorted(self.known))]
        before = self._read()[wire_id]

        async def ask() -> CommandStatus:
            context = self.world.context
            async with context.db.tenant_tx(self.owner) as tx:
                command_id = CommandId(ids.decode(ids.COMMAND, wire_id))
                return (await cancel_command(tx, self.owner, command_id, context.clock.now())).status

        try:
            status = self.world.run(ask())
        except NotQueued:
            assert self._read()[wire_id].status in FINAL
        else:
            assert status in (CommandStatus.CANCELLED, CommandStatus.SENT)
            assert before.status not in FINAL

    # --- the device

    @rule(take_over=st.booleans())
    def connect(self, take_over: bool) -> None:
        if self.socket is not None and self.socket.is_open:
            if not take_over:
                return
            self._listen()
        elif self.socket is not None:
            self.socket.cut()
        fields: dict[str, Any] = {"capabilities": ["telemetry"], "boot_id": "b1"} if self.negotiates else {}
        old, socket = self.socket, Socket(self.world)
        socket.open(self.device_id, self.key, **fields)
        self.socket, self.seen = socket, 0
        self.world.pause()
        if old is not None:
            old.cut()

    @rule()
    def lose_power(self) -> None:
        if self.socket is None:
            return
        self._listen()
        self.socket.cut()
        self.inbox.clear()

    @rule(pick=PICKS, doubled=st.booleans(), answers=st.booleans())
    def work(self, pick: int, doubled: bool, answers: bool) -> None:
        """Do one of those that came, whichever; say so, say so twice with another word, or say nothing."""
        if not self.inbox:
            return
        wire_id = self.inbox.pop(pick % len(self.inbox))
        if not (self.negotiates and wire_id in self.journal):
            self.done[wire_id] += 1
            self.journal.add(wire_id)
        if answers:
            self._answer(wire_id, "first")
        if answers and doubled:
            self._answer(wire_id, "second")

    @rule(pick=PICKS)
    def answer_late(self, pick: int) -> None:
        """Say again, or at last, what was done; perhaps over another connection, perhaps long after."""
        if not self.journal:
            return
        self._answer(sorted(self.journal)[pick % len(sorted(self.journal))], "late")

    @rule(pick=PICKS)
    def drop(self, pick: int) -> None:
        """A frame gets lost on the device: it is neither done nor answered."""
        if not self.inbox:
            return
        self.inbox.pop(pick % len(self.inbox))

    @rule()
    def make_up(self) -> None:
        if self.socket is not None:
            self.socket.send(type="response", id=f"cmd_{'0' * 26}", status="success", data="made up")

    # --- the machinery

    @rule(seconds=st.sampled_from([0.5, 3.0, 12.0, 45.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.skip(seconds)

    @rule()
    def sweep(self) -> None:
        self.world.run(sweep(self.world.context, {}))

    @rule()
    def sweep_and_die(self) -> None:
        """The worker is killed before it commits."""

        async def die() -> None:
            context = self.world.context
            async with context.db.system_tx("test") as tx:
                await service.end_due(tx, context.clock.now(), 500)
                raise Killed

        with pytest.raises(Killed):
            self.world.run(die())

    @rule()
    def kill_hub(self) -> None:
        self._listen()
        self.inbox.clear()
        self.world.kill_hub()
        self.world.start_hub()

    # --- what is promised

    @invariant()
    def check(self) -> None:
        if self.steps:
            self.world.pause()
        self.steps += 1
        self._listen()
        rows = self._read()
        for wire_id, before in self.known.items():
            now = rows[wire_id]
            if before.status in FINAL:
                assert now == before, f"{wire_id} had its final state: {before}, then {now}"
        self.known = rows
        received = Counter(self.received)
        for wire_id, row in rows.items():
            assert self.done[wire_id] <= 1, f"{wire_id} was done twice"
            if not self.negotiates:
                assert received[wire_id] <= 1, f"{wire_id} was sent twice to a client without a journal"
            unsent = row.status in (CommandStatus.EXPIRED, CommandStatus.CANCELLED)
            if unsent or "nothing was done" in (row.error or ""):
                assert received[wire_id] == 0, f"{wire_id} is {row}, and the device got it"
            if row.status is CommandStatus.DONE:
                assert row.result in self.answered[wire_id], f"{wire_id} has an answer that nobody gave"
                assert self.done[wire_id] == 1
        first_sight = list(dict.fromkeys(self.received))
        assert first_sight == sorted(first_sight), "not in the order in which they were given"

    def teardown(self) -> None:
        """After long enough everything has one final state, told once."""
        try:
            for _ in range(3):
                self.world.skip(60.0)
                self.world.run(sweep(self.world.context, {}))
                self.world.pause()
            self.check()
            open_ones = {wire_id: row for wire_id, row in self.known.items() if row.status not in FINAL}
            assert not open_ones, f"never ended: {open_ones}"
            assert self._told() == dict.fromkeys(self.known, 1)
        finally:
            if self.socket is not None:
                self.socket.cut()

    # ---

    def _order(self, order: Order) -> None:
        try:
            self.world.run(run_command(self.world.context, self.owner, order, wait=0))
        except DeviceOffline:
            assert order.ttl is None

    def _answer(self, wire_id: str, word: str) -> None:
        said = f"{wire_id}:{word}"
        self.answered.setdefault(wire_id, set()).add(said)
        if self.socket is not None:
            self.socket.send(type="response", id=wire_id, status="success", data=said)

    def _listen(self) -> None:
        """Take what came over the connection since."""
        if self.socket is None:
            return
        new, self.seen = self.socket.frames[self.seen :], len(self.socket.frames)
        for frame in new:
            if frame["type"] == "command":
                self.received.append(frame["id"])
                self.inbox.append(frame["id"])

    def _read(self) -> dict[str, Row]:
        async def read() -> dict[str, Row]:
            async with self.world.context.db.system_tx("test") as tx:
                rows = await tx.fetch(
                    "select id, status, result, error, finished_at from commands where device_id = $1",
                    self.device_id,
                )
            return {
                ids.encode(ids.COMMAND, row["id"]): Row(
                    CommandStatus(row["status"]), row["result"], row["error"], row["finished_at"]
                )
                for row in rows
            }

        return self.world.run(read())

    def _told(self) -> dict[str, int]:
        async def read() -> dict[str, int]:
            async with self.world.context.db.system_tx("test") as tx:
                rows = await tx.fetch(
                    """
                    select payload->>'command_id' as id, count(*) from outbox
                    where name = 'command.finished' and payload->>'device_id' = $1 group by 1
                    """,
                    str(self.device_id),
                )
            return {ids.encode(ids.COMMAND, UUID(row["id"])): row["count"] for row in rows}

        return self.world.run(read())


def put_to_work(stack: dict[str, str], folder: Path, examples: int = 10) -> None:
    """Run the machine; EDGEFLOW_MACHINE_EXAMPLES makes it that many random runs instead of the same ones each time."""
    CommandsMachine.world = World(stack, folder, DEVICE_SIDE)
    try:
        run_state_machine_as_test(CommandsMachine, settings=machine_settings(examples, 20))
    finally:
        CommandsMachine.world.close()


def test_commands_keep_their_promises(stack: dict[str, str], tmp_path: Path) -> None:
    put_to_work(stack, tmp_path)


async def claim_newest(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, *rest: Any) -> Any:
    """`queries.claim_next` that takes the newest first."""
    newest = await tx.fetchval(
        "select max(id::text)::uuid from commands where device_id = $1 and status = 'queued'", device_id
    )
    others = "update commands set status = $3 where device_id = $1 and status = $2 and id <> $4"
    await tx.execute(others, device_id, "queued", "failed", newest)
    row = await claim_next(tx, tenant_id, device_id, *rest)
    await tx.execute(others, device_id, "failed", "queued", newest)
    return row


claim_next = queries.claim_next


def test_the_machine_can_fail(stack: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "claim_next", claim_newest)
    with broken_promise():
        put_to_work(stack, tmp_path, MANY)
