"""range: numbers from one scale to another."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from msgspec import Meta

from ...javalike import to_number
from ...message import Message
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Path


class RangeConfig(NodeConfig):
    """The field runtime's keys, and Node-RED's (`minin`, `action: roll`, `round`, `property`)."""

    action: Annotated[
        Literal["scale", "clamp", "roll", "wrap", "drop"],
        Meta(title="Beyond the scale", description="go on, stop at the end, begin anew, or drop the message"),
    ] = "scale"
    min_in: Annotated[float, Meta(title="From: lowest")] = 0
    max_in: Annotated[float, Meta(title="From: highest")] = 100
    min_out: Annotated[float, Meta(title="To: lowest")] = 0
    max_out: Annotated[float, Meta(title="To: highest")] = 1
    minin: float | None = None
    maxin: float | None = None
    minout: float | None = None
    maxout: float | None = None
    round: Annotated[bool, Meta(title="Whole numbers")] = False
    property: Annotated[str, Meta(title="Property")] = "payload"


class Range(Node[RangeConfig]):
    """Maps a number from one range to another."""

    type = "range"
    category = "processing"
    Config = RangeConfig

    async def start(self) -> None:
        config = self.config
        self._path, self._action, self._round = Path(config.property), config.action, config.round
        self._low = config.min_in if config.minin is None else config.minin
        self._high = config.max_in if config.maxin is None else config.maxin
        self._to_low = config.min_out if config.minout is None else config.minout
        self._to_high = config.max_out if config.maxout is None else config.maxout
        if self._low == self._high:
            raise NodeError("The range to map from is empty: its lowest and highest are the same number.")

    def forward(self, message: Message) -> int | None:
        value = self._path.get(message)
        if value is MISSING:
            return 0  # As Node-RED: a message without the property passes.
        number = to_number(value)
        if number != number:
            raise NodeError(f"{value!r} is not a number.")
        low, high, action = self._low, self._high, self._action
        if action == "drop" and not low <= number <= high:
            return None
        if action == "clamp":
            number = min(max(number, min(low, high)), max(low, high))
        elif action in ("roll", "wrap"):
            width = high - low
            number = ((number - low) % width + width) % width + low
        result = (number - low) / (high - low) * (self._to_high - self._to_low) + self._to_low
        if self._round:
            result = math.floor(result + 0.5)
        self._path.set(message, int(result) if result % 1 == 0 and abs(result) < 2**53 else result)
        return 0
