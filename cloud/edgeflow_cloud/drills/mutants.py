"""What drills break on purpose, each by putting something over the product in a process of the drill's own.

A mutant that finds nothing to break raises, so that its process does not start and the drill says that it could not
run: a mutant that breaks nothing would prove nothing.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, cast

Replace = Callable[[Any], object]
_kept: set[asyncio.Task[object]] = set()


def break_it(name: str) -> None:
    """Put the mutant over this process's product. Raises LookupError when there is nothing to put it over."""
    _MUTANTS[name]()


def limit(pair: str) -> None:
    """`heartbeat_seconds=1`: hubs have this other than `tunnel.Limits` says. No mutant: only time is saved."""
    name, _, value = pair.partition("=")
    _over("tunnel.hub", "Limits", lambda limits: functools.partial(limits, **{name: float(value)}))


def follow_clock(path: str) -> None:
    """The process's clock is off by the seconds that the file says; there is none until it is stepped."""

    def stepped(now: Callable[[object], datetime]) -> object:
        def tell(clock: object) -> datetime:
            try:
                offset = float(Path(path).read_text())
            except (OSError, ValueError):
                offset = 0.0
            return now(clock) + timedelta(seconds=offset)

        return tell

    _over("kernel.clock", "SystemClock.now", stepped)


def _over(module: str, path: str, replace: Replace) -> None:
    """Replace an attribute, given as `Class.method` or `function`, by `replace(original)`."""
    holder: object = import_module(f"edgeflow_cloud.{module}")
    *outer, last = path.split(".")
    for part in outer:
        holder = cast(object, getattr(holder, part, None))
    if not hasattr(holder, last):
        raise LookupError(f"Nothing to break: edgeflow_cloud.{module} has no {path}. Mend drills/mutants.py.")
    setattr(holder, last, replace(cast(object, getattr(holder, last))))


def _instead(value: object) -> Replace:
    """A function that does nothing but say `value`."""

    def replace(_original: object) -> object:
        def say(*_arguments: object) -> object:
            return value

        return say

    return replace


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


def _no_share() -> None:
    """An organization may be as loud as it likes, and its frames are handled all at once."""
    _over("tunnel.fairness", "Fairness.count", _instead(0.0))
    _over("tunnel.fairness", "Fairness._has_room", _instead(True))


def _no_bound() -> None:
    """What a reader does not take is kept for it, however much that is."""
    _over("infra.sockets.connection", "MAX_UNSENT_BYTES", lambda _: 1 << 40)
    _over("infra.sockets.connection", "MAX_UNSENT_MESSAGES", lambda _: 1 << 40)


def _no_clock() -> None:
    """Nobody looks whether a device was heard."""
    _over("tunnel.hub", "Hub._check_heartbeat", _instead(None))


def _used_again() -> None:
    """A provisioning code is taken whether it was used or not."""

    def forgetful(consume: Callable[..., Coroutine[Any, Any, object]]) -> object:
        queries: Any = import_module("edgeflow_cloud.provisioning.queries")

        async def answer(tx: object, tenant: object, hashed: object, *rest: object) -> object:
            await consume(tx, tenant, hashed, *rest)
            return await queries.select_by_hash(tx, tenant, hashed)

        return answer

    _over("provisioning.queries", "consume", forgetful)


def _any_json() -> None:
    """Bodies are read as Python's own parser reads them."""
    plain: Any = import_module("json")

    def read(body: bytes, *, lenient: bool = False) -> object:
        return plain.loads(body)

    _over("infra.http.parsing", "parse", lambda _: read)


def _believes_devices() -> None:
    """A device's time is taken as it is said, however far away that is."""
    _over("telemetry.model", "UNSET", lambda _: datetime(1970, 1, 1, tzinfo=UTC))
    _over("telemetry.model", "AHEAD", lambda _: timedelta(days=100_000))


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
    "no-share": _no_share,
    "no-bound": _no_bound,
    "no-clock": _no_clock,
    "used-again": _used_again,
    "any-json": _any_json,
    "believes-devices": _believes_devices,
}
