"""The plan: pure, convergent, and never more than was asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow_agent.settings import LOG_LEVELS
from edgeflow_agent.shadow import NoEffects, Refuse, SetLogLevel, SetMetricsInterval, ShadowRunner, plan
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


class Recorder(NoEffects):
    """What the device was told to do."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.pins: dict[int, str] = {}
        self.flows: object = None

    def set_environment(self, values: Mapping[str, str]) -> None:
        self.environment = dict(values)

    def set_secrets(self, values: Mapping[str, str]) -> None:
        self.secrets = dict(values)

    def set_pins(self, modes: Mapping[int, str]) -> dict[int, str]:
        self.pins = dict(modes)
        return {99: "There is no pin 99."} if 99 in modes else {}

    def want_flows(self, desired: object) -> None:
        self.flows = desired


def test_what_flows_see_and_pins_is_done_reported_and_taken_back(tmp_path: Path) -> None:
    did, intervals = Recorder(), []
    shadow = ShadowRunner(
        StateFolder.open(tmp_path),
        log_level="info",
        metrics_interval=10,
        set_metrics_interval=intervals.append,
        effects=did,
        vault=None,
    )
    desired = {
        "environment": {"SITE": "mill", "LIMIT": 4, "FAST": True},
        "secrets": {"TOKEN": "s3cret-value"},
        "autostart": False,
        "gpio_config": {"pin_17": "output", "pin_99": "input"},
        "metric_interval_seconds": 5,
        "flows": {"f": {"version": 1}},
    }
    change = shadow.accept_desired(desired, 1)
    assert did.environment == {"SITE": "mill", "LIMIT": "4", "FAST": "true"}
    assert did.secrets == {"TOKEN": "s3cret-value"}
    assert did.pins == {17: "output", 99: "input"}
    assert did.flows == {"f": {"version": 1}}
    assert intervals == [5]
    assert change["secrets"] == {"TOKEN": "***"}
    assert shadow.reported["gpio_config"] == {"pin_17": "output"}
    assert shadow.reported["shadow_errors"] == {"gpio_config": "There is no pin 99."}
    assert not shadow.autostart
    assert shadow.accept_desired(desired, 2) == {}
    assert "s3cret-value" not in repr((shadow.reported, shadow.document("d"), shadow.delta(), change))
    assert all(b"s3cret-value" not in path.read_bytes() for path in tmp_path.iterdir())

    shadow._folder.close()
    again = ShadowRunner(
        StateFolder.open(tmp_path),
        log_level="info",
        metrics_interval=10,
        set_metrics_interval=intervals.append,
        effects=(fresh := Recorder()),
    )
    again.load()
    assert (fresh.secrets, fresh.environment, fresh.pins) == (did.secrets, did.environment, did.pins)

    change = again.accept_desired({"gpio_config": {"pin_17": "input"}}, 3)
    assert change["gpio_config"] == {"pin_17": "input"}
    assert change["shadow_errors"] == {"gpio_config": None}
    assert change["metric_interval_seconds"] is None
    assert (fresh.secrets, fresh.environment, intervals[-1]) == ({}, {}, 10)
    assert change["secrets"] == {"TOKEN": None}
    assert again.autostart
    assert fresh.flows is None


def test_what_cannot_be_is_refused_by_its_key(tmp_path: Path) -> None:
    shadow = runner(tmp_path, [])
    for key, wrong in (
        ("environment", {"no name": "x"}),
        ("environment", {"A": []}),
        ("secrets", {"A": 1}),
        ("secrets", "x"),
        ("autostart", "yes"),
        ("gpio_config", {"seventeen": "output"}),
        ("gpio_config", {"pin_17": "sideways"}),
        ("gpio_config", {"pin_17": "input", "17": "output"}),
        ("gpio_config", []),
    ):
        change = shadow.accept_desired({key: wrong}, 1)
        assert change["shadow_errors"][key].endswith("."), (key, wrong)  # type: ignore[index]
        shadow.accept_desired({}, 1)


def test_a_stored_shadow_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "shadow.json").write_text("[]")
    shadow = runner(tmp_path, [])
    shadow.load()
    assert shadow.desired == {}
    assert (tmp_path / "shadow.json.broken").exists()
