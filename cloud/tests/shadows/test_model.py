"""The pure core: versions, merges, limits, and a document that the field client can decode."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Problem
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.shadows.model import (
    METADATA_LIMIT,
    Desired,
    Shadow,
    ShadowTooLarge,
    Side,
    VersionConflict,
    path_bytes,
    render,
    update,
)
from edgeflow_protocol.shadow import MAX_DOCUMENT_BYTES, leaves

AT = datetime(2026, 3, 1, tzinfo=UTC)
EMPTY = Shadow(device_id=DeviceId(ids.new()), updated_at=AT)

keys = st.text(alphabet="ab.\\ü", max_size=3)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars | st.text(max_size=5) | st.lists(st.integers(0, 3) | st.none(), max_size=3),
    lambda inner: st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
changes = st.dictionaries(keys, values, max_size=4)
updates = st.lists(st.tuples(st.sampled_from(Side), changes), max_size=8)


def holds_null(document: Mapping[str, object]) -> bool:
    return any(
        value is None or (isinstance(value, dict) and holds_null(value)) for value in document.values()
    )


@given(updates)
@settings(max_examples=300, deadline=None)
def test_whatever_is_accepted_the_document_holds_its_promises(history: list[tuple[Side, Any]]) -> None:
    shadow = EMPTY
    for step, (side, change) in enumerate(history, 1):
        before, at = shadow, AT + timedelta(seconds=step)
        shadow = update(shadow, side, change, at)
        assert shadow.version == before.version + 1
        other = "reported" if side is Side.DESIRED else "desired"
        assert getattr(shadow, other) == getattr(before, other)
        again = update(shadow, side, change, at)
        assert replace(again, version=shadow.version) == shadow  # a merge is idempotent
    document = json.loads(json.dumps(render(shadow)))
    assert not holds_null(document["desired"]) and not holds_null(document["reported"])
    assert isinstance(document["delta"], dict)
    for half in ("desired", "reported"):
        assert set(document["metadata"][half]) == set(leaves(document[half]))
        assert all(isinstance(stamp, str) for stamp in document["metadata"][half].values())
        assert path_bytes(document[half]) == sum(len(path.encode()) for path in leaves(document[half]))
    caught_up = update(shadow, Side.REPORTED, shadow.delta, AT)
    assert caught_up.delta == {}
    told = Desired(shadow.version, shadow.desired, shadow.delta)
    assert Desired.decode(told.encode()) == told


@given(updates, changes, st.integers(0, 20))
@settings(max_examples=100, deadline=None)
def test_a_conflict_is_exactly_another_version(
    history: list[tuple[Side, Any]], change: dict[str, Any], expected: int
) -> None:
    shadow = EMPTY
    for side, each in history:
        shadow = update(shadow, side, each, AT)
    if expected == shadow.version:
        assert update(shadow, Side.DESIRED, change, AT, expected).version == expected + 1
    else:
        with pytest.raises(VersionConflict) as caught:
            update(shadow, Side.DESIRED, change, AT, expected)
        assert caught.value.extra == {"current_version": shadow.version}


def test_only_the_leaves_that_a_change_names_get_its_time() -> None:
    one = update(EMPTY, Side.DESIRED, {"gpio_config": {"pin_17": "output", "pin_27": "input"}}, AT)
    two = update(one, Side.DESIRED, {"gpio_config": {"pin_17": "input"}}, AT + timedelta(hours=1))
    assert two.desired_metadata == {
        "gpio_config.pin_17": "2026-03-01T01:00:00Z",
        "gpio_config.pin_27": "2026-03-01T00:00:00Z",
    }
    gone = update(two, Side.DESIRED, {"gpio_config": None}, AT)
    assert (gone.desired, gone.desired_metadata) == ({}, {})


def test_limits_state_the_size() -> None:
    with pytest.raises(ShadowTooLarge) as caught:
        update(EMPTY, Side.DESIRED, {"a": "x" * MAX_DOCUMENT_BYTES}, AT)
    assert str(MAX_DOCUMENT_BYTES + 8) in caught.value.detail
    assert str(MAX_DOCUMENT_BYTES) in caught.value.detail
    full = update(EMPTY, Side.DESIRED, {"a": "x" * (MAX_DOCUMENT_BYTES - 8)}, AT)
    with pytest.raises(ShadowTooLarge):
        update(full, Side.DESIRED, {"b": 1}, AT)
    assert update(full, Side.DESIRED, {"a": None, "b": 1}, AT).desired == {"b": 1}
    assert update(full, Side.REPORTED, {"b": 1}, AT).reported == {"b": 1}  # halves are bounded apart


def nested(depth: int) -> dict[str, object]:
    document: dict[str, object] = {"leaf": 1}
    for _ in range(depth - 1):
        document = {"d": document}
    return document


def test_depth_is_eight() -> None:
    assert update(EMPTY, Side.DESIRED, nested(8), AT).version == 1
    with pytest.raises(Problem) as caught:
        update(EMPTY, Side.DESIRED, nested(9), AT)
    assert caught.value.code == "document_too_deep"


def test_long_keys_above_many_leaves_do_not_multiply() -> None:
    bomb = {"k" * 30_000: {str(number): 1 for number in range(3_000)}}
    with pytest.raises(ShadowTooLarge) as caught:
        update(EMPTY, Side.REPORTED, bomb, AT)
    assert str(METADATA_LIMIT) in caught.value.detail


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "half \ud800"])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    for change in ({"a": value}, {"a": {"b": [value]}}):
        with pytest.raises(Problem) as caught:
            update(EMPTY, Side.DESIRED, change, AT)
        assert caught.value.code == "document_not_json"
