"""Build the documentation into site/. Fails on a warning: a page that is not reached, a link that is dead."""

import subprocess
import sys

from tools.root import BIN, ROOT

CONFIGURATION = ROOT / "zensical.toml"


def main() -> int:
    answer = subprocess.run(
        [BIN / "zensical", "build", "--strict", "--clean", "--config-file", CONFIGURATION],
        cwd=ROOT,
        timeout=300,
    )
    if answer.returncode == 0:
        print("The documentation is in site/index.html")
    return answer.returncode


if __name__ == "__main__":
    sys.exit(main())
