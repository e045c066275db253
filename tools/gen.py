"""Everything that is generated and committed. `python -m tools.gen` writes it, `--check` says what is stale.

The console's API client is made by @hey-api/openapi-ts from cloud/openapi.json into web/src/api/generated.
"""

import filecmp
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools import openapi, reference
from tools.root import BIN, OPENAPI, ROOT, WEB

CLIENT = WEB / "src" / "api" / "generated"
TEXTS: dict[Path, Callable[[], str]] = {
    OPENAPI: openapi.render,
    ROOT / "ARCHITECTURE.md": reference.architecture,
    ROOT / "docs/reference/settings.md": reference.settings,
    ROOT / "docs/reference/close-codes.md": reference.close_codes,
    ROOT / "docs/reference/frames.md": reference.frames,
    ROOT / "docs/reference/node-types.md": reference.node_types,
}


def stale() -> list[str]:
    """Generated files that differ from what would be generated now, by their path."""
    said = [
        str(path.relative_to(ROOT))
        for path, render in TEXTS.items()
        if not path.exists() or path.read_text(encoding="utf-8") != render()
    ]
    if OPENAPI.exists():
        with tempfile.TemporaryDirectory() as folder:
            make_client(Path(folder) / "generated")
            if not same(Path(folder) / "generated", CLIENT):
                said.append(str(CLIENT.relative_to(ROOT)))
    return said


def write() -> None:
    """Write all of it."""
    for path, render in TEXTS.items():
        text = render()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "generated"
        make_client(made)
        if not same(made, CLIENT):
            shutil.rmtree(CLIENT, ignore_errors=True)
            shutil.copytree(made, CLIENT)


def make_client(folder: Path) -> None:
    """The TypeScript client for cloud/openapi.json, in `folder`. Raises RuntimeError when it cannot."""
    program = WEB / "node_modules" / ".bin" / "openapi-ts"
    answer = subprocess.run(
        [BIN / "node", program, "-i", OPENAPI, "-o", folder, "-s", "--no-log-file"],
        cwd=WEB,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if answer.returncode:
        raise RuntimeError(f"openapi-ts failed:\n{answer.stdout}{answer.stderr}")
    for path in folder.rglob("*.ts"):
        text = path.read_text(encoding="utf-8")
        # The runtime's comments link to a registry; the name is enough.
        plain = re.sub(r"\{@link https?://\S*npm\S* (`[^`]*`)\}", r"\1", text)
        if plain != text:
            path.write_text(plain, encoding="utf-8")


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files."""
    names = [sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file()) for root in (one, other)]
    return names[0] == names[1] and all(filecmp.cmp(one / n, other / n, shallow=False) for n in names[0])


def main() -> int:
    if "--check" not in sys.argv:
        write()
        return 0
    found = stale()
    if found:
        print("Stale; run `make gen` and commit: " + ", ".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
