"""What the shadow's desired state does on this device: variables and secrets for flows, pins, the flows themselves."""

from __future__ import annotations

from collections.abc import Mapping

from .deploy import FlowKeeper
from .pins import Pins


class DeviceEffects:
    """`shadow.Effects` over the parts that the agent has. `keeper` comes after the shadow, which tells it things."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self._environment: Mapping[str, str] = {}
        self._secrets: Mapping[str, str] = {}
        self._flows: object = None
        self._keeper: FlowKeeper | None = None

    @property
    def variables(self) -> Mapping[str, str]:
        """What flows see by name: a secret wins over a variable of the same name."""
        return {**self._environment, **self._secrets}

    def set_environment(self, values: Mapping[str, str]) -> None:
        """See Effects. Nodes that use what changed start anew."""
        self._environment = values
        self._refresh()

    def set_secrets(self, values: Mapping[str, str]) -> None:
        """See Effects. Nodes that use what changed start anew."""
        self._secrets = values
        self._refresh()

    def set_pins(self, modes: Mapping[int, str]) -> dict[int, str]:
        """See Effects."""
        return self._pins.desire(modes)

    def want_flows(self, desired: object) -> None:
        """See Effects."""
        self._flows = desired
        if self._keeper is not None:
            self._keeper.want(desired)

    def serve(self, keeper: FlowKeeper) -> None:
        """From here on `keeper` does the flows; it is told what was desired before."""
        self._keeper = keeper
        keeper.want(self._flows)

    def _refresh(self) -> None:
        if self._keeper is not None:
            self._keeper.refresh()
