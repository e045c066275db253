"""`update_desired`: merge into what is desired, do it, and say what is still different.

The document's number stays the cloud's: it tells the new one by push or at the next sync, which is asked for
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from edgeflow_protocol import DocumentError
from edgeflow_protocol.shadow import check, merge

from ..shadow import ShadowRunner
from .verb import CommandError, Verb


def make_update_desired(runner: ShadowRunner, changed: Callable[[Mapping[str, object]], None]) -> Verb:
    """`changed` is told what became different in reported, which may be nothing."""

    async def update_desired(payload: Mapping[str, object]) -> dict[str, object]:
        desired = payload.get("desired")
        if not isinstance(desired, dict):
            raise CommandError(
                "update_desired needs `desired`, an object with the keys to set (null deletes one)."
            )
        document = merge(runner.desired, cast(dict[str, object], desired))
        try:
            check(document)
        except DocumentError as error:
            raise CommandError(str(error)) from error
        changed(runner.accept_desired(document, runner.version))
        return {"delta": runner.delta()}

    return update_desired
