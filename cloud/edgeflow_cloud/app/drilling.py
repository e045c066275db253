"""What `edgeflow-cloud drill` was asked for, made into drills that run, and their verdicts into lines."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from edgeflow_cloud import device_drills, outage_drills, tenant_drills
from edgeflow_cloud.drills import Drill, Order, Verdict, run_drills
from edgeflow_cloud.infra.observability import configure_logs

_MODULES = (*outage_drills.MODULES, *device_drills.MODULES, *tenant_drills.MODULES)
DRILLS: dict[str, Drill] = {module.DRILL.name: module.DRILL for module in _MODULES}
"""All drills by name."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The command line. None: as the drill has it."""

    names: list[str]
    seed: int
    seconds: float | None
    devices: int | None
    mutant: str
    whole: bool
    logs: Path | None


def list_drills() -> list[str]:
    """Every drill with its question and its mutants."""
    lines: list[str] = []
    for drill in DRILLS.values():
        lines.append(f"{drill.name:<14}{drill.question}")
        lines += [f"{'':<14}--mutant {name}: {what}" for name, what in drill.mutants.items()]
    return lines


def run_wishes(wish: Wish, say: Callable[[str], None]) -> list[dict[str, object]]:
    """Run them in an event loop of its own; a document for each. Raises LookupError with a sentence."""
    orders = [(drill, _order(drill, wish)) for drill in _chosen(wish)]
    configure_logs(style="readable", level="error")  # ours; those of the cloud's processes are in their files

    def told(verdict: Verdict) -> None:
        for line in lines_of(verdict):
            say(line)

    async def run() -> list[Verdict]:
        # A drill that is told to end cleans up what it has started.
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await run_drills(orders, say, told)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return [document(verdict) for verdict in runner.run(run())]


def lines_of(verdict: Verdict) -> list[str]:
    """The facts, what was broken, and the verdict."""
    lines = [f"          {name}: {value}" for name, value in verdict.facts.items()]
    lines += [f"  BROKEN  {text}" for text in verdict.broken]
    return [*lines, verdict.sentence]


def document(verdict: Verdict) -> dict[str, object]:
    """For `--report`."""
    return {
        "drill": verdict.drill,
        "mutant": verdict.order.mutant,
        "seed": verdict.order.seed,
        "outcome": verdict.outcome.name.lower(),
        "exit_code": int(verdict.outcome),
        "seconds": round(verdict.seconds, 1),
        "facts": {
            name: value if isinstance(value, int | float) else str(value)
            for name, value in verdict.facts.items()
        },
        "broken": list(verdict.broken),
        "reason": verdict.reason,
    }


def _chosen(wish: Wish) -> list[Drill]:
    names = list(DRILLS) if wish.names == ["all"] else wish.names
    for name in names:
        if name not in DRILLS:
            raise LookupError(f"There is no drill {name!r}; there are {', '.join(DRILLS)}, and `all`.")
        if wish.mutant and wish.mutant not in DRILLS[name].mutants:
            known = ", ".join(DRILLS[name].mutants) or "none"
            raise LookupError(f"The drill {name} has no mutant {wish.mutant!r}; it has {known}.")
    return [DRILLS[name] for name in names]


def _order(drill: Drill, wish: Wish) -> Order:
    return Order(
        seed=wish.seed,
        seconds=drill.seconds if wish.seconds is None else wish.seconds,
        devices=drill.devices if wish.devices is None else wish.devices,
        mutant=wish.mutant,
        whole=wish.whole,
        logs=wish.logs,
    )
