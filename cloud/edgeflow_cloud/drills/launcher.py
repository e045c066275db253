"""Starts `edgeflow-cloud` for a drill: `python -m edgeflow_cloud.drills.launcher [--mutant NAME] serve --role hub`.

Nothing in the product knows of mutants. They are put over it here, in the drill's own process, before it starts.
"""

import sys
from importlib import import_module


def main() -> None:
    """Break what is to be broken, then be `edgeflow-cloud`."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--mutant"]:
        import_module("edgeflow_cloud.drills.mutants").break_it(arguments[1])
        arguments = arguments[2:]
    sys.argv = ["edgeflow-cloud", *arguments]
    import_module("edgeflow_cloud.app.cli").main()


if __name__ == "__main__":
    main()
