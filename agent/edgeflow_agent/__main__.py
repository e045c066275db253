"""`python -m edgeflow_agent`, the same as the `edgeflow-agent` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
