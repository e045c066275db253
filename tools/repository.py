"""What may not stand in a tracked file: unfinished business, a place of one machine, a registry, a dead link.

Each check takes texts by path and returns sentences, one a violation. `python -m tools.repository` runs all
on what git tracks or would track.
"""

import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from tools.root import ROOT

Texts = Mapping[str, str]

# Spelt in pieces, so that this file passes its own checks.
UNFINISHED = re.compile(
    rf"(?<![\w\"'])({'TO' + 'DO'}|{'FIX' + 'ME'}|{'XX' + 'X'}|{'HA' + 'CK'})(?![\w\"'\\])"
)
"""Not when quoted as a whole: field devices do send such a mark as a value."""
HOSTS = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("yarnpkg", "com"),
            ("crates", "io"),
            ("rubygems", "org"),
        )
    )
)
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def tracked(root: Path = ROOT) -> dict[str, str]:
    """Text files by their path; binary ones are left out."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    texts: dict[str, str] = {}
    for name in sorted(filter(None, listing.stdout.decode().split("\0"))):
        try:
            texts[name] = (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return texts


def unfinished(texts: Texts) -> list[str]:
    """Marks of work that was left for later."""
    return [
        f"{name}:{line} says {match.group(1)}: do it now, or file an issue and take the mark away."
        for name, text in texts.items()
        if not name.endswith(".gen.ts")
        for line, match in _matches(UNFINISHED, text)
    ]


def machine_paths(texts: Texts, here: Path = ROOT) -> list[str]:
    """Paths of the checkout, or of somebody's home."""
    patterns = [r"/(?:home|Users)/(?!pi\b|edgeflow\b)[a-z]\w*/"]
    if len(here.parts) > 2:
        patterns.append(re.escape(str(here)) + r"\b")
    found = re.compile("|".join(patterns))
    return [
        f"{name}:{line} names {match.group()}, which is a place on one machine only."
        for name, text in texts.items()
        for line, match in _matches(found, text)
    ]


def registry_hosts(texts: Texts) -> list[str]:
    """Addresses of package registries: which one is used is the machine's own business."""
    return [
        f"{name}:{line} names {match.group()}: leave the choice of a registry to the machine."
        for name, text in texts.items()
        for line, match in _matches(HOSTS, text)
    ]


def dead_links(texts: Texts, exists: Callable[[str], bool] | None = None) -> list[str]:
    """Relative links of Markdown files that lead nowhere, headings included."""
    there = exists or (lambda path: (ROOT / path).exists())
    said: list[str] = []
    for name, text in texts.items():
        if not name.endswith(".md"):
            continue
        prose = FENCE.sub(lambda match: "\n" * match.group().count("\n"), text)
        for line, match in _matches(LINK, prose):
            target, _, anchor = match.group(1).partition("#")
            if re.match(r"[a-z][a-z0-9+.-]*:", target) or target.startswith("/"):
                continue
            path = _join(name, target) if target else name
            if not there(path):
                said.append(f"{name}:{line} links to {target}, which is not there.")
            elif anchor and path.endswith(".md") and anchor not in anchors(texts.get(path, "")):
                said.append(f"{name}:{line} links to {path}#{anchor}, which has no such heading.")
    return said


def anchors(text: str) -> set[str]:
    """The names that headings of a Markdown text are linked by."""
    found: set[str] = set()
    for match in HEADING.finditer(FENCE.sub("", text)):
        explicit = re.search(r"\{#([\w-]+)\}", match.group(1))
        found.add(explicit.group(1) if explicit else slug(match.group(1)))
    return found


def slug(heading: str) -> str:
    """`Life of a frame` -> `life-of-a-frame`, as the documentation's generator makes it."""
    plain = unicodedata.normalize("NFKD", re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading))
    plain = re.sub(r"[^\w\s-]", "", plain.encode("ascii", "ignore").decode()).strip().lower()
    return re.sub(r"[-\s]+", "-", plain)


def _join(name: str, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / target).parts:
        if part == "..":
            if not parts:
                return "outside"
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _matches(pattern: re.Pattern[str], text: str) -> list[tuple[int, re.Match[str]]]:
    return [(text.count("\n", 0, match.start()) + 1, match) for match in pattern.finditer(text)]


def main() -> int:
    texts = tracked()
    said = [
        sentence
        for check in (unfinished, machine_paths, registry_hosts, dead_links)
        for sentence in check(texts)
    ]
    print("\n".join(said) if said else f"{len(texts)} files are clean")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
