"""What came of a command, stored from the hub: once, and as soon as PostgreSQL takes it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

from edgeflow_cloud.commands import service
from edgeflow_cloud.commands.model import ERROR_LIMIT, Command, CommandStatus
from edgeflow_cloud.commands.waiting import tell
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.tunnel import Session, Superseded

T = TypeVar("T")
log = structlog.get_logger("edgeflow.commands")

DATABASE_AWAY = (
    Unavailable,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)
PATIENCE_SECONDS = 60.0
"""For how long an answer that PostgreSQL cannot take now is held; then the sweep says `unknown`."""


async def finish(
    session: Session,
    command: Command,
    status: CommandStatus,
    *,
    result: object = None,
    error: str | None = None,
    heard: bool = False,
) -> None:
    """Store the command's final state, then wake whoever waits. Too late, twice: nothing changes.

    `heard`: the device said so, which counts only while this is its newest connection. What the hub knows by
    itself counts unless a newer connection has taken the command up.
    """
    now = session.context.clock.now()
    said = error[:ERROR_LIMIT] if error else None
    ended = await write(
        session,
        lambda tx: service.finish_command(
            tx,
            command.tenant_id,
            command.id,
            status,
            now=now,
            result=result,
            error=said,
            epoch=session.epoch,
        ),
        heard=heard,
    )
    if ended is None:
        log.info("commands.answer_ignored", device=session.wire_id, command=command.wire_id, status=status)
    else:
        await tell(session.context.bus, ended)


async def end_cancelled(session: Session, command: Command) -> None:
    """The command was wanted back on a connection that is lost: it ends here, and is not sent again."""
    now = session.context.clock.now()
    ended = await write(session, lambda tx: service.end_cancelled(tx, command, now), heard=True)
    if ended is not None:
        await tell(session.context.bus, ended)


async def give_back(session: Session, command: Command) -> None:
    """The command certainly did not reach the device: it waits again, or ends if nobody asked to keep it."""
    now = session.context.clock.now()
    ended = await write(session, lambda tx: service.give_back(tx, command, now))
    if ended is not None and ended.is_final:
        await tell(session.context.bus, ended)


async def write(
    session: Session, work: Callable[[Transaction], Awaitable[T]], *, heard: bool = False
) -> T | None:
    """Do `work` in a transaction of the device's organization; while the database is away, again and again.

    None after a minute, when the device has a newer connection (`heard`), or when `work` answers None: the row
    then tells its own story.
    """
    delay, loop = 0.1, asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS
    while True:
        try:
            opened = session.transaction() if heard else session.context.db.tenant_tx(session.principal)
            async with opened as tx:
                return await work(tx)
        except Superseded:
            return None
        except DATABASE_AWAY as error:
            if loop.time() > until:
                log.warning("commands.not_stored", device=session.wire_id, error=str(error))
                return None
        await asyncio.sleep(delay)
        delay = min(delay * 2, 2.0)
