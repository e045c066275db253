"""Ids read back as what they were written from, and nothing else does."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_cloud.kernel import ids


@given(st.uuids())
def test_an_id_survives_the_wire(value: UUID) -> None:
    assert ids.decode("dev", ids.encode("dev", value)) == value


@given(st.uuids(), st.uuids())
def test_text_sorts_as_ids_do(one: UUID, other: UUID) -> None:
    assert (ids.encode("dev", one) < ids.encode("dev", other)) == (one.int < other.int)


@given(st.text(max_size=40))
def test_other_text_is_refused_or_reads_back_the_same(text: str) -> None:
    try:
        value = ids.decode("dev", text)
    except ids.MalformedId:
        return
    assert ids.encode("dev", value) == text


@pytest.mark.parametrize(
    "text", ["usr_" + "0" * 26, "dev_" + "z" * 26, "dev_" + "0" * 25, "dev_" + "A" * 26, "", "dev_"]
)
def test_near_misses_are_refused(text: str) -> None:
    with pytest.raises(ids.MalformedId):
        ids.decode("dev", text)
