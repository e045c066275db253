"""`edgeflow-cloud drill`: prove that what is promised holds when things are killed."""

import json
import random
from pathlib import Path
from typing import Annotated

import typer

from edgeflow_cloud.app.terminal import Terminal


def drill(
    names: Annotated[list[str], typer.Argument(help="Drills, `all`, or `list` to see what there is.")],
    seed: Annotated[int | None, typer.Option(help="Repeats a run's dice; printed at the end.")] = None,
    seconds: Annotated[float | None, typer.Option(help="How long things go wrong.", min=1)] = None,
    devices: Annotated[int | None, typer.Option(help="How many devices.", min=1)] = None,
    mutant: Annotated[str, typer.Option(help="Break something on purpose; the drill must fail then.")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="Two processes of every role.")] = False,
    logs: Annotated[Path | None, typer.Option(help="Leave the logs of the cloud's processes there.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the verdicts there as JSON.")] = None,
) -> None:
    """Run drills on a cloud of their own in a temporary folder.

    Exit code: 0 passed, 1 a promise was broken, 2 it could not run (which is never a pass).
    """
    terminal = Terminal()
    from edgeflow_cloud.app.drilling import Wish, list_drills, run_wishes

    if names == ["list"]:
        for line in list_drills():
            typer.echo(line)
        return
    chosen = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    wish = Wish(names, chosen, seconds, devices, mutant, whole, logs)
    try:
        verdicts = run_wishes(wish, typer.echo)
    except LookupError as error:
        terminal.fail(str(error.args[0]))
        raise typer.Exit(2) from None
    if report is not None:
        report.write_text(json.dumps(verdicts, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(max(int(str(verdict["exit_code"])) for verdict in verdicts))
