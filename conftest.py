"""Order of all tests, by path: pure, then the cloud on PostgreSQL, then the product as a whole.

Under xdist the system tests stay together on one worker: they start whole products, and two of
them side by side on two cores would measure each other. So do the drills on their one ground, and the tests of the
embedded parts, among themselves.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
EMBEDDED = ROOT / "cloud" / "tests" / "embedded"
DRILLS = ROOT / "tests" / "drills"
PURE, CLOUD, SYSTEM = 0, 1, 2


def stage(path: Path) -> int:
    """The stage of a test file: which of the three runs first."""
    top = path.relative_to(ROOT).parts[0] if path.is_relative_to(ROOT) else ""
    return {"protocol": PURE, "agent": PURE, "tools": PURE, "cloud": CLOUD}.get(top, SYSTEM)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: stage(item.path))  # stable: within a stage the order stays
    for item in items:
        if stage(item.path) == PURE:
            item.add_marker(pytest.mark.pure)
        elif stage(item.path) == SYSTEM:
            item.add_marker(pytest.mark.system)
            item.add_marker(
                pytest.mark.xdist_group("drills" if item.path.is_relative_to(DRILLS) else "system")
            )
        elif item.path.is_relative_to(EMBEDDED):
            item.add_marker(pytest.mark.xdist_group("embedded"))
