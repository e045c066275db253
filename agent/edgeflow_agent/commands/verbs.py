"""Which actions this agent answers, and with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgeflow_protocol.actions import Action

from ..engine import Engine
from ..flows import Flows
from ..pins import Pins
from ..shadow import ShadowRunner
from ..telemetry import Readings
from .flows import make_flow_verbs
from .get_shadow import make_get_shadow
from .get_system_metrics import make_get_system_metrics
from .gpio import make_gpio_verbs
from .health_check import make_health_check
from .update_desired import make_update_desired
from .verb import CommandError, Verb


def make_verbs(
    *,
    started: float,
    readings: Readings,
    runner: ShadowRunner,
    device_id: Callable[[], str],
    shadow_changed: Callable[[Mapping[str, object]], None],
    flows: Flows,
    engine: Engine,
    pins: Pins,
) -> dict[str, Verb]:
    """Every published action."""
    return {
        Action.HEALTH_CHECK: make_health_check(started),
        Action.GET_SYSTEM_METRICS: make_get_system_metrics(readings),
        Action.GET_SHADOW: make_get_shadow(runner, device_id),
        Action.UPDATE_DESIRED: make_update_desired(runner, shadow_changed),
        **make_flow_verbs(flows, engine),
        **make_gpio_verbs(pins),
    }


__all__ = ["CommandError", "Verb", "make_verbs"]
