"""Two slots: stage, switch, watch, go back; killed at any operation of the disk one of the two runs again."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tests.deploy.engine_double import EngineDouble
from edgeflow_agent.deploy import Deployer, FlowRefused, FlowState, FlowStore, Origin, Release, Trial
from edgeflow_agent.deploy import model as slots
from edgeflow_agent.deploy.model import MOST_STARTS, Held, Phase
from edgeflow_agent.state import Disk, StateError, StateFolder
from edgeflow_protocol.bundle import write_bundle

QUICK = Trial(lasts=0.02, looks=0.005)


def release(version: int, flow_id: str = "f", **more: object) -> Release:
    return Release(write_bundle(flow_id, version, {"v": version, **more}).decode())


class Device:
    """A deployer on a folder; `die` is a device that loses its power, `start` one that gets it back."""

    def __init__(self, path: Path, trial: Trial = QUICK) -> None:
        self.path = path
        self.trial = trial
        self.told: list[tuple[str, str, str, str]] = []

    async def start(self, *, autostart: bool = True) -> Device:
        self.folder = StateFolder.open(self.path)
        self.engine = EngineDouble()
        self.deployer = Deployer(
            FlowStore(self.folder),
            self.engine,
            changed=lambda flow_id: None,
            happened=lambda *event: self.told.append(event),
            trial=self.trial,
        )
        self.deployer.load()
        await self.deployer.boot(autostart=autostart)
        return self

    async def deploy(self, made: Release, *, enabled: bool = True, origin: Origin = Origin.DESIRED) -> None:
        bundle = made.bundle
        await self.deployer.deploy(bundle.flow_id, bundle.version, made, enabled=enabled, origin=origin)

    async def settle(self, flow_id: str = "f") -> None:
        async with asyncio.timeout(5):
            while (  # noqa: ASYNC110 - a state has no event
                state := self.deployer.state(flow_id)
            ) is not None and state.phase is Phase.TRIAL:
                await asyncio.sleep(0.005)

    async def die(self) -> None:
        for task in list(self.deployer._watches.values()):
            task.cancel()
        self.folder.close()

    def says(self, code: str) -> str:
        return " ".join(message for _, said, message, _ in self.told if said == code)


async def test_a_good_version_replaces_the_one_before_and_both_stay(tmp_path: Path) -> None:
    device = await Device(tmp_path).start()
    await device.deploy(release(1))
    assert device.deployer.status("f").status == "testing"  # type: ignore[union-attr]
    await device.settle()
    await device.deploy(release(2))
    await device.settle()
    status = device.deployer.status("f")
    assert status is not None
    assert (status.version, status.status, status.error) == (2, "running", "")
    assert await device.deployer.go_back("f")
    await device.settle()
    assert device.engine.version("f") == 1
    assert await device.deployer.go_back("f")
    await device.settle()
    assert device.engine.version("f") == 2


@pytest.mark.parametrize("fault", ["refuse", "ill"])
async def test_a_bad_version_is_left_and_the_good_one_runs_on(tmp_path: Path, fault: str) -> None:
    device = await Device(tmp_path).start()
    await device.deploy(release(1))
    await device.settle()
    bad = release(2, **{fault: "The node type nope is not known."})
    if fault == "refuse":
        with pytest.raises(FlowRefused, match="nope"):
            await device.deploy(bad)
    else:
        await device.deploy(bad)
    await device.settle()
    status = device.deployer.status("f")
    assert status is not None
    assert (status.version, status.status, status.failed_version) == (1, "rolled_back", 2)
    assert "nope" in status.error
    assert device.engine.version("f") == 1
    assert "Version 1 runs again" in device.says("flow_rolled_back")
    await device.die()
    again = await device.start()  # And it stays so.
    assert again.engine.version("f") == 1


async def test_the_first_version_may_be_bad_too(tmp_path: Path) -> None:
    device = await Device(tmp_path).start()
    await device.deploy(release(1, ill="It is ill."))
    await device.settle()
    status = device.deployer.status("f")
    assert status is not None
    assert (status.version, status.status) == (1, "failed")
    assert device.engine.held == {}
    await device.deploy(release(2))
    await device.settle()
    assert device.engine.version("f") == 2


async def test_a_version_that_kills_the_device_is_out_after_three_starts(tmp_path: Path) -> None:
    device = await Device(tmp_path, Trial(lasts=60, looks=1)).start()
    await device.deploy(release(1))
    await device.deployer.close()
    device.folder.close()
    device.trial = QUICK
    await device.start()
    await device.settle()  # A stop in good order is not counted: it proves itself at the next start.
    device.trial = Trial(lasts=60, looks=1)
    await device.die()
    await device.start()
    await device.deploy(release(2))
    for _ in range(MOST_STARTS - 1):
        await device.die()
        await device.start()
        assert device.engine.version("f") == 2
    await device.die()
    await device.start()
    assert device.engine.version("f") == 1
    status = device.deployer.status("f")
    assert status is not None
    assert "stopped 3 times" in status.error
    await device.die()


async def test_disabled_paused_and_not_started_by_itself(tmp_path: Path) -> None:
    device = await Device(tmp_path).start()
    await device.deploy(release(1), enabled=False)
    assert device.deployer.status("f").status == "stopped"  # type: ignore[union-attr]
    assert device.engine.running == set()
    await device.deployer.set_enabled("f", True)
    await device.settle()
    assert device.engine.version("f") == 1
    await device.deployer.pause("f")
    assert device.engine.running == set()
    await device.deployer.set_enabled("f", True)
    assert device.engine.version("f") == 1
    await device.die()
    await device.start(autostart=False)
    assert device.engine.running == set()
    assert device.deployer.status("f").status == "stopped"  # type: ignore[union-attr]
    await device.deployer.set_enabled("f", True)
    assert device.engine.version("f") == 1
    assert await device.deployer.remove("f")
    assert not await device.deployer.remove("f")
    assert device.folder.names("flow-") == []


class DyingDisk(Disk):
    """Dies before its n-th operation, or in the middle of a write."""

    def __init__(self, survives: int) -> None:
        self.left = survives

    def _tick(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Crash

    def write(self, path: Path, data: bytes, mode: int) -> None:
        if self.left == 0:
            super().write(path, data[: len(data) // 2], mode)
        self._tick()
        super().write(path, data, mode)

    def sync(self, path: Path) -> None:
        self._tick()
        super().sync(path)

    def rename(self, source: Path, target: Path) -> None:
        self._tick()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._tick()
        super().remove(path)


class Crash(BaseException):
    """The power went."""


async def test_killed_at_any_operation_one_of_the_two_runs(tmp_path: Path) -> None:
    """Version 1 runs; then 2 is deployed, a bad 3, a removal of another flow: dead at each operation in turn."""
    seen: set[object] = set()
    for survives in range(200):
        device = await Device(tmp_path / str(survives)).start()
        await device.deploy(release(1))
        await device.deploy(release(9, "other"))
        await device.settle()
        await device.settle("other")
        device.folder.disk = DyingDisk(survives)
        finished = False
        try:
            await device.deploy(release(2))
            await settle_or_die(device)
            await device.deploy(release(3, ill="It is ill."))
            await settle_or_die(device)
            await device.deployer.remove("other")
            finished = True
        except Crash:
            pass
        await device.die()
        again = Device(tmp_path / str(survives))
        await again.start()
        running = again.engine.version("f")
        assert running in (1, 2, 3), survives
        await again.settle()
        assert again.engine.version("f") in (1, 2), survives
        assert again.engine.version("other") in (9, None)
        seen.add(again.engine.version("f"))
        assert not [name for name in os.listdir(again.path) if name.endswith(".broken")]
        assert again.says("flow_damaged") == ""
        await again.deploy(release(4))  # And the next one can come.
        await again.settle()
        assert again.engine.version("f") == 4
        await again.die()
        if finished:
            assert survives > 20
            assert seen == {1, 2}
            return
    pytest.fail("it never finished")


async def settle_or_die(device: Device) -> None:
    """The end of the trial, or the crash that happened in its task."""
    async with asyncio.timeout(5):
        while (state := device.deployer.state("f")) is not None and state.phase is Phase.TRIAL:
            if isinstance(device.folder.disk, DyingDisk) and device.folder.disk.left < 0:
                raise Crash
            await asyncio.sleep(0.002)


class FullDisk(Disk):
    def write(self, path: Path, data: bytes, mode: int) -> None:
        raise OSError(self.code, os.strerror(self.code))

    def __init__(self, code: int) -> None:
        self.code = code


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
async def test_a_disk_that_refuses_leaves_what_runs(tmp_path: Path, code: int) -> None:
    device = await Device(tmp_path).start()
    await device.deploy(release(1))
    await device.settle()
    device.folder.disk = FullDisk(code)
    with pytest.raises(StateError, match=r"disk is (full|read-only)"):
        await device.deploy(release(2))
    assert device.engine.version("f") == 1
    device.folder.disk = Disk()
    await device.deploy(release(2))
    device.folder.disk = FullDisk(
        code
    )  # Full while it is on trial: it runs, and the next start tries it again.
    await asyncio.sleep(0.1)
    assert device.engine.version("f") == 2
    assert "could not be noted" in device.says("disk_refused")
    device.folder.disk = Disk()
    await device.die()
    await device.start()
    await device.settle()
    assert device.engine.version("f") == 2
    device.folder.close()


@pytest.mark.parametrize("file", ["good", "other", "state", "all"])
async def test_a_changed_file_is_said_and_the_other_slot_runs(tmp_path: Path, file: str) -> None:
    device = await Device(tmp_path).start()
    for version in (1, 2):
        await device.deploy(release(version))
        await device.settle()
    state = device.deployer.state("f")
    assert state is not None
    assert state.good is not None
    await device.die()
    (stem,) = {name.split(".")[0] for name in os.listdir(tmp_path) if name.startswith("flow-")}
    victims = {
        "good": [state.good],
        "other": [state.good.other],
        "state": ["state"],
        "all": ["a", "b", "state"],
    }[file]
    for victim in victims:
        path = tmp_path / f"{stem}.{victim}"
        path.write_bytes(path.read_bytes().replace(b"2", b"7").replace(b"1", b"7")[:-1])
    await device.start()
    runs = {"good": (1,), "other": (2,), "state": (1, 2), "all": (None,)}[file]
    assert device.engine.version("f") in runs
    assert device.says("flow_damaged")
    await device.deploy(release(3))
    await device.settle()
    assert device.engine.version("f") == 3
    device.folder.close()


_steps = st.lists(
    st.sampled_from(
        ["stage 1", "stage 2", "stage 3", "trial", "commit", "back", "leave", "lose a", "lose b"]
    ),
    max_size=24,
)


@given(_steps)
def test_the_good_slot_is_never_written_and_never_forgotten(steps: list[str]) -> None:
    state = FlowState("f")
    for step in steps:
        before = state
        match step.split():
            case ["stage", version]:
                state = slots.stage(slots.abandon(state), Held(int(version), version))
                assert state.candidate is not before.good
            case ["trial"]:
                state = slots.begin_trial(state)
            case ["commit"] if state.phase is Phase.TRIAL:
                state = slots.commit(state)
                assert state.good is before.candidate
            case ["back"]:
                state = slots.stage_previous(state)
            case ["leave"]:
                state = slots.roll_back(state, "It was bad.")
            case ["lose", name]:
                state = slots.lose(state, slots.Slot(name), "It is broken.")
            case _:
                pass
        assert state.starts <= MOST_STARTS
        assert (state.candidate is None) == (state.phase is Phase.IDLE)
        assert state.good is None or state.good in state.slots
        assert state.candidate is None or state.candidate in state.slots
        assert state.candidate is None or state.candidate is not state.good
        if before.good is not None and not step.startswith(("lose", "commit")):
            assert state.good is before.good
            assert state.slots[before.good] == before.slots[before.good]
