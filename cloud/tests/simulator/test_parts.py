"""The simulator's pure parts: backoff, faults, profiles, tallies, samples, identities."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from edgeflow_cloud.simulator import (
    Ailments,
    Backoff,
    BadFault,
    BadProfile,
    Credentials,
    Faults,
    Latencies,
    Pace,
    ProvisioningFailed,
    Tally,
    load,
    save,
)
from edgeflow_cloud.simulator.credentials import network
from edgeflow_cloud.simulator.fleet import read_profile
from edgeflow_cloud.simulator.samples import Gauge


def test_jitter_is_full_and_doubles_to_its_cap() -> None:
    waits = [
        [backoff.next() for _ in range(6)] for backoff in (Backoff(Pace(), Random(n)) for n in range(200))
    ]
    for attempt, most in enumerate([10, 20, 40, 60, 60, 60]):
        seen = [one[attempt] for one in waits]
        assert 0 <= min(seen) < most * 0.1 and most * 0.9 < max(seen) <= most


def test_without_jitter_all_wait_the_longest() -> None:
    assert {Backoff(Pace(jitter=False), Random(n)).next() for n in range(20)} == {10.0}


def test_what_the_cloud_asks_for_is_the_least() -> None:
    backoff = Backoff(Pace(), Random(1))
    assert all(8.0 <= backoff.next_after(8.0) <= 10.0 for _ in range(50))


def test_faults_are_read() -> None:
    assert Faults.parse(["loss=0.1", "crash=60"]) == Faults(loss=0.1, crash=60.0)
    drawn = [Ailments.draw(Faults(stall=0.5, skew=9), Random(n)) for n in range(200)]
    assert 60 < sum(one.stalls for one in drawn) < 140
    assert max(abs(one.skew) for one in drawn) <= 9


@pytest.mark.parametrize("text", ["rain=1", "loss", "loss=x", "loss=1.5", "delay=-1", "delay=nan"])
def test_a_bad_fault_is_a_sentence(text: str) -> None:
    with pytest.raises(BadFault, match="--fault"):
        Faults.parse([text])


def test_profiles_are_read() -> None:
    assert read_profile("agent") == {"agent": 1.0}
    assert read_profile("agent=0.9,field=0.1") == {"agent": 0.9, "field": 0.1}
    for text in ("robot", "agent=x", "agent=0"):
        with pytest.raises(BadProfile, match="--profile"):
            read_profile(text)


def test_quantiles_are_at_most_five_percent_off() -> None:
    latencies = Latencies()
    for number in range(1, 1001):
        latencies.add(number / 1000)
    assert 0.5 <= latencies.quantile(0.5) <= 0.525
    assert latencies.quantile(1.0) == latencies.most == 1.0
    assert Latencies().shown() == "none"


def test_a_summary_says_what_went_wrong() -> None:
    tally = Tally(devices=2, crashes=3)
    tally.closes[1012] += 2
    said = dict(tally.rows())["Besides"]
    assert "3 crashes" in said and "2 closes with 1012" in said
    assert tally.document()["closes"] == {"1012": 2}


def test_no_two_samples_have_one_time() -> None:
    gauge, moment = Gauge(Random(1)), datetime.now(UTC)
    times = [sample.time for _ in range(5) for sample in gauge.take(10, moment, 0.1)]
    assert times == sorted(set(times))


def test_each_number_is_another_board() -> None:
    assert len({str(network(number)["mac_address"]) for number in (0, 1, 255, 256, 70_000)}) == 5


def test_identities_are_kept_for_this_user_only(tmp_path: Path) -> None:
    made = [Credentials("dev_1", "efk_1", "PROV-1", 1), Credentials("dev_2", "efk_2")]
    save(tmp_path / "fleet", made)
    assert load(tmp_path / "fleet") == made
    assert (tmp_path / "fleet").stat().st_mode & 0o777 == 0o600
    (tmp_path / "fleet").write_text("{}\n")
    with pytest.raises(ProvisioningFailed, match="cannot be read"):
        load(tmp_path / "fleet")
