"""Use cases of commands, a verb each. Every transition is one conditional update with its event."""

from collections.abc import Collection, Sequence
from datetime import datetime

from edgeflow_cloud import audit, devices
from edgeflow_cloud.commands import queries
from edgeflow_cloud.commands.events import CommandCreated, CommandFinished, CommandSent
from edgeflow_cloud.commands.model import (
    NEARLY_FULL,
    QUEUE_LIMIT,
    Command,
    CommandStatus,
    DeviceOffline,
    Filter,
    NotQueued,
    Order,
    check_payload,
    no_such_command,
    queue_full,
)
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict
from edgeflow_cloud.kernel.ids import CommandId, DeviceId, TenantId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor, id_after
from edgeflow_cloud.kernel.principal import Principal

CANCELLED_UNSENT = "Cancelled before it was sent; nothing was done."


async def create_command(
    tx: Transaction, principal: Principal, order: Order, *, now: datetime, waiter: str | None = None
) -> tuple[Command, bool]:
    """Store what somebody asks of a device, in state `sent` (nothing is ahead of it) or `queued`.

    The second value is False for the same idempotency key again: then it is the command that the first one
    made.

    A device that is away and an order without ttl: DeviceOffline, and nothing is stored. Raises NotFound
    (`device_not_found`), Invalid (payload), TooMany (`command_queue_full`), Conflict
    (`idempotency_key_reused`).
    """
    check_payload(order.payload)
    if order.idempotency_key is not None:
        row = await queries.select_by_key(tx, principal.tenant_id, principal.wire_id, order.idempotency_key)
        if row is not None:
            return _same_order(_command(row), order), False
    device = await devices.find_device(tx, principal, order.device_id)
    connected = device.status is devices.Status.ONLINE
    if not connected and order.ttl is None:
        raise DeviceOffline(device.last_seen_at)
    command_id = CommandId(ids.new())
    expires_at = order.expires_at(now)
    row = await queries.insert_command(
        tx,
        principal.tenant_id,
        command_id,
        order,
        created_by=principal.wire_id,
        now=now,
        expires_at=expires_at,
        waiter=waiter if connected else None,
        connected=connected,
    )
    if row is None:
        if order.idempotency_key is not None:  # a twin may have been first
            twin = await queries.select_by_key(
                tx, principal.tenant_id, principal.wire_id, order.idempotency_key
            )
            if twin is not None:
                return _same_order(_command(twin), order), False
        raise queue_full()
    if row["ahead"] >= NEARLY_FULL and row["status"] == CommandStatus.QUEUED:
        await queries.lock_queue(tx, order.device_id)
        if await queries.count_queued(tx, principal.tenant_id, order.device_id) > QUEUE_LIMIT:
            raise queue_full()
    command = Command(
        tenant_id=principal.tenant_id,
        id=command_id,
        device_id=order.device_id,
        action=order.action,
        payload=order.payload,
        status=CommandStatus(row["status"]),
        result=None,
        error=None,
        timeout=order.timeout,
        keep=order.ttl is not None,
        created_by=principal.wire_id,
        created_at=now,
        expires_at=expires_at,
        sent_at=row["sent_at"],
        finished_at=None,
        waiter=waiter if connected else None,
    )
    await audit.record(
        tx,
        principal,
        "command.create",
        "command",
        command.wire_id,
        new={"action": order.action, **_on(command)},
    )
    await announce(
        tx,
        CommandCreated(
            tenant_id=command.tenant_id,
            device_id=command.device_id,
            command_id=command.id,
            action=command.action,
            status=command.status.value,
        ),
    )
    return command, True


async def find_command(tx: Transaction, principal: Principal, command_id: CommandId) -> Command:
    """The command, whole. Raises NotFound (`command_not_found`), also for another organization's."""
    row = await queries.select_command(tx, principal.tenant_id, command_id)
    if row is None:
        raise no_such_command()
    return _command(row)


async def list_commands(
    tx: Transaction, principal: Principal, device_id: DeviceId, wanted: Filter, page: Page
) -> Slice[Command]:
    """One page of a device's history, the newest first. Raises NotFound (`device_not_found`)."""
    await devices.find_device(tx, principal, device_id)
    after = id_after(page, ids.COMMAND) if page.after else None
    rows = await queries.select_commands(
        tx, principal.tenant_id, device_id, wanted, after, 0 if page.after else page.offset, page.limit + 1
    )
    commands = [_command(row) for row in rows[: page.limit]]
    return Slice(commands, encode_cursor(commands[-1].wire_id) if len(rows) > page.limit else None)


async def cancel_command(
    tx: Transaction, principal: Principal, command_id: CommandId, now: datetime
) -> Command:
    """Take a command back: a queued one is `cancelled` now. One that is on its way stays `sent` and is not sent
    again: it is cancelled if no byte of it went out, and otherwise the device's answer counts, or it is unknown.

    Raises NotQueued for one that is final, NotFound for none.
    """
    status = await queries.lock_command(tx, principal.tenant_id, command_id)
    if status is None:
        raise no_such_command()
    command: Command | None = None
    if status == CommandStatus.QUEUED:
        command = await finish_command(
            tx, principal.tenant_id, command_id, CommandStatus.CANCELLED, now=now, error=CANCELLED_UNSENT
        )
    elif status == CommandStatus.SENT:
        command = _command(await queries.request_cancel(tx, principal.tenant_id, command_id, now))
    if command is None:
        raise NotQueued(CommandStatus(status))
    await audit.record(tx, principal, "command.cancel", "command", command.wire_id, old=_on(command))
    return command


