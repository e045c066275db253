"""Which board this machine has."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import struct
from pathlib import Path

from .board import Board, NoBoard
from .simulated import SimulatedBoard

_GPIO_GET_CHIPINFO = 0x8044B401
_CHIP_INFO = struct.Struct("32s32sI")


def open_board(wanted: str, *, devices: Path = Path("/dev")) -> Board:
    """`auto`, `none` or `simulated`, as EDGEFLOW_AGENT_BOARD says. A board that cannot be used says why."""
    if wanted == "simulated":
        return SimulatedBoard()
    if wanted == "none":
        return NoBoard("The pins are turned off on this device (EDGEFLOW_AGENT_BOARD=none).")
    chips = sorted(devices.glob("gpiochip*"))
    if not chips:
        return NoBoard(
            "This machine has no pins that the agent can use: there is no /dev/gpiochip0. "
            "EDGEFLOW_AGENT_BOARD=simulated gives it pins in memory."
        )
    if not any(os.access(chip, os.R_OK | os.W_OK) for chip in chips):
        return NoBoard(
            f"The agent may not use {chips[0]}. Put its user into the group gpio "
            "(usermod -aG gpio edgeflow) and start the agent again."
        )
    if importlib.util.find_spec("gpiod") is None:
        return NoBoard("The pins need the Python package gpiod: install edgeflow-agent[hardware].")
    try:
        path, label, lines = max((_ask(chip) for chip in chips if os.access(chip, os.R_OK)), key=_rank)
    except OSError as error:
        return NoBoard(f"{chips[0]} does not answer as a GPIO chip: {error.strerror or error}.")
    from .gpiod_board import GpiodBoard

    return GpiodBoard(path, label, lines)


def _ask(chip: Path) -> tuple[Path, str, int]:
    """The chip's path, label and number of lines, by the kernel's call: without loading gpiod."""
    handle = os.open(chip, os.O_RDONLY | os.O_CLOEXEC)
    try:
        answer = fcntl.ioctl(handle, _GPIO_GET_CHIPINFO, bytes(_CHIP_INFO.size))
    finally:
        os.close(handle)
    _, label, lines = _CHIP_INFO.unpack(answer)
    return chip, label.rstrip(b"\0").decode("utf-8", "replace"), lines


def _rank(found: tuple[Path, str, int]) -> tuple[bool, int]:
    """The header's pins are the processor's own (a pinctrl chip), not an expander's."""
    return found[1].startswith("pinctrl"), found[2]
