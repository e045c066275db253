"""`make bench`: the figures of tests/load beside their floors and their promises."""

import sys

from tests.load.bench import main

if __name__ == "__main__":
    sys.exit(main())
