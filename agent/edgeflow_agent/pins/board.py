"""What a board must offer, one that is only simulated, and none at all."""

from __future__ import annotations

import time
from typing import Protocol

import msgspec

INPUTS = ("input", "input_pullup", "input_pulldown")
OUTPUTS = ("output", "output_high", "output_low")
MODES = (*INPUTS, *OUTPUTS)


class BoardError(Exception):
    """The pin cannot be used so. `str(error)` is a sentence."""


class PinState(msgspec.Struct, frozen=True):
    """One pin that is in use, by its BCM number. `last_change` is seconds since 1970, 0 while there was none."""

    pin: int
    mode: str
    value: int
    edge_count: int = 0
    last_change: float = 0.0


class Board(Protocol):
    """Pins by their BCM number. Everything raises BoardError, and may block for a millisecond."""

    name: str
    chip: str
    num_gpio: int
    num_pwm: int
    num_i2c: int
    num_spi: int

    def use(self, pin: int, mode: str) -> None:
        """Use the pin in one of `MODES`; `output_high` and `output_low` set its level too."""
        ...

    def free(self, pin: int) -> None:
        """Leave the pin; one that is not used is fine."""
        ...

    def read(self, pin: int) -> int:
        """Its level, 0 or 1."""
        ...

    def write(self, pin: int, value: int) -> None:
        """Set an output's level."""
        ...

    def pins(self) -> list[PinState]:
        """Those in use, by number."""
        ...


class NoBoard:
    """A machine without pins. Every use says so."""

    name = ""
    chip = ""
    num_gpio = num_pwm = num_i2c = num_spi = 0

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def use(self, pin: int, mode: str) -> None:
        """See Board."""
        raise BoardError(self.reason)

    def free(self, pin: int) -> None:
        """See Board."""

    def read(self, pin: int) -> int:
        """See Board."""
        raise BoardError(self.reason)

    def write(self, pin: int, value: int) -> None:
        """See Board."""
        raise BoardError(self.reason)

    def pins(self) -> list[PinState]:
        """See Board."""
        return []


class SimulatedBoard:
    """28 pins in memory: for trying things out without a board. Inputs float low, pulled-up ones read high."""

    name = "Simulated board"
    chip = "simulated"
    num_gpio, num_pwm, num_i2c, num_spi = 28, 4, 1, 2

    def __init__(self) -> None:
        self._pins: dict[int, PinState] = {}

    def use(self, pin: int, mode: str) -> None:
        """See Board."""
        if not 0 <= pin < self.num_gpio:
            raise BoardError(f"There is no pin {pin} on this board; it has 0 to {self.num_gpio - 1}.")
        if mode not in MODES:
            raise BoardError(f"The pin {pin} cannot be {mode!r}. Modes are {', '.join(MODES)}.")
        old = self._pins.get(pin)
        value = (
            old.value
            if old is not None and mode == "output"
            else int(mode in ("output_high", "input_pullup"))
        )
        self._pins[pin] = PinState(
            pin, mode, value, old.edge_count if old else 0, old.last_change if old else 0.0
        )

    def free(self, pin: int) -> None:
        """See Board."""
        self._pins.pop(pin, None)

    def read(self, pin: int) -> int:
        """See Board."""
        return self._find(pin).value

    def write(self, pin: int, value: int) -> None:
        """See Board."""
        if self._find(pin).mode not in OUTPUTS:
            raise BoardError(f"The pin {pin} is an input. Set its mode to output to write it.")
        self._set(pin, value)

    def drive(self, pin: int, value: int) -> None:
        """What is wired to an input does: for tests and demonstrations."""
        self._set(pin, value)

    def pins(self) -> list[PinState]:
        """See Board."""
        return [self._pins[pin] for pin in sorted(self._pins)]

    def _set(self, pin: int, value: int) -> None:
        old = self._find(pin)
        if old.value != value:
            self._pins[pin] = PinState(pin, old.mode, value, old.edge_count + 1, time.time())

    def _find(self, pin: int) -> PinState:
        found = self._pins.get(pin)
        if found is None:
            raise BoardError(f"The pin {pin} is not in use. Give it a mode first, for example output.")
        return found
