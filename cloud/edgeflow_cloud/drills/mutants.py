"""What drills break on purpose, each by putting something over the product in a process of the drill's own.

A mutant that finds nothing to break raises, so that its process does not start and the drill says that it could not
run: a mutant that breaks nothing would prove nothing.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from contextlib import suppress
from importlib import import_module
from typing import Any, cast

Replace = Callable[[Any], object]
_kept: set[asyncio.Task[object]] = set()


def break_it(name: str) -> None:
    """Put the mutant over this process's product. Raises LookupError when there is nothing to put it over."""
    _MUTANTS[name]()


def _over(module: str, path: str, replace: Replace) -> None:
    """Replace an attribute, given as `Class.method` or `function`, by `replace(original)`."""
    holder: object = import_module(f"edgeflow_cloud.{module}")
    *outer, last = path.split(".")
    for part in outer:
        holder = cast(object, getattr(holder, part, None))
    if not hasattr(holder, last):
        raise LookupError(f"Nothing to break: edgeflow_cloud.{module} has no {path}. Mend drills/mutants.py.")
    setattr(holder, last, replace(cast(object, getattr(holder, last))))


def _ack_before_commit() -> None:
    """The ingest says that a batch is stored as soon as it has it."""

    def early(store: Callable[..., Coroutine[Any, Any, object]]) -> object:
        @functools.wraps(store)
        async def answer(*arguments: object, **named: object) -> None:
            async def later() -> None:
                with suppress(Exception):  # that nobody hears of it is the fault that is made here
                    await store(*arguments, **named)

            task = asyncio.create_task(later())
            _kept.add(task)
            task.add_done_callback(_kept.discard)

        return answer

    _over("telemetry.ingest", "Ingest.store", early)


def _no_cursor() -> None:
    """The ingest forgets how far each run is stored."""

    def forgetful(lock: Callable[..., Coroutine[Any, Any, dict[object, int]]]) -> object:
        @functools.wraps(lock)
        async def answer(*arguments: object, **named: object) -> dict[object, int]:
            return dict.fromkeys(await lock(*arguments, **named), 0)

        return answer

    _over("telemetry.queries", "lock_cursors", forgetful)


def _no_fence() -> None:
    """A hub believes that its connections are the newest, however long it stood still."""

    def all_current(_list: object) -> object:
        async def answer(_tx: object, fences: list[object]) -> set[object]:
            return set(fences)

        return answer

    _over("devices.presence", "guard", lambda _: lambda _fences: "")  # pyright: ignore[reportUnknownLambdaType]
    _over("devices.presence", "list_current", all_current)
    _over("tunnel.hub", "Hub.suspect", lambda _: lambda hub: setattr(hub, "_ticked", hub._now()))  # pyright: ignore


def _no_renewal() -> None:
    """A hub leases a route once, when the device comes, and never again."""

    def never(_renew: object) -> object:
        async def sleep(_self: object) -> None:
            await asyncio.Event().wait()

        return sleep

    _over("tunnel.neighbours", "Neighbours.renew", never)


def _errors_500() -> None:
    """Whatever is away is an unexplained failure."""

    def blunt(_status: object) -> object:
        return 500

    _over("kernel.errors", "Unavailable.status", blunt)


def _no_condition() -> None:
    """A refresh token is exchanged whatever its generation: each of many callers gets a successor of its own."""

    def unconditional(rotate: Callable[..., Coroutine[Any, Any, object]]) -> object:
        queries: Any = import_module("edgeflow_cloud.auth.queries")

        async def answer(tx: object, tenant: object, session: object, **named: Any) -> object:
            found = await queries.select_session(tx, tenant, session)
            return await rotate(tx, tenant, session, **{**named, "generation": found.generation})

        return answer

    _over("auth.queries", "rotate_session", unconditional)


def _no_revocation() -> None:
    """A copied token is refused and recorded, and its session lives on."""

    def nothing(_end: object) -> object:
        async def answer(*_arguments: object, **_named: object) -> bool:
            return False

        return answer

    _over("auth.queries", "end_session", nothing)


def _deaf_sockets() -> None:
    """Nobody asks again whether an open socket's caller is still somebody."""

    def always(_live: object) -> object:
        async def answer(*_arguments: object) -> bool:
            return True

        return answer

    _over("auth", "is_live", always)


def _no_even_out() -> None:
    """A refused log-in takes as long as its work."""

    def at_once(_even: object) -> object:
        async def answer(_started: float) -> None: ...

        return answer

    _over("auth.attempts", "even_out", at_once)


def _no_refusal_time() -> None:
    """A refused provisioning code is answered as soon as that is known."""
    _over("provisioning.routes", "REFUSAL_SECONDS", lambda _: 0.0)


_MUTANTS: dict[str, Callable[[], None]] = {
    "ack-before-commit": _ack_before_commit,
    "no-cursor": _no_cursor,
    "no-fence": _no_fence,
    "no-renewal": _no_renewal,
    "errors-500": _errors_500,
    "no-condition": _no_condition,
    "no-revocation": _no_revocation,
    "deaf-sockets": _deaf_sockets,
    "no-even-out": _no_even_out,
    "no-refusal-time": _no_refusal_time,
}
