"""Flows on the disk: two slot files and one state file a flow, each written whole.

`flow-NAME.a`, `flow-NAME.b`: a release. `flow-NAME.state`: which of them counts. The state is what makes a flow exist;
slot files without one are swept at start.
"""

from __future__ import annotations

import hashlib
import logging

import msgspec

from edgeflow_protocol.bundle import Bundle, Version, digest, read_bundle
from edgeflow_protocol.errors import DocumentError

from ..state import StateError, StateFolder
from .model import FlowState, Held, Slot, lose

_log = logging.getLogger(__name__)
_PREFIX = "flow-"
_STATE = ".state"


class Release(msgspec.Struct, frozen=True, omit_defaults=True):
    """What can be put into a slot: the bundle's bytes as text, and the signature if it has one."""

    data: str
    signature: str = ""
    key_id: str = ""

    @property
    def bytes(self) -> bytes:
        """The bundle as it is signed."""
        return self.data.encode()

    @property
    def bundle(self) -> Bundle:
        """The bundle. Raises DocumentError."""
        return read_bundle(self.bytes)

    def held(self, version: Version) -> Held:
        """How a state names this release."""
        return Held(version, digest(self.bytes))


class FlowStore:
    """Reads and writes flows. Raises StateError where the disk refuses; then what was there before still is."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder

    def load(self) -> tuple[list[FlowState], list[str]]:
        """Every flow, and a sentence for each thing that was damaged. Damage in one flow never costs another."""
        states: list[FlowState] = []
        troubles: list[str] = []
        known: set[str] = set()
        names = self._folder.names(_PREFIX)
        for name in names:
            if name.endswith(_STATE):
                state = self._load_state(name, troubles)
                if state is not None:
                    states.append(state)
                    known.add(_stem(state.flow_id))
        for name in names:
            stem, _, kind = name.rpartition(".")
            if kind in (Slot.A, Slot.B, "new") and stem.removesuffix(_STATE) not in known:
                self._sweep(name)
        return states, troubles

    def look(self) -> tuple[list[FlowState], list[str]]:
        """Like `load`, but nothing is mended or swept: for who only wants to know. Raises StateError."""
        states: list[FlowState] = []
        troubles: list[str] = []
        for name in self._folder.names(_PREFIX):
            if not name.endswith(_STATE):
                continue
            try:
                state = msgspec.json.decode(self._folder.read(name) or b"", type=FlowState)
            except msgspec.DecodeError:
                troubles.append(
                    f"The record {name} of a flow is damaged; the agent mends what it can at its start."
                )
                continue
            states.append(state)
            for slot in state.slots:
                try:
                    self.read_release(state, slot)
                except SlotBroken as error:
                    troubles.append(f"Slot {slot} of the flow {state.flow_id} cannot be used: {error}")
        return states, troubles

    def write_release(self, flow_id: str, slot: Slot, release: Release) -> None:
        """Put `release` into the slot."""
        self._folder.write(f"{_stem(flow_id)}.{slot}", msgspec.json.encode(release))

    def read_release(self, state: FlowState, slot: Slot) -> Release:
        """What the slot holds. Raises SlotBroken when it is not what the state says."""
        held = state.slots.get(slot)
        if held is None:
            raise SlotBroken("The slot is empty.")
        try:
            stored = self._folder.read(f"{_stem(state.flow_id)}.{slot}", limit=4 * 1024 * 1024)
            if stored is None:
                raise SlotBroken("Its file is gone.")
            release = msgspec.json.decode(stored, type=Release)
            if digest(release.bytes) != held.digest:
                raise SlotBroken("Its file was changed or damaged.")
            if release.bundle.flow_id != state.flow_id:
                raise SlotBroken("Its file belongs to another flow.")
        except (msgspec.DecodeError, UnicodeError, DocumentError) as error:
            raise SlotBroken(f"Its file was changed or damaged ({error}).") from error
        except StateError as error:
            raise SlotBroken(str(error)) from error
        return release

    def write_state(self, state: FlowState) -> None:
        """From here on the flow is as `state` says."""
        self._folder.write(_stem(state.flow_id) + _STATE, msgspec.json.encode(state))

    def remove(self, flow_id: str) -> None:
        """The flow is no more. Its state goes first: from then on the slots are nobody's."""
        stem = _stem(flow_id)
        for name in (stem + _STATE, f"{stem}.{Slot.A}", f"{stem}.{Slot.B}"):
            self._folder.remove(name)

    def _load_state(self, name: str, troubles: list[str]) -> FlowState | None:
        try:
            stored = self._folder.read(name)
            state = msgspec.json.decode(stored or b"", type=FlowState)
        except msgspec.DecodeError:
            state = None
        if state is None or _stem(state.flow_id) + _STATE != name:
            return self._rescue(name, troubles)
        for slot in list(state.slots):
            try:
                self.read_release(state, slot)
            except SlotBroken as error:
                troubles.append(f"Slot {slot} of the flow {state.flow_id} cannot be used: {error}")
                state = lose(state, slot, str(error))
        return state

    def _rescue(self, name: str, troubles: list[str]) -> FlowState | None:
        """The state is damaged: whichever slot is whole and says which flow it is brings the flow back."""
        stem = name.removesuffix(_STATE)
        found: FlowState | None = None
        for slot in Slot:
            try:
                stored = self._folder.read(f"{stem}.{slot}", limit=4 * 1024 * 1024)
                release = msgspec.json.decode(stored or b"", type=Release)
                bundle = release.bundle
            except (msgspec.DecodeError, UnicodeError, DocumentError):
                continue
            if _stem(bundle.flow_id) == stem and found is None:
                found = FlowState(bundle.flow_id, slots={slot: release.held(bundle.version)}, good=slot)
        broken = self._folder.set_aside(name)
        what = "is lost" if found is None else f"goes on with version {_version_of(found)}"
        troubles.append(f"The record of a flow was damaged and is now {broken.name}; the flow {what}.")
        if found is not None:
            self.write_state(found)
        return found

    def _sweep(self, name: str) -> None:
        try:
            self._folder.remove(name)
        except StateError as error:
            _log.warning("A file that belongs to no flow stays: %s", error)


class SlotBroken(Exception):
    """The slot's content is not what was put there. `str(error)` is a sentence."""


def _version_of(state: FlowState) -> Version:
    held = state.newest
    return "" if held is None else held.version


def _stem(flow_id: str) -> str:
    """Ids are any text; file names are not."""
    return _PREFIX + hashlib.sha256(flow_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
