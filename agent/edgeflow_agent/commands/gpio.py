"""`get_gpio_state` and `set_gpio`."""

from __future__ import annotations

from collections.abc import Mapping

from ..pins import BoardError, Pins, read_level
from .verb import CommandError, Verb


def make_gpio_verbs(pins: Pins) -> dict[str, Verb]:
    """Each by its action's name."""

    async def get_gpio_state(payload: Mapping[str, object]) -> object:
        del payload
        return pins.describe()

    async def set_gpio(payload: Mapping[str, object]) -> object:
        pin, mode, value = payload.get("pin"), payload.get("mode"), payload.get("value")
        number = _number(pin)
        if number is None:
            raise CommandError("set_gpio needs `pin`, the BCM number, for example 17.")
        if mode is not None and not isinstance(mode, str):
            raise CommandError("`mode` must be a text, for example output.")
        level = read_level(value)
        if value is not None and level is None:
            raise CommandError("`value` must be 0 or 1 (or true, false, high, low).")
        try:
            return pins.set(number, mode or None, level)
        except BoardError as error:
            raise CommandError(str(error)) from error

    return {"get_gpio_state": get_gpio_state, "set_gpio": set_gpio}


def _number(pin: object) -> int | None:
    """Numbers come as floats through some clients, and people write `pin_17`."""
    if isinstance(pin, str):
        text = pin.lower().removeprefix("pin_").removeprefix("gpio")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None
    if isinstance(pin, (int, float)) and not isinstance(pin, bool) and pin == int(pin) and 0 <= pin < 1000:
        return int(pin)
    return None
