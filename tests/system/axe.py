"""What axe-core finds wrong with a page for people who do not see it, use no mouse, or need contrast."""

from pathlib import Path
from typing import TypedDict, cast

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = """async only => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'], runOnly: only })
    const where = nodes => nodes.map(node => node.html.slice(0, 200))
    return violations.map(({ id, help, nodes }) => ({ id, help, where: where(nodes) }))
}"""


class Violation(TypedDict):
    """A rule that a page breaks, and the first characters of each element that breaks it."""

    id: str
    help: str
    where: list[str]


def violations(page: Page, *rules: str) -> list[Violation]:
    """What the WCAG 2.2 AA rules, or only those named, find on the page as it is shown now; needs `npm ci` in web/."""
    if not page.evaluate("() => 'axe' in window"):
        # Over the debugger, not as a script element: the console's content policy would refuse that one.
        page.evaluate(_SCRIPT.read_text())
    return cast("list[Violation]", page.evaluate(_RUN, list(rules) or _STANDARDS))
