"""The two slots of one flow, and every step between them. Pure: a state in, a state out.

The good slot holds what has proved itself and is never written. A new release goes into the other slot (`stage`), is
put into the engine and watched (`begin_trial`), and becomes the good one (`commit`) or is left (`roll_back`). A state
is on the disk before what it says is done, so a device that dies anywhere knows where it was:

    idle ──stage──▶ staged ──begin_trial──▶ trial ──commit──▶ idle, the other slot is the good one
                                             │ ▲
                                             │ └─ begin_trial, at each start of the agent, `MOST_STARTS` times in all
                                             └──roll_back──▶ idle, as before, and the failure is remembered
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from edgeflow_protocol.bundle import Version

MOST_STARTS = 3
"""How often a release on trial may be started; the device may have died of it."""


class Slot(StrEnum):
    """One of the two places of a flow."""

    A = "a"
    B = "b"

    @property
    def other(self) -> Slot:
        """The one beside it."""
        return Slot.B if self is Slot.A else Slot.A


class Phase(StrEnum):
    """Where a flow is between two releases."""

    IDLE = "idle"
    STAGED = "staged"
    TRIAL = "trial"


class Origin(StrEnum):
    """Who brought the flow: the shadow's desired state, a command of the cloud, or somebody at the device."""

    DESIRED = "desired"
    COMMAND = "command"
    LOCAL = "local"


class Held(msgspec.Struct, frozen=True):
    """What a slot holds: `digest` is the SHA-256 of the release's bytes, in hex."""

    version: Version
    digest: str


class Failure(msgspec.Struct, frozen=True):
    """The last release that did not prove itself, and why, as a sentence."""

    version: Version
    digest: str
    reason: str


class FlowState(msgspec.Struct, frozen=True):
    """One flow on this device. `starts` counts those of the release on trial."""

    flow_id: str
    origin: Origin = Origin.DESIRED
    enabled: bool = True
    slots: dict[Slot, Held] = {}
    good: Slot | None = None
    candidate: Slot | None = None
    phase: Phase = Phase.IDLE
    starts: int = 0
    failure: Failure | None = None

    @property
    def current(self) -> Slot | None:
        """The slot that belongs into the engine now, None when there is none."""
        if self.phase is Phase.TRIAL:
            return self.candidate
        return self.good

    @property
    def newest(self) -> Held | None:
        """What was asked for last and is not known to be bad: the candidate, else the good one."""
        slot = self.candidate or self.good
        return None if slot is None else self.slots.get(slot)

    @property
    def previous(self) -> Slot | None:
        """The slot that a person may go back to, None while there is none or another release is on its way."""
        if self.phase is not Phase.IDLE or self.good is None:
            return None
        slot = self.good.other
        return slot if slot in self.slots else None


def free_slot(state: FlowState) -> Slot:
    """Where the next release is written: never over the good one."""
    return Slot.A if state.good is None else state.good.other


def abandon(state: FlowState) -> FlowState:
    """Forget the candidate: its slot is about to be written anew."""
    slots = {slot: held for slot, held in state.slots.items() if slot is state.good}
    return replace(state, candidate=None, phase=Phase.IDLE, starts=0, slots=slots)


def stage(state: FlowState, held: Held) -> FlowState:
    """The free slot holds `held` now."""
    slot = free_slot(state)
    slots = {**state.slots, slot: held}
    return replace(state, slots=slots, candidate=slot, phase=Phase.STAGED, starts=0, failure=None)


def stage_previous(state: FlowState) -> FlowState:
    """Go back: what is in the other slot is tried again. The state stays as it is when there is nothing."""
    slot = state.previous
    if slot is None:
        return state
    return replace(state, candidate=slot, phase=Phase.STAGED, starts=0, failure=None)


def begin_trial(state: FlowState) -> FlowState:
    """The candidate is about to be started once more; too often, and it is rolled back instead."""
    if state.candidate is None:
        return state
    if state.starts >= MOST_STARTS:
        return roll_back(state, f"The device stopped {MOST_STARTS} times while this version was being tried.")
    return replace(state, phase=Phase.TRIAL, starts=state.starts + 1)


def commit(state: FlowState) -> FlowState:
    """The candidate has proved itself: it is the good one, and the one before stays in its slot."""
    if state.candidate is None:
        return state
    return replace(state, good=state.candidate, candidate=None, phase=Phase.IDLE, starts=0, failure=None)


def roll_back(state: FlowState, reason: str) -> FlowState:
    """The candidate is left; the good slot counts again, if there is one."""
    if state.candidate is None:
        return state
    held = state.slots.get(state.candidate)
    failure = None if held is None else Failure(held.version, held.digest, reason)
    return replace(abandon(state), failure=failure)


def lose(state: FlowState, slot: Slot, reason: str) -> FlowState:
    """What is in `slot` cannot be used (damaged, or changed by somebody): the other one counts, if it is there."""
    slots = {name: held for name, held in state.slots.items() if name is not slot}
    lost = state.slots.get(slot)
    failure = state.failure if lost is None else Failure(lost.version, lost.digest, reason)
    if slot is state.candidate:
        return replace(state, slots=slots, candidate=None, phase=Phase.IDLE, starts=0, failure=failure)
    if slot is not state.good:
        return replace(state, slots=slots)
    if state.candidate is not None:  # Nothing to go back to any more, but something to go on with.
        return replace(state, slots=slots, good=None, failure=failure)
    left = slot.other if slot.other in slots else None
    return replace(state, slots=slots, good=left, failure=failure)