async def end_cancelled(tx: Transaction, command: Command, now: datetime) -> Command | None:
    """A command that was sent on a connection that is lost, and wanted back: it is not sent again."""
    error = "It was wanted back after it was sent, and no answer came; the device may have done it."
    return await finish_command(
        tx, command.tenant_id, command.id, CommandStatus.UNKNOWN, now=now, error=error, epoch=command.epoch
    )


async def claim_next(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    *,
    epoch: int,
    now: datetime,
    running: Collection[CommandId] = (),
) -> Command | None:
    """Take the oldest queued command to send it now on connection `epoch`; None when none may be sent.

    `running` are those that the caller holds. One that is `sent` and held by nobody goes first: see `find_orphan`.
    """
    row = await queries.claim_next(tx, tenant_id, device_id, epoch, now, list(running))
    if row is None:
        return None
    command = _command(row)
    await announce(tx, CommandSent(tenant_id=tenant_id, device_id=command.device_id, command_id=command.id))
    return command


async def find_orphan(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, running: Collection[CommandId]
) -> Command | None:
    """The oldest command that is `sent`, and neither noted by a hub nor among `running`.

    It is on its way from whoever ordered it; or that process died, and it was never sent; or the hub that sent it did.
    """
    row = await queries.select_orphan(tx, tenant_id, device_id, list(running))
    return None if row is None else _command(row)


async def claim_again(tx: Transaction, command: Command, epoch: int) -> bool:
    """Take a command that was sent on an older connection, to send it once more on connection `epoch`.

    Only for devices that keep a journal: they do what has one id once.
    """
    return await queries.claim_again(tx, command.tenant_id, command.id, epoch)


async def finish_command(
    tx: Transaction,
    tenant_id: TenantId,
    command_id: CommandId,
    status: CommandStatus,
    *,
    now: datetime,
    result: object = None,
    error: str | None = None,
    epoch: int | None = None,
) -> Command | None:
    """Give the command its final `status`. None: it has one already, or is not where `status` may follow.

    `epoch` is the connection that knows it: None too when a newer one has taken the command up.
    """
    row = await queries.finish(tx, tenant_id, command_id, status, result, error, now, epoch)
    if row is None:
        return None
    command = _command(row)
    await announce(
        tx,
        CommandFinished(
            tenant_id=tenant_id,
            device_id=command.device_id,
            command_id=command.id,
            action=command.action,
            status=status.value,
        ),
    )
    return command


async def give_back(tx: Transaction, command: Command, now: datetime) -> Command | None:
    """This command, as the caller knows it, did not reach its device: queue it, or end it if nobody keeps it.

    The answer is the command as it is now; None when it has moved on meanwhile, and nothing was changed.
    """
    if command.keep:
        return await queue_again(tx, command, now)
    if not await queries.lock_unsent(tx, command.tenant_id, command.id, command.status.value, command.epoch):
        return None
    return await finish_command(
        tx,
        command.tenant_id,
        command.id,
        CommandStatus.FAILED,
        now=now,
        error="The device's connection was lost before the command was sent; nothing was done.",
    )


async def queue_again(tx: Transaction, command: Command, now: datetime) -> Command | None:
    """A sent command found no place in the lane: it takes its old place in the queue, or is cancelled if somebody
    wanted it back meanwhile. None: it has moved on."""
    row = await queries.give_back(tx, command.tenant_id, command.id, command.epoch)
    if row is None:
        return None
    if row["cancel_requested_at"] is None:
        return _command(row)
    return await finish_command(
        tx, command.tenant_id, command.id, CommandStatus.CANCELLED, now=now, error=CANCELLED_UNSENT
    )


async def list_active(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> list[Command]:
    """What waits for the device or for its answer, the oldest first; at most 64, queued ones without
    payload."""
    return [_command(row) for row in await queries.select_active(tx, tenant_id, device_id)]


async def list_busy(tx: Transaction, devices_asked: Sequence[tuple[TenantId, DeviceId]]) -> set[DeviceId]:
    """Those of the devices that `list_active` would find something for. Takes a `system_tx`."""
    tenant_ids, device_ids = zip(*devices_asked, strict=True)
    return set(await queries.select_busy(tx, tenant_ids, device_ids))


async def end_due(tx: Transaction, now: datetime, limit: int) -> list[Command]:
    """End active commands whose time is up, of all organizations. Takes a `system_tx`."""
    ended: list[Command] = []
    for row in await queries.select_due(tx, now, limit):
        if row["status"] == CommandStatus.QUEUED:
            status, error = CommandStatus.EXPIRED, "It was not sent in time; nothing was done."
        else:
            status = CommandStatus.UNKNOWN
            error = "No answer was heard, and nobody listens for it any more; the device may have done it."
        command = await finish_command(
            tx, TenantId(row["tenant_id"]), CommandId(row["id"]), status, now=now, error=error
        )
        if command is not None:
            ended.append(command)
    return ended


async def list_waiting_devices(
    tx: Transaction, newer_than: datetime, older_than: datetime, *, limit: int = 1_000
) -> Sequence[DeviceId]:
    """Devices with a queued command made between the two instants. Takes a `system_tx`."""
    return await queries.select_waiting_devices(tx, newer_than, older_than, limit)


def _same_order(command: Command, order: Order) -> Command:
    if (command.device_id, command.action, command.payload) != (order.device_id, order.action, order.payload):
        raise Conflict(
            "This Idempotency-Key was already used for another command. Make a new key for a new command.",
            code="idempotency_key_reused",
        )
    return command


def _command(row: Row) -> Command:
    fields = dict(row)
    fields["status"] = CommandStatus(fields["status"])
    return Command(**fields)


def _on(command: Command) -> dict[str, object]:
    return {"device_id": ids.encode(ids.DEVICE, command.device_id)}
