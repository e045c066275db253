"""What `up` says to a person: few lines, the same with and without a terminal."""

import sys
from contextlib import suppress

from rich.console import Console
from rich.text import Text


class Terminal:
    """Lines on stdout, complaints on stderr. A reader that has gone away is no reason to end."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def title(self, text: str) -> None:
        """The first line."""
        self._print(Text(text, style="bold"))

    def step(self, text: str, seconds: float) -> None:
        """Something is ready that took a while."""
        self._print(Text.assemble(("  ✓ ", "green"), text, (f"  {seconds:.1f} s", "dim")))

    def fact(self, name: str, value: str, note: str = "") -> None:
        """One thing to know."""
        self._print(
            Text.assemble(f"    {name:<10}", (value, "bold cyan"), (f"  {note}" if note else "", "dim"))
        )

    def note(self, text: str) -> None:
        """An aside."""
        self._print(Text(f"  {text}", style="dim"))

    def online(self, text: str) -> None:
        """A device came alive."""
        self._print(Text.assemble(("  ● ", "green"), text))

    def warn(self, text: str) -> None:
        """Something to look at, on stderr."""
        with suppress(OSError):
            self._err.print(Text.assemble(("  ! ", "yellow"), text))

    def fail(self, text: str, evidence: str = "") -> None:
        """Why the command ends, on stderr, with the end of a log below it when that helps."""
        with suppress(OSError):
            self._err.print(Text.assemble(("edgeflow-cloud: ", "bold red"), text))
            if evidence:
                self._err.print(
                    Text("\n".join(f"    {line}" for line in evidence.splitlines()[-12:]), style="dim")
                )

    def blank(self) -> None:
        """An empty line."""
        self._print(Text(""))

    def _print(self, text: Text) -> None:
        with suppress(OSError):
            self._out.print(text)
            sys.stdout.flush()
