"""R3 as a state machine: the real service and hub on PostgreSQL, beside a model that knows what each version holds.

Reports are dropped, doubled, and sent on connections that break before the answer; changes are based on old versions;
processes die before their commit and after it; PostgreSQL ends the connections of eight writers in the middle.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cloud.tests.conftest import device_principal
from cloud.tests.machines.world import (
    MANY,
    PICKS,
    Killed,
    Socket,
    World,
    broken_promise,
    machine_settings,
)
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.shadows import service
from edgeflow_cloud.shadows.device import DEVICE_SIDE
from edgeflow_cloud.shadows.history import service as history
from edgeflow_cloud.shadows.model import Shadow, Side, VersionConflict, update
from edgeflow_protocol.shadow import Document, delta, merge

KEYS = st.sampled_from("abc")
LEAVES = st.none() | st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2)
CHANGES = st.dictionaries(KEYS, LEAVES | st.dictionaries(KEYS, LEAVES, max_size=2), max_size=3)


class ShadowsMachine(RuleBasedStateMachine):
    """`versions[n]` is what the model holds at version n: (desired, reported)."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.owner, self.device_id, self.key = self.world.make_device()
        self.device = device_principal(self.owner, self.device_id)
        self.versions: list[tuple[Document, Document]] = [({}, {})]
        self.socket: Socket | None = None
        self.number = 0
        self.sound = True
        self.owed = False
        """A process died between its commit and the push: the device is told on its return."""

    @initialize()
    def begin(self) -> None:
        if self.world.hub is None:
            self.world.start_hub()

    @property
    def version(self) -> int:
        return len(self.versions) - 1

    # --- people

    @rule(change=CHANGES, base=st.sampled_from(["any", "current", "stale", "future"]))
    def want(self, change: Document, base: str) -> None:
        """A change of desired, pushed after its commit."""
        expected = {
            "any": None,
            "current": self.version,
            "stale": self.version - 1,
            "future": self.version + 1,
        }[base]
        if expected is not None and expected < 0:
            return
        try:
            shadow = self._people(lambda tx: self._update(tx, change, expected))
        except VersionConflict as conflict:
            assert base in ("stale", "future")
            assert conflict.extra["current_version"] == self.version
            return
        assert base in ("any", "current")
        self._accept(desired=merge(self.versions[-1][0], change))
        self._push(shadow)

    @rule(change=CHANGES)
    def want_and_die_unpushed(self, change: Document) -> None:
        """The API is killed after its commit."""
        self._people(lambda tx: self._update(tx, change, None))
        self._accept(desired=merge(self.versions[-1][0], change))
        self.owed = True

    @rule(change=CHANGES)
    def want_and_die_uncommitted(self, change: Document) -> None:
        async def die(tx: Transaction) -> Shadow:
            await self._update(tx, change, None)
            raise Killed

        with pytest.raises(Killed):
            self._people(die)

    @rule(pick=PICKS)
    def restore(self, pick: int) -> None:
        version = pick % len(self.versions)
        shadow = self._people(
            lambda tx: service.restore_desired(tx, self.owner, self.device_id, version, now=self._now())
        )
        self._accept(desired=self.versions[version][0])
        self._push(shadow)

    @rule()
    def delete(self) -> None:
        shadow = self._people(
            lambda tx: service.delete_shadow(tx, self.owner, self.device_id, now=self._now())
        )
        if self.versions[-1] != ({}, {}):
            self.versions.append(({}, {}))
        self._push(shadow)

    @rule(change=CHANGES, kill=st.booleans())
    def eight_at_once(self, change: Document, kill: bool) -> None:
        """Eight writers, all on the version that they saw: one wins. `kill`: PostgreSQL ends their connections."""
        seen = self.version

        async def write(number: int) -> int | None:
            try:
                async with self.world.context.db.tenant_tx(self.owner) as tx:
                    return (await self._update(tx, {**change, "writer": number}, seen)).version
            except VersionConflict:
                return None
            except Unavailable:
                return -1  # perhaps it was committed, perhaps not

        async def together() -> list[int | None]:
            writers = asyncio.gather(*(write(number) for number in range(8)))
            if kill:
                await asyncio.sleep(0.002)
                await self.world.end_sessions()
            return await writers

        answers = self.world.run(together())
        now = self._read()
        won = [answer for answer in answers if answer not in (None, -1)]
        assert len(won) <= 1, answers
        assert now.version in (seen, seen + 1)
        if won:
            assert now.version == won[0] == seen + 1
        elif not kill:
            raise AssertionError(f"nobody won: {answers}")
        if now.version > seen:
            writer = now.desired["writer"]
            self._accept(desired=merge(self.versions[-1][0], {**change, "writer": writer}))
            self.owed = True

    # --- the device

    @rule(capable=st.booleans())
    def connect(self, capable: bool) -> None:
        if self.socket is not None:
            self.socket.cut()
        socket = Socket(self.world)
        self.socket, self.capable = socket, capable
        fields = {"capabilities": ["shadow"], "boot_id": "b1"} if capable else {}
        if self.world.until(lambda: socket.open(self.device_id, self.key, **fields), 3.0):
            self.owed = False

    @rule()
    def lose_power(self) -> None:
        if self.socket is None:
            return
        assert self.socket is not None
        self.socket.cut()
        self.socket = None

    @rule(change=CHANGES, doubled=st.booleans(), breaks=st.booleans())
    def report(self, change: Document, doubled: bool, breaks: bool) -> None:
        """Over the tunnel, once or twice; or the connection breaks before the answer."""
        if not (self.socket is not None and self.socket.is_open and self.capable):
            return
        socket, before = self.socket, self.version
        assert socket is not None
        reported = merge(self.versions[-1][1], change)
        ids = [f"r{self.number + offset}" for offset in range(1 + doubled)]
        self.number += len(ids)
        for one in ids:
            socket.send(type="shadow_reported", id=one, reported=change)
        answers = [] if breaks else self._answers(socket, ids)
        if len(answers) < len(ids):  # it breaks, or the hub took it for dead: what it had stored is stored
            self.connect(capable=True)  # and from here on nothing of the old connection is
            stored = self._read().version - before
            assert len(answers) <= stored <= len(ids)
            for _ in range(stored):
                self._accept(reported=reported)
            return
        for answer in answers:
            self._accept(reported=reported)
            assert answer["type"] == "shadow_accepted", answer
            assert answer["version"] == self.version
            assert answer.get("delta", {}) == delta(*self.versions[-1])

    @rule(change=CHANGES, dies=st.booleans())
    def report_over_rest(self, change: Document, dies: bool) -> None:
        """As a field client does at each connect."""

        async def put(tx: Transaction) -> Shadow:
            shadow = await service.update_reported(tx, self.device, self.device_id, change, now=self._now())
            if dies:
                raise Killed
            return shadow

        if dies:
            with pytest.raises(Killed):
                self._people(put)
        else:
            self._people(put)
            self._accept(reported=merge(self.versions[-1][1], change))

    # --- the machinery

    @rule()
    def kill_hub(self) -> None:
        self.world.kill_hub()
        self.socket = None
        self.world.start_hub()

    @rule(seconds=st.sampled_from([1.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.skip(seconds)

    # --- what is promised

    @invariant()
    def check(self) -> None:
        now, self.sound = self._read(), False
        assert (now.version, now.desired, now.reported) == (self.version, *self.versions[-1])
        assert now.delta == delta(*self.versions[-1])
        self.sound = True

    @invariant()
    def the_device_knows_what_is_wanted(self) -> None:
        """Pushed at once, and found on return: whoever listens and is not in step has the newest wish."""
        if self.socket is None or self.owed or not self.capable or not delta(*self.versions[-1]):
            return  # a field client is told one at a time, and this one never answers: the newest waits
        socket, wanted = self.socket, self.versions[-1][0]
        self.world.until(lambda: not socket.is_open or _newest(socket) == wanted)
        assert not socket.is_open or _newest(socket) == wanted, "it was never told"

    def teardown(self) -> None:
        """Every version is there, without a gap, as it was, told once."""
        try:
            self.world.pause()
            for version in range(len(self.versions) if self.sound else 0):
                then = self._people(
                    lambda tx, version=version: history.find_version(tx, self.owner, self.device_id, version)
                )
                assert (then.version, then.desired, then.reported) == (version, *self.versions[version])
            assert not self.sound or self._told() == list(range(1, len(self.versions)))
        finally:
            if self.socket is not None:
                self.socket.cut()

    # ---

    def _now(self) -> Any:
        return self.world.context.clock.now()

    def _accept(self, desired: Document | None = None, reported: Document | None = None) -> None:
        last = self.versions[-1]
        self.versions.append(
            (last[0] if desired is None else desired, last[1] if reported is None else reported)
        )

    async def _update(self, tx: Transaction, change: Document, expected: int | None) -> Shadow:
        return await service.update_desired(
            tx, self.owner, self.device_id, change, now=self._now(), expected=expected
        )

    def _people(self, use: Callable[[Transaction], Coroutine[Any, Any, Shadow]]) -> Shadow:
        async def call() -> Shadow:
            async with self.world.context.db.tenant_tx(self.owner) as tx:
                return await use(tx)

        return self.world.run(call())

    def _push(self, shadow: Shadow) -> None:
        self.world.run(service.push(self.world.context.bus, shadow))

    def _read(self) -> Shadow:
        return self._people(lambda tx: service.find_shadow(tx, self.owner, self.device_id))

    def _answers(self, socket: Socket, ids: list[str]) -> list[dict[str, Any]]:
        def found() -> list[dict[str, Any]]:
            return [frame for frame in socket.frames if frame.get("id") in ids]

        self.world.until(lambda: len(found()) == len(ids) or not socket.is_open)
        return found()

    def _told(self) -> list[int]:
        async def read() -> list[int]:
            async with self.world.context.db.system_tx("test") as tx:
                rows = await tx.fetch(
                    """
                    select (payload->>'shadow_version')::int as version from outbox
                    where name = 'shadow.updated' and payload->>'device_id' = $1 order by 1
                    """,
                    str(self.device_id),
                )
            return [row["version"] for row in rows]

        return self.world.run(read())


def _newest(socket: Socket) -> Document | None:
    """What the device was told last."""
    told = [frame for frame in socket.frames if frame["type"] == "shadow_desired"]
    return told[-1].get("desired", {}) if told else None


def put_to_work(stack: dict[str, str], folder: Path, examples: int = 10) -> None:
    ShadowsMachine.world = World(stack, folder, DEVICE_SIDE)
    try:
        run_state_machine_as_test(ShadowsMachine, settings=machine_settings(examples, 20))
    finally:
        ShadowsMachine.world.close()


def test_shadows_keep_their_promises(stack: dict[str, str], tmp_path: Path) -> None:
    put_to_work(stack, tmp_path)


def update_unchecked(
    shadow: Shadow, side: Side, change: Any, at: datetime, expected: int | None = None
) -> Shadow:
    """`model.update` that asks for no version: of eight writers several win."""
    return update(shadow, side, change, at)


def update_skipping(
    shadow: Shadow, side: Side, change: Any, at: datetime, expected: int | None = None
) -> Shadow:
    """`model.update` that skips a version when nothing changes."""
    after = update(shadow, side, change, at, expected)
    same = (after.desired, after.reported) == (shadow.desired, shadow.reported)
    return replace(after, version=shadow.version + 2) if same else after


@pytest.mark.parametrize("mutant", [update_unchecked, update_skipping])
def test_the_machine_can_fail(
    stack: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: Any
) -> None:
    monkeypatch.setattr(service, "update", mutant)
    with broken_promise():
        put_to_work(stack, tmp_path, MANY)
