"""From the flows that are desired and those that are here to the steps that close the gap. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import msgspec

from edgeflow_protocol import DocumentError
from edgeflow_protocol.bundle import BundleReference, Version, digest, write_bundle

from .model import FlowState, Origin


@dataclass(frozen=True, slots=True)
class Wanted:
    """A flow as the shadow desires it: signed and elsewhere (`reference`), or written out (`data`, canonical bytes)."""

    flow_id: str
    version: Version
    enabled: bool
    digest: str
    reference: BundleReference | None
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Install:
    """Fetch what is wanted, check it, and deploy it."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Enable:
    """The release is there already: only whether it runs changes."""

    flow_id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Remove:
    """The flow came by the shadow, and is desired no more."""

    flow_id: str


Step = Install | Enable | Remove


class WantedError(ValueError):
    """What is desired of one flow cannot be. `str(error)` is a sentence."""


class _Entry(msgspec.Struct, frozen=True):
    version: Version
    enabled: bool = True
    definition: dict[str, object] | None = None
    bundle: BundleReference | None = None


def read_wanted(desired: object) -> tuple[dict[str, Wanted], dict[str, str]]:
    """The desired `flows`, and a sentence for each that cannot be read, by flow id."""
    wanted: dict[str, Wanted] = {}
    refused: dict[str, str] = {}
    if not isinstance(desired, Mapping):
        return {}, {} if desired is None else {"": "`flows` must be an object of flow ids."}
    for flow_id, entry in cast(Mapping[str, object], desired).items():
        try:
            wanted[flow_id] = _read(flow_id, entry)
        except WantedError as error:
            refused[flow_id] = str(error)
    return wanted, refused


def plan_flows(wanted: Mapping[str, Wanted], here: Iterable[FlowState]) -> list[Step]:
    """The steps, in order: what is not wanted goes first, so that its pins and ports are free.

    A release that failed here is not tried again until something else is wanted of the flow.
    """
    states = {state.flow_id: state for state in here}
    steps: list[Step] = [
        Remove(flow_id)
        for flow_id, state in states.items()
        if state.origin is Origin.DESIRED and flow_id not in wanted
    ]
    for flow_id, want in wanted.items():
        state = states.get(flow_id)
        newest = None if state is None else state.newest
        failed = None if state is None else state.failure
        if state is not None and failed is not None and failed.digest == want.digest:
            newest = failed
        same = newest is not None and (newest.digest, newest.version) == (want.digest, want.version)
        if state is None or not same or state.origin is not Origin.DESIRED:
            steps.append(Install(want))
        elif state.enabled is not want.enabled:
            steps.append(Enable(flow_id, want.enabled))
    return steps


def _read(flow_id: str, entry: object) -> Wanted:
    try:
        found = msgspec.convert(entry, _Entry)
    except msgspec.ValidationError as error:
        raise WantedError(f"This is not how a flow is desired: {error}.") from error
    if (found.bundle is None) == (found.definition is None):
        raise WantedError("A desired flow needs a `bundle` or a `definition`, and not both.")
    if found.bundle is not None:
        return Wanted(flow_id, found.version, found.enabled, found.bundle.sha256.lower(), found.bundle, None)
    try:
        data = write_bundle(flow_id, found.version, found.definition or {})
    except DocumentError as error:
        raise WantedError(str(error)) from error
    return Wanted(flow_id, found.version, found.enabled, digest(data), None, data)
