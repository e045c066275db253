"""At the end of a run: how long each drill took, and all together."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a drill, the longest first; on the controller, so that it is seen under xdist too."""
    spent: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and "tests/drills/" in report.nodeid:
                name = report.nodeid.rpartition("::")[2]
                spent[name] = spent.get(name, 0.0) + report.duration
    if spent:
        terminalreporter.section("drills")
        for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
            terminalreporter.line(f"{seconds:7.1f} s  {name}")
        terminalreporter.line(f"{sum(spent.values()):7.1f} s  in all")
