"""Performs what `model` decides: writes slots, puts releases into the engine, watches them, goes back by itself.

Nothing here needs the cloud: a release that is on the disk is tried, kept or left while the device is offline.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from edgeflow_protocol import DocumentError
from edgeflow_protocol.bundle import Version

from ..state import StateError
from . import model
from .engine import FlowEngine, FlowRefused
from .model import FlowState, Origin, Phase, Slot
from .store import FlowStore, Release, SlotBroken

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """How a new release is watched, in seconds."""

    lasts: float = 10.0
    """So long a new release must be well before it counts."""
    looks: float = 0.5


class FlowStatus(msgspec.Struct, frozen=True):
    """A flow as it is reported. `status`: `running`, `stopped`, `testing` (on trial), `failed` (nothing runs) or
    `rolled_back` (an older version runs). `version` is what runs or would run; `error` a sentence, or empty."""

    flow_id: str
    version: Version
    status: str
    enabled: bool
    origin: Origin
    error: str = ""
    failed_version: Version | None = None


class Deployer:
    """The flows of this device. One change at a time to each flow; different flows do not wait for each other.

    `changed(flow_id)` is called after every step, `happened(level, code, message, flow_id)` for what people should see.
    """

    def __init__(
        self,
        store: FlowStore,
        engine: FlowEngine,
        *,
        changed: Callable[[str], None],
        happened: Callable[[str, str, str, str], None],
        trial: Trial | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._changed = changed
        self._happened = happened
        self._trial = trial or Trial()
        self._states: dict[str, FlowState] = {}
        self._errors: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._stopped: set[str] = set()

    # --- what is

    @property
    def flow_ids(self) -> list[str]:
        """All flows, by id."""
        return sorted(self._states)

    @property
    def states(self) -> list[FlowState]:
        """The records of all flows."""
        return list(self._states.values())

    def state(self, flow_id: str) -> FlowState | None:
        """The record of one flow, None when there is none."""
        return self._states.get(flow_id)

    def status(self, flow_id: str) -> FlowStatus | None:
        """The flow as it is reported, None when there is none."""
        state = self._states.get(flow_id)
        if state is None:
            return None
        shown = state.current or state.candidate
        if not state.enabled and state.candidate is not None:
            shown = state.candidate
        held = state.slots.get(shown) if shown else None
        failure = state.failure
        error = self._errors.get(flow_id, "")
        if held is None:
            status = "failed"
        elif not state.enabled or flow_id in self._stopped or state.current is None:
            status = "stopped"
        elif state.phase is Phase.TRIAL:
            status = "testing"
        else:
            error = error or self._engine.trouble(flow_id)
            status = "failed" if error else "rolled_back" if failure else "running"
        version = held.version if held else failure.version if failure else ""
        return FlowStatus(
            flow_id,
            version,
            status,
            state.enabled,
            state.origin,
            error or (failure.reason if failure else ""),
            failure.version if failure else None,
        )

    def definition(self, flow_id: str) -> dict[str, object] | None:
        """What runs (or would run) of the flow, None when there is none or its slot is broken."""
        state = self._states.get(flow_id)
        slot = None if state is None else state.current or state.candidate
        if state is None or slot is None:
            return None
        with contextlib.suppress(SlotBroken, DocumentError):
            return self._store.read_release(state, slot).bundle.definition
        return None

    # --- what is done

    def load(self) -> None:
        """Read what is on the disk, at start. Damage is said, and costs one flow at most. Raises StateError."""
        states, troubles = self._store.load()
        self._states = {state.flow_id: state for state in states}
        for trouble in troubles:
            self._say("error", "flow_damaged", trouble, "")

    async def boot(self, *, autostart: bool) -> None:
        """Bring into the engine what belongs there. With `autostart` false enabled flows are put in, not started."""
        for flow_id in self.flow_ids:
            async with self._lock(flow_id):
                state = self._states[flow_id]
                if not autostart and state.phase is not Phase.TRIAL:
                    self._stopped.add(flow_id)
                try:
                    await self._go_on(state, state)
                except StateError as error:
                    # What is on trial cannot be counted now, so it is not started; what is good always runs.
                    self._say("error", "disk_refused", str(error), flow_id)
                    self._states[flow_id] = model.abandon(state)
                    await self._run_current(self._states[flow_id])

    async def deploy(
        self, flow_id: str, version: Version, release: Release, *, enabled: bool, origin: Origin
    ) -> None:
        """This release is wanted: stage it, and try it if the flow is enabled. Whether it is good shows later.

        Raises StateError when the disk does not take it, FlowRefused when the engine cannot run it at once; either way
        the flow goes on as it was.
        """
        held = release.held(version)
        async with self._lock(flow_id):
            known = self._states.get(flow_id)
            if (
                known is not None
                and (known.newest, known.enabled, known.origin) == (held, enabled, origin)
                and (known.phase is Phase.IDLE or flow_id in self._watches)
                and flow_id not in self._stopped
                and flow_id not in self._errors
            ):
                return
            await self._end_watch(flow_id)
            state = known or FlowState(flow_id)
            state = replace(state, origin=origin, enabled=enabled)
            self._stopped.discard(flow_id)
            if known is not None and state.good is not None and state.slots.get(state.good) == held:
                # What was good all along: whatever was on trial is left.
                await self._go_on(replace(model.abandon(state), slots=state.slots, failure=None), known)
                return
            if known is not None and state.newest == held:
                await self._go_on(state, known)
                return
            if known is not None and model.free_slot(known) in known.slots:
                await self._write(model.abandon(known))  # That slot is written next; nothing may point at it.
            state = model.abandon(state)
            await asyncio.to_thread(self._store.write_release, flow_id, model.free_slot(state), release)
            await self._go_on(model.stage(state, held), known, refuse=True)

    async def set_enabled(self, flow_id: str, enabled: bool) -> None:
        """Whether the flow should run, for good. Raises KeyError, StateError, FlowRefused."""
        async with self._lock(flow_id):
            state = self._states[flow_id]
            self._stopped.discard(flow_id)
            if not enabled:
                await self._end_watch(flow_id)
                if state.phase is Phase.TRIAL:  # A trial that is called off proves nothing.
                    state = replace(state, phase=Phase.STAGED, starts=0)
            await self._go_on(replace(state, enabled=enabled), self._states[flow_id], refuse=True)

    async def pause(self, flow_id: str) -> None:
        """Stop the flow until `start`, a change, or the agent's next start. Raises KeyError."""
        async with self._lock(flow_id):
            state = self._states[flow_id]
            await self._end_watch(flow_id)
            if state.phase is Phase.TRIAL:
                with contextlib.suppress(StateError):
                    await self._write(replace(state, phase=Phase.STAGED, starts=0))
            self._stopped.add(flow_id)
            await self._engine.stop(flow_id)
        self._changed(flow_id)

    async def refresh(self) -> None:
        """Put what runs into the engine again: what flows see has changed."""
        for flow_id in self.flow_ids:
            async with self._lock(flow_id):
                state = self._states.get(flow_id)
                if state is not None and state.phase is Phase.IDLE:
                    await self._run_current(state)

    async def go_back(self, flow_id: str) -> bool:
        """Try the version before. False when there is none. Raises KeyError, StateError, FlowRefused."""
        async with self._lock(flow_id):
            known = self._states[flow_id]
            state = model.stage_previous(known)
            if state is known:
                return False
            await self._go_on(state, known, refuse=True)
            return True

    async def remove(self, flow_id: str) -> bool:
        """Stop the flow and forget it. False when there is none. Raises StateError."""
        async with self._lock(flow_id):
            if flow_id not in self._states:
                return False
            await self._end_watch(flow_id)
            await asyncio.to_thread(self._store.remove, flow_id)
            del self._states[flow_id]
            self._errors.pop(flow_id, None)
            self._stopped.discard(flow_id)
            await self._engine.remove(flow_id)
        self._locks.pop(flow_id, None)
        self._say("info", "flow_removed", "The flow was removed.", flow_id)
        self._changed(flow_id)
        return True

    async def close(self) -> None:
        """Stop watching. What is on trial is tried again at the next start; a stop in good order is not counted."""
        for flow_id in list(self._watches):
            async with self._lock(flow_id):
                await self._end_watch(flow_id)
                state = self._states.get(flow_id)
                if state is not None and state.phase is Phase.TRIAL:
                    with contextlib.suppress(StateError):
                        await self._write(replace(state, starts=max(0, state.starts - 1)))

    # --- how

    async def _go_on(self, state: FlowState, known: FlowState | None, *, refuse: bool = False) -> None:
        """Make `state` so: on the disk, then in the engine. `known` is what was so before, None for a new flow."""
        if state.phase is not Phase.IDLE and state.enabled and state.flow_id not in self._stopped:
            began = model.begin_trial(state)
            await self._write(began)
            if began.phase is Phase.TRIAL:
                await self._try(began, refuse=refuse)
                return
            self._say_failure(began)
        elif state != known:
            await self._write(state)
        await self._run_current(self._states[state.flow_id])
        self._changed(state.flow_id)

    async def _try(self, state: FlowState, *, refuse: bool) -> None:
        slot = state.candidate
        assert slot is not None  # noqa: S101 - a trial has a candidate
        self._errors.pop(state.flow_id, None)
        try:
            definition = self._store.read_release(state, slot).bundle.definition
            await self._engine.put(state.flow_id, definition)
            await self._engine.start(state.flow_id)
        except (FlowRefused, SlotBroken, DocumentError) as error:
            await self._leave(state, str(error))
            if refuse:
                raise FlowRefused(str(error)) from error
            return
        self._watches[state.flow_id] = asyncio.create_task(
            self._watch(state), name=f"trial of {state.flow_id}"
        )
        self._changed(state.flow_id)

    async def _watch(self, state: FlowState) -> None:
        """Until the release has been well for long enough, or is not."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._trial.lasts
        while True:
            trouble = self._engine.illness(state.flow_id)
            if trouble or loop.time() >= until:
                break
            await asyncio.sleep(self._trial.looks)
        async with self._lock(state.flow_id):
            if self._states.get(state.flow_id) is not state:
                return
            self._watches.pop(state.flow_id, None)
            if trouble:
                await self._leave(state, trouble)
                return
            try:
                await self._write(model.commit(state))
            except StateError as error:
                # It runs all the same; the next start tries it once more, and may then be able to say so.
                self._say(
                    "error",
                    "disk_refused",
                    f"A version that proved itself could not be noted. {error}",
                    state.flow_id,
                )
                return
            held = state.newest
            self._say(
                "info",
                "flow_deployed",
                f"Version {held.version if held else ''} runs and is well.",
                state.flow_id,
            )
        self._changed(state.flow_id)

    async def _leave(self, state: FlowState, reason: str) -> None:
        """Back to the good slot. If the disk does not take even that, what is in the engine says the truth."""
        back = model.roll_back(state, reason)
        try:
            await self._write(back)
        except StateError as error:
            self._states[state.flow_id] = back
            _log.error("The way back could not be noted: %s", error)
        self._say_failure(back)
        await self._run_current(back)
        self._changed(state.flow_id)

    async def _run_current(self, state: FlowState) -> None:
        """The engine runs what the state says, and nothing else of this flow."""
        flow_id = state.flow_id
        self._errors.pop(flow_id, None)
        slot = state.current
        try:
            if slot is None:
                await self._engine.remove(flow_id)
                return
            definition = self._store.read_release(state, slot).bundle.definition
            if not state.enabled or flow_id in self._stopped:
                await self._engine.stop(flow_id)
            await self._engine.put(flow_id, definition)
            if state.enabled and flow_id not in self._stopped:
                await self._engine.start(flow_id)
        except (FlowRefused, DocumentError) as error:
            self._errors[flow_id] = str(error)
            self._say("error", "flow_failed", str(error), flow_id)
        except SlotBroken as error:
            await self._lose(state, slot or Slot.A, str(error))

    async def _lose(self, state: FlowState, slot: Slot, reason: str) -> None:
        self._say("error", "flow_damaged", f"Slot {slot} cannot be used: {reason}", state.flow_id)
        left = model.lose(state, slot, reason)
        try:
            await self._write(left)
        except StateError as error:
            self._states[state.flow_id] = left
            _log.error("The loss could not be noted: %s", error)
        await self._run_current(left)

    async def _write(self, state: FlowState) -> None:
        await asyncio.to_thread(self._store.write_state, state)
        self._states[state.flow_id] = state

    def _say_failure(self, state: FlowState) -> None:
        failure = state.failure
        if failure is None:
            return
        back = state.slots.get(state.good) if state.good else None
        then = f"Version {back.version} runs again." if back else "There is no version to go back to."
        self._say(
            "error", "flow_rolled_back", f"Version {failure.version}: {failure.reason} {then}", state.flow_id
        )

    def _say(self, level: str, code: str, message: str, flow_id: str) -> None:
        _log.log(
            logging.ERROR if level == "error" else logging.INFO,
            "%s%s",
            f"Flow {flow_id}: " if flow_id else "",
            message,
        )
        self._happened(level, code, message, flow_id)

    def _lock(self, flow_id: str) -> asyncio.Lock:
        return self._locks.setdefault(flow_id, asyncio.Lock())

    async def _end_watch(self, flow_id: str) -> None:
        task = self._watches.pop(flow_id, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def describe(statuses: Mapping[str, FlowStatus]) -> dict[str, object]:
    """Counts for the telemetry's `flows`."""
    running = sum(status.status in ("running", "testing", "rolled_back") for status in statuses.values())
    return {"total": len(statuses), "running": running, "stopped": len(statuses) - running}
