"""The ledger is read back from its file, and the comparison sees what is lost, twice or made up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edgeflow_cloud.drills.checks import Stored, check_commands, check_samples, judge_samples
from edgeflow_cloud.drills.frame import Report
from edgeflow_cloud.drills.ledger import Ledger, Witness, microseconds

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def times(first: int, count: int) -> list[datetime]:
    return [NOW + timedelta(microseconds=first + n) for n in range(count)]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.made("dev_a", "boot", 1, times(0, 2))
        ledger.made("dev_a", "boot", 2, times(10, 2))
        ledger.acknowledged("dev_a", "boot", 1, "")
        ledger.ordered("dev_a", "cmd_1")
        ledger.ran("dev_a", "cmd_1", "health_check")
        ledger.ran("dev_a", "cmd_1", "health_check")
    witness = ledger.read()
    start = microseconds(NOW)
    assert witness.made == {
        ("dev_a", start): True,
        ("dev_a", start + 1): True,
        ("dev_a", start + 10): False,
        ("dev_a", start + 11): False,
    }
    assert witness.acknowledged == 2
    assert witness.orders == {"cmd_1": "dev_a"} and witness.runs["dev_a", "cmd_1"] == 2


def test_lost_twice_and_made_up_are_seen() -> None:
    witness = Witness(made={("a", 1): True, ("a", 2): True, ("a", 3): False})
    found = judge_samples(witness, {("a", 2): 2, ("a", 9): 1})
    assert (found.lost, found.twice, found.strange) == ([("a", 1)], [("a", 2)], [("a", 9)])
    clean = judge_samples(witness, {("a", 1): 1, ("a", 2): 1})
    assert not (clean.lost or clean.twice or clean.strange)


def broken(witness: Witness, stored: Stored) -> list[str]:
    report = Report(lambda _: None)
    check_samples(report, witness, stored)
    check_commands(report, witness, stored)
    return report.broken


def test_commands_are_judged() -> None:
    witness = Witness(orders={"c1": "a", "c2": "a"})
    witness.runs["a", "c1"] = 1
    assert broken(witness, Stored({}, {"c1": "done", "c2": "unknown"})) == []
    assert any("are gone" in one for one in broken(witness, Stored({}, {"c1": "done"})))
    assert any("is done did run" in one for one in broken(witness, Stored({}, {"c1": "done", "c2": "done"})))
    assert any("command ends" in one for one in broken(witness, Stored({}, {"c1": "done", "c2": "sent"})))
    witness.runs["a", "c1"] = 2
    assert any("at most once" in one for one in broken(witness, Stored({}, {"c1": "done", "c2": "failed"})))
