"""The state machine, pure: what may follow what, and that the end is the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_cloud.commands.model import (
    FINAL,
    PAYLOAD_LIMIT,
    CommandStatus,
    check_payload,
    may_follow,
    sources,
)
from edgeflow_cloud.kernel.errors import Problem

QUEUED, SENT = CommandStatus.QUEUED, CommandStatus.SENT


@given(st.lists(st.sampled_from(CommandStatus), max_size=30))
def test_a_command_has_one_final_state(wishes: list[CommandStatus]) -> None:
    status, ended = QUEUED, 0
    for wish in wishes:
        if may_follow(status, wish):
            assert status.value in sources(wish)
            assert status not in FINAL
            status = wish
            ended += status in FINAL
        else:
            assert status.value not in sources(wish)
    assert ended <= 1
    assert (ended == 1) == (status in FINAL)


def test_the_honest_differences() -> None:
    assert set(CommandStatus) - FINAL == {QUEUED, SENT}
    # What was never sent is never unknown and never done; what was sent is never called unsent.
    assert not may_follow(QUEUED, CommandStatus.UNKNOWN)
    assert not may_follow(QUEUED, CommandStatus.DONE)
    assert not may_follow(SENT, CommandStatus.EXPIRED)
    assert not may_follow(SENT, CommandStatus.CANCELLED)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"a": float("nan")}, "payload_not_json"),
        ({"a": [{"b": float("-inf")}]}, "payload_not_json"),
        ({"a": "\ud800"}, "payload_not_json"),
        ({"a": "x" * PAYLOAD_LIMIT}, "payload_too_large"),
    ],
)
def test_what_cannot_be_sent_is_refused(payload: dict[str, object], code: str) -> None:
    with pytest.raises(Problem) as caught:
        check_payload(payload)
    assert caught.value.code == code
