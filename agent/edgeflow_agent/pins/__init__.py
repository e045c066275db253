"""The device's pins as commands, the shadow and the local API use them, over whatever board there is."""

from .board import Board, BoardError, NoBoard, PinState, SimulatedBoard
from .opening import open_board
from .pins import Pins

__all__ = ["Board", "BoardError", "NoBoard", "PinState", "Pins", "SimulatedBoard", "open_board"]
