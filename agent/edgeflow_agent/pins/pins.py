"""Who uses which pin: nodes of flows, the shadow's `gpio_config`, and commands. The board does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from .board import OUTPUTS, Board, BoardError, NoBoard

_SHADOW = "the shadow's gpio_config"


class Pins:
    """One per agent."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._desired: dict[int, str] = {}
        self._users: dict[int, str] = {}

    def require(self) -> Board:
        """The board. Raises BoardError with the reason where there is none."""
        if isinstance(self.board, NoBoard):
            raise BoardError(self.board.reason)
        return self.board

    def claim(self, pin: int, user: str) -> None:
        """The pin is this user's alone until `release`. Raises BoardError with who has it. A command's use of a pin is
        over when it is done: it claims nothing."""
        self._refuse_others(pin, user)
        self._users[pin] = user

    def release(self, pin: int, user: str, *, keep: bool = False) -> None:
        """The user leaves the pin; `keep` leaves it as it is, driven, until somebody else uses it."""
        if self._users.get(pin) == user:
            del self._users[pin]
            if not keep:
                self.board.free(pin)

    def _refuse_others(self, pin: int, user: str) -> None:
        holder = self._users.get(pin, user)
        if holder != user:
            raise BoardError(
                f"The pin {pin} is used by {holder}. Choose another pin, or free it there first."
            )

    @property
    def available(self) -> bool:
        """Whether there is a board."""
        return not isinstance(self.board, NoBoard)

    def desire(self, modes: Mapping[int, str]) -> dict[int, str]:
        """The shadow wants these pins so; those that it wanted before and does not now are left. What cannot be."""
        for pin in self._desired.keys() - modes.keys():
            self.release(pin, _SHADOW)
        troubles: dict[int, str] = {}
        for pin, mode in modes.items():
            if self._desired.get(pin) == mode:
                continue
            try:
                self.claim(pin, _SHADOW)
                self.board.use(pin, mode)
            except BoardError as error:
                self.release(pin, _SHADOW)
                troubles[pin] = str(error)
        self._desired = {pin: mode for pin, mode in modes.items() if pin not in troubles}
        return troubles

    def set(self, pin: int, mode: str | None, value: int | None) -> dict[str, object]:
        """By command: use the pin in this mode, then write the value; what it is then. Raises BoardError,
        for a pin that a flow uses, too."""
        self._refuse_others(pin, self._users.get(pin, "") if pin in self._desired else "")
        if mode is not None:
            self.board.use(pin, mode)
        if value is not None:
            used = next((state for state in self.board.pins() if state.pin == pin), None)
            if used is None or (mode is None and used.mode not in OUTPUTS):
                self.board.use(pin, "output")
            self.board.write(pin, value)
        state = next((state for state in self.board.pins() if state.pin == pin), None)
        if state is None:
            raise BoardError(f"The pin {pin} is not in use. Give it a `mode` or a `value`.")
        return {"pin": pin, "mode": state.mode, "value": state.value}

    def describe(self) -> dict[str, object]:
        """The tunnel's `get_gpio_state`."""
        if isinstance(self.board, NoBoard):
            return {"available": False, "message": self.board.reason}
        board = self.board
        return {
            "available": True,
            "board": board.name,
            "chip": board.chip,
            "capabilities": {
                "num_gpio": board.num_gpio,
                "num_pwm": board.num_pwm,
                "num_i2c": board.num_i2c,
                "num_spi": board.num_spi,
            },
            "active_pins": [
                {
                    "pin": state.pin,
                    "mode": state.mode,
                    "value": state.value,
                    **({} if state.duty is None else {"duty": state.duty, "frequency": state.frequency}),
                }
                for state in board.pins()
            ],
        }

    def describe_locally(self) -> dict[str, object]:
        """The local API's `gpio/state`."""
        shown: dict[str, object] = {
            "pins": {
                str(state.pin): {
                    "bcm_pin": state.pin,
                    "value": state.value,
                    "mode": state.mode,
                    "edge_count": state.edge_count,
                    "last_change": datetime.fromtimestamp(state.last_change, UTC).isoformat()
                    if state.last_change
                    else None,
                    **({} if state.duty is None else {"duty": state.duty, "frequency": state.frequency}),
                }
                for state in self.board.pins()
            },
            "board_name": self.board.name,
            "gpio_chip": self.board.chip,
            "available": self.available,
            "timestamp": datetime.now(UTC).isoformat(),
        }
        if isinstance(self.board, NoBoard):
            shown["message"] = self.board.reason
        return shown
