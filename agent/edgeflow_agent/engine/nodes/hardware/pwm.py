"""pwm: a square wave on a pin, for dimmers, fans and motors."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ....pins import Pwm as Wave
from ...message import Message
from ...node import Node, NodeConfig, NodeError
from .claims import Claim, Pin, ask, read_number, read_object, read_pin


class PwmConfig(NodeConfig):
    """`chip` and `channel` are the kernel's (/sys/class/pwm); on a Raspberry Pi the pin says which channel."""

    pin: Pin = -1
    frequency: Annotated[float, Meta(title="Frequency (Hz)", gt=0, le=10_000_000)] = 1000.0
    duty_cycle: Annotated[float, Meta(title="Duty at start (percent)", ge=0, le=100)] = 0.0
    chip: Annotated[int, Meta(title="PWM chip", ge=0)] = 0
    channel: Annotated[int, Meta(title="Channel", description="-1: the pin's own", ge=-1)] = -1


class Pwm(Node[PwmConfig]):
    """Sets the duty to the payload, in percent (or its `value`, `dutyCycle`, `frequency`); sends what is set."""

    type = "pwm"
    category = "output"
    group = "hardware"
    Config = PwmConfig
    _claim: Claim | None = None

    async def start(self) -> None:
        self._claim = Claim(self, read_pin(self.config.pin))
        self._claim.take()
        self._frequency = self.config.frequency
        await self._drive(self.config.duty_cycle)

    async def stop(self) -> None:
        claim = self._claim
        if claim is not None and claim.taken:
            try:
                await ask(claim.board.end_pwm, self.config.pin)
            finally:
                claim.leave()

    async def receive(self, message: Message) -> None:
        given = read_object(message)
        if "frequency" in given:
            frequency = read_number(given["frequency"], "frequency")
            if not 0 < frequency <= 10_000_000:
                raise NodeError(f"`frequency` must be above 0 and up to 10 MHz, not {frequency}.")
            self._frequency = frequency
        duty = next((given[key] for key in ("dutyCycle", "duty", "value") if key in given), self._duty)
        await self._drive(read_number(duty, "payload"))
        message["payload"] = {
            "pin": self.config.pin,
            "value": self._duty,
            "dutyCycle": self._duty,
            "frequency": self._frequency,
        }
        self.send(message)

    async def _drive(self, duty: float) -> None:
        config = self.config
        if not 0 <= duty <= 100:
            raise NodeError(f"The duty must be 0 to 100 percent, not {duty:g}.")
        assert self._claim is not None  # noqa: S101  `start` made it
        wave = Wave(self._frequency, duty, config.chip, config.channel)
        await ask(self._claim.board.drive_pwm, config.pin, wave)
        self._duty = duty
        self.status(f"{duty:g} %", "green" if duty else "grey")
