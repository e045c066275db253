"""What a drill says at its end, whatever happens in it; and the command line that asks for one."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from edgeflow_cloud.app.cli import app
from edgeflow_cloud.app.drilling import DRILLS, document, lines_of
from edgeflow_cloud.drills import CannotRun, Drill, Order, Outcome, Report, run_drill
from edgeflow_cloud.drills.ground import Ground
from edgeflow_cloud.drills.mutants import _MUTANTS, _over, break_it
from edgeflow_cloud.outage_drills.herd import fullest_second

ORDER = Order(seed=7, seconds=0.2, devices=1)
CLIENT_SIDE = {"synchronous-commit-off", "no-jitter", "no-goodbye", "blind", "no-store", "no-rls", "sticky"}
"""Mutants that are no patch of a process: the drill itself does them."""


class Bare:
    """A ground that has nothing."""

    database = valkey = SimpleNamespace(child=SimpleNamespace(alive=lambda: True))

    async def calm(self) -> None:
        """There is nothing to mend."""


async def verdict_of(run: Callable[[Ground, Order, Report], Awaitable[None]]) -> Any:
    drill = Drill("sample", "Is it so?", run, {}, 1.0, 1)
    return await run_drill(cast(Ground, Bare()), drill, ORDER, lambda _: None)


async def test_kept_promises_pass() -> None:
    async def run(_g: Ground, _o: Order, report: Report) -> None:
        report.fact("lost", 0)
        report.check(True, "nothing is lost")

    verdict = await verdict_of(run)
    assert (verdict.outcome, document(verdict)["exit_code"]) == (Outcome.PASSED, 0)
    assert lines_of(verdict)[-1].startswith("sample: PASSED, seed 7")


async def test_a_broken_promise_fails() -> None:
    async def run(_g: Ground, _o: Order, report: Report) -> None:
        report.check(False, "nothing is lost: 3 are")
        report.check(True, "nothing is stored twice")

    verdict = await verdict_of(run)
    assert (verdict.outcome, verdict.broken) == (Outcome.FAILED, ["nothing is lost: 3 are"])
    assert "  BROKEN  nothing is lost: 3 are" in lines_of(verdict)


@pytest.mark.parametrize(
    "error", [CannotRun("no parts"), RuntimeError("a fault of the drill"), TimeoutError()]
)
async def test_what_did_not_run_never_passes(error: Exception) -> None:
    async def run(_g: Ground, _o: Order, report: Report) -> None:
        report.check(True, "so far so good")
        raise error

    verdict = await verdict_of(run)
    assert (verdict.outcome, document(verdict)["exit_code"]) == (Outcome.COULD_NOT_RUN, 2)
    assert verdict.reason


async def test_a_drill_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeflow_cloud.drills.run._LIMIT", 0.1)

    async def run(_g: Ground, _o: Order, _r: Report) -> None:
        await asyncio.Event().wait()

    assert (await verdict_of(run)).outcome is Outcome.COULD_NOT_RUN


def test_dice_of_a_seed_repeat() -> None:
    assert ORDER.dice("kills").random() == Order(7, 1, 1).dice("kills").random()
    assert ORDER.dice("kills").random() != ORDER.dice("people").random()


def test_every_mutant_is_known() -> None:
    named = {mutant for drill in DRILLS.values() for mutant in drill.mutants}
    assert named - CLIENT_SIDE == set(_MUTANTS)
    assert all(drill.mutants for drill in DRILLS.values())


def test_a_mutant_that_breaks_nothing_does_not_start() -> None:
    with pytest.raises(LookupError, match="Nothing to break"):
        _over("telemetry.ingest", "Ingest.shop", lambda original: original)
    with pytest.raises(KeyError):
        break_it("no-such-mutant")


def test_the_fullest_second() -> None:
    assert fullest_second([]) == 0
    assert fullest_second([5.0, 0.0, 0.5, 0.9, 1.2, 3.0]) == 3


def test_the_command_line() -> None:
    runner = CliRunner()
    listed = runner.invoke(app, ["drill", "list"])
    assert listed.exit_code == 0 and all(name in listed.output for name in DRILLS)
    for arguments in (["drill", "fire"], ["drill", "ack", "--mutant", "no-jitter"]):
        assert runner.invoke(app, arguments).exit_code == 2
