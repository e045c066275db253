"""Starts `edgeflow-cloud` for a drill: `python -m …drills.launcher [--mutant NAME] [--limit NAME=VALUE] serve …`.

Nothing in the product knows of mutants. They are put over it here, in the drill's own process, before it starts.
"""

import os
import sys
from importlib import import_module


def main() -> None:
    """Break what is to be broken, then be `edgeflow-cloud`."""
    arguments = sys.argv[1:]
    while arguments[:1] in (["--mutant"], ["--limit"]):
        mutants = import_module("edgeflow_cloud.drills.mutants")
        (mutants.break_it if arguments[0] == "--mutant" else mutants.limit)(arguments[1])
        arguments = arguments[2:]
    if clock := os.environ.get("EDGEFLOW_DRILL_CLOCK"):
        import_module("edgeflow_cloud.drills.mutants").follow_clock(clock)
    sys.argv = ["edgeflow-cloud", *arguments]
    import_module("edgeflow_cloud.app.cli").main()


if __name__ == "__main__":
    main()
