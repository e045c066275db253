"""Killed at random system calls by strace. Here a few; `make kills` does 200 and says what it did."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agent.tests.kills.killing import Killing
from tools.programs import STRACE

SEED = int(os.environ.get("EDGEFLOW_KILLS_SEED", "1"))


def may_trace() -> bool:
    """Whether strace is here and may trace."""
    strace = STRACE.find()
    if strace is None:
        return False
    tried = subprocess.run([strace, "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True, timeout=20)
    return tried.returncode == 0


@pytest.mark.skipif(not may_trace(), reason=STRACE.advice + " It must be allowed to trace, too.")
@pytest.mark.timeout(180)
async def test_killed_at_system_calls_it_starts_again_whole(tmp_path: Path) -> None:
    killing = Killing(tmp_path, SEED)
    await killing.run(10)
    assert sum(killing.kills.values()) == 10
    assert killing.seen[True] >= 3
    assert len(killing.ledger.read_text().split()) >= 10
