"""Which actions this agent answers, and with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgeflow_protocol.actions import Action

from .. import VERSION
from ..shadow import ShadowRunner
from ..telemetry import Readings
from .get_shadow import make_get_shadow
from .get_system_metrics import make_get_system_metrics
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
) -> dict[str, Verb]:
    """Every published action: done, or refused honestly."""
    able: dict[str, Verb] = {
        Action.HEALTH_CHECK: make_health_check(started),
        Action.GET_SYSTEM_METRICS: make_get_system_metrics(readings),
        Action.GET_SHADOW: make_get_shadow(runner, device_id),
        Action.UPDATE_DESIRED: make_update_desired(runner, shadow_changed),
    }
    return {action: able.get(action) or _not_yet(action) for action in Action}


def _not_yet(action: str) -> Verb:
    async def refuse(payload: Mapping[str, object]) -> object:
        del payload
        raise CommandError(
            f"edgeflow-agent {VERSION} cannot do {action} yet. Update the agent when a version that can "
            "is out."
        )

    return refuse


__all__ = ["CommandError", "Verb", "make_verbs"]
