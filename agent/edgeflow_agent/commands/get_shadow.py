"""`get_shadow`: the shadow as the device knows it, in the published shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..shadow import ShadowRunner
from .verb import Verb


def make_get_shadow(runner: ShadowRunner, device_id: Callable[[], str]) -> Verb:
    """`device_id` is asked at each call: a device may be provisioned anew."""

    async def get_shadow(payload: Mapping[str, object]) -> dict[str, object]:
        del payload
        return runner.document(device_id())

    return get_shadow
