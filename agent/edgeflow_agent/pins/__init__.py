"""The device's pins as flows, commands, the shadow and the local API use them, over whatever board there is."""

from .board import Board, BoardError, Climate, Edge, Edges, NoBoard, PinState, Pwm, read_level
from .opening import open_board
from .pins import Pins
from .simulated import SimulatedBoard

__all__ = [
    "Board",
    "BoardError",
    "Climate",
    "Edge",
    "Edges",
    "NoBoard",
    "PinState",
    "Pins",
    "Pwm",
    "SimulatedBoard",
    "open_board",
    "read_level",
]
