"""The plan: pure, convergent, and never more than was asked."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow_agent.settings import LOG_LEVELS
from edgeflow_agent.shadow import Refuse, SetLogLevel, SetMetricsInterval, ShadowRunner, plan
from edgeflow_agent.shadow.plan import ERRORS, LOG_LEVEL, METRICS_INTERVAL
from edgeflow_agent.state import StateFolder
from edgeflow_protocol.shadow import merge, same

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.just({"a": 1}),
    st.sampled_from(LOG_LEVELS),
)
documents = st.dictionaries(
    st.sampled_from([LOG_LEVEL, METRICS_INTERVAL, "other", ERRORS]), values, max_size=4
)


def runner(folder: Path, intervals: list[float]) -> ShadowRunner:
    return ShadowRunner(
        StateFolder.open(folder), log_level="info", metrics_interval=10, set_metrics_interval=intervals.append
    )


@given(documents, documents)
def test_a_plan_is_a_function_of_the_documents(
    desired: dict[str, object], reported: dict[str, object]
) -> None:
    before = (dict(desired), dict(reported))
    assert plan(desired, reported) == plan(desired, reported)
    assert (desired, reported) == before


@given(documents, documents)
def test_every_step_was_asked_for_and_can_be(desired: dict[str, object], reported: dict[str, object]) -> None:
    for step in plan(desired, reported):
        match step:
            case SetLogLevel(level):
                assert level in LOG_LEVELS
                assert desired[LOG_LEVEL] == level
            case SetMetricsInterval(seconds):
                assert 1 <= seconds <= 3600
                assert same(desired[METRICS_INTERVAL], seconds)
            case Refuse(key, reason):
                assert key in desired
                assert reason.endswith(".")
            case _:
                pass


@settings(max_examples=60)
@given(st.lists(documents, min_size=1, max_size=4))
def test_what_was_done_leaves_nothing_to_do(changes: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        shadow = runner(Path(folder), [])
        for version, change in enumerate(changes):
            desired = merge(shadow.desired, change)
            shadow.accept_desired(desired, version)
            assert plan(merge({LOG_LEVEL: "info", METRICS_INTERVAL: 10}, desired), shadow.reported) == []
            assert shadow.accept_desired(desired, version) == {}
            assert shadow.reported[LOG_LEVEL] in LOG_LEVELS


def test_a_restart_becomes_what_was_desired(tmp_path: Path) -> None:
    intervals: list[float] = []
    first = runner(tmp_path, intervals)
    first.accept_desired({METRICS_INTERVAL: 3, "flow": {"x": 1}}, 7)
    first._folder.close()
    again = runner(tmp_path, intervals)
    again.load()
    assert intervals == [3, 3]
    assert again.version == 7
    document = again.document("dev_1")
    assert document["delta"] == {"flow": {"x": 1}}
    assert document["version"] == 7


def test_a_stored_shadow_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "shadow.json").write_text("[]")
    shadow = runner(tmp_path, [])
    shadow.load()
    assert shadow.desired == {}
    assert (tmp_path / "shadow.json.broken").exists()
