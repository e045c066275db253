"""Which board this machine has."""

from __future__ import annotations

from .board import Board, NoBoard, SimulatedBoard


def open_board(wanted: str) -> Board:
    """`auto`, `none` or `simulated`, as EDGEFLOW_AGENT_BOARD says. A board that cannot be used says why."""
    if wanted == "simulated":
        return SimulatedBoard()
    if wanted == "none":
        return NoBoard("The pins are turned off on this device (EDGEFLOW_AGENT_BOARD=none).")
    return NoBoard("This machine has no pins that the agent can use.")
