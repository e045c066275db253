"""Laws of the shadow algebra, for any documents."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given

from edgeflow_protocol import DocumentError, shadow
from protocol.tests.material import changes


@given(changes, changes)
def test_merge_is_idempotent(document: dict[str, object], change: dict[str, object]) -> None:
    once = shadow.merge(shadow.merge({}, document), change)
    assert shadow.same(shadow.merge(once, change), once)


@given(changes, changes)
def test_merge_leaves_no_null_and_touches_nothing(
    document: dict[str, object], change: dict[str, object]
) -> None:
    before = copy.deepcopy((document, change))
    merged = shadow.merge(shadow.merge({}, document), change)
    assert None not in shadow.leaves(merged).values()
    assert (document, change) == before


@given(changes, changes)
def test_reporting_the_delta_empties_it(wanted: dict[str, object], known: dict[str, object]) -> None:
    desired, reported = shadow.merge({}, wanted), shadow.merge({}, known)
    missing = shadow.delta(desired, reported)
    assert shadow.delta(desired, shadow.merge(reported, missing)) == {}


@given(changes)
def test_a_document_is_in_step_with_itself(wanted: dict[str, object]) -> None:
    desired = shadow.merge({}, wanted)
    assert shadow.delta(desired, desired) == {}
    assert shadow.same(shadow.merge({}, shadow.delta(desired, {})), desired)


@given(changes)
def test_paths_find_their_leaves(wanted: dict[str, object]) -> None:
    document = shadow.merge({}, wanted)
    for path, leaf in shadow.leaves(document).items():
        found: object = document
        for key in shadow.split_path(path):
            assert isinstance(found, dict)
            found = found[key]
        assert found is leaf


@given(changes, changes)
def test_stamps_cover_exactly_the_leaves(first: dict[str, object], second: dict[str, object]) -> None:
    one = shadow.merge({}, first)
    stamps = shadow.stamp({}, first, one, "t1")
    two = shadow.merge(one, second)
    later = shadow.stamp(stamps, second, two, "t2")
    assert later.keys() == shadow.leaves(two).keys()
    named = shadow.leaves(second)
    for path in later:
        if path in named:
            assert later[path] == "t2"
        elif path in stamps:
            assert later[path] == "t1"


def nested(depth: int) -> dict[str, object]:
    document: dict[str, object] = {}
    for _ in range(depth - 1):
        document = {"k": document}
    return document


def test_limits() -> None:
    shadow.check(nested(shadow.MAX_DOCUMENT_DEPTH))
    with pytest.raises(DocumentError) as deep:
        shadow.check(nested(shadow.MAX_DOCUMENT_DEPTH + 1))
    assert deep.value.code == "document_too_deep"
    with pytest.raises(DocumentError) as array:
        shadow.check({"a": [[[[[[[[1]]]]]]]]})
    assert array.value.code == "document_too_deep"
    shadow.check({"k": "x" * (shadow.MAX_DOCUMENT_BYTES - 8)})
    with pytest.raises(DocumentError) as large:
        shadow.check({"k": "x" * (shadow.MAX_DOCUMENT_BYTES - 7)})
    assert large.value.code == "document_too_large"
    with pytest.raises(DocumentError) as odd:
        shadow.check({"k": "\ud800"})
    assert odd.value.code == "document_not_json"
