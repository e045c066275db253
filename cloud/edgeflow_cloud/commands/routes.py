"""HTTP of commands."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query, Request, Response

from edgeflow_cloud.commands import service
from edgeflow_cloud.commands.execution import run_command
from edgeflow_cloud.commands.model import WAIT_DEFAULT, WAIT_MAXIMUM, Command, CommandStatus, Filter, Order
from edgeflow_cloud.commands.schemas import CommandDocument, CreateCommand
from edgeflow_cloud.devices import name_callers
from edgeflow_cloud.infra.http import Caller, Ctx, Instant, Listing, PageQuery, Router, Tx
from edgeflow_cloud.infra.http.idempotency import key_of
from edgeflow_cloud.kernel.ids import CommandIdField, DeviceIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor

_CANCELLING: dict[int | str, dict[str, object]] = {
    202: {"model": CommandDocument, "description": "It was sent already, and is not sent again."}
}
router = Router(tag="commands")
_RUNNING: dict[int | str, dict[str, object]] = {
    202: {"model": CommandDocument, "description": "Queued or sent; read the command for its answer."}
}


@router.post("/devices/{device_id}/commands", "devices:manage", transaction=False, responses=_RUNNING)
async def create_command(
    ctx: Ctx,
    caller: Caller,
    request: Request,
    response: Response,
    device_id: DeviceIdField,
    body: CreateCommand,
    wait: Annotated[
        float, Query(ge=0, le=WAIT_MAXIMUM, description="Seconds to wait for the answer.")
    ] = WAIT_DEFAULT,
) -> CommandDocument:
    """Have the device do something. 200: it is final. 202: it is not yet. 409 `device_offline`: the device is
    away and no `ttl` was given. The same `Idempotency-Key` again waits for the same command."""
    order = Order(
        device_id=device_id,
        action=body.action,
        payload=body.payload,
        timeout=body.timeout,
        ttl=body.ttl,
        idempotency_key=key_of(request),
    )
    command = await run_command(ctx, caller, order, wait=wait)
    response.status_code = 200 if command.is_final else 202
    return CommandDocument.model_validate(command)


@router.get("/devices/{device_id}/commands", "devices:view")
async def list_commands(
    tx: Tx,
    caller: Caller,
    device_id: DeviceIdField,
    page: PageQuery,
    status: Annotated[CommandStatus | None, Query(description="Only commands in this state.")] = None,
    action: Annotated[
        str | None, Query(description="Only commands with this action.", min_length=1, max_length=100)
    ] = None,
    since: Annotated[Instant | None, Query(alias="from", description="Given then or later.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Given before this.")] = None,
) -> Listing[CommandDocument]:
    """What the device was asked, by whom, when, and what came back; the newest first."""
    after = decode_cursor(page.cursor, length=1) if page.cursor else ()
    wanted = Filter(status=status, action=action, since=since, until=until)
    found = await service.list_commands(tx, caller, device_id, wanted, Page(page.limit, page.offset, after))
    names = await name_callers(tx, caller.tenant_id, (command.created_by for command in found.items))
    return Listing(
        items=[_show(command, names) for command in found.items],
        next_cursor=found.next_cursor,
        total=None,
    )


@router.get("/commands/{command_id}", "devices:view")
async def get_command(tx: Tx, caller: Caller, command_id: CommandIdField) -> CommandDocument:
    """One command, whole."""
    command = await service.find_command(tx, caller, command_id)
    return _show(command, await name_callers(tx, caller.tenant_id, [command.created_by]))


@router.delete("/commands/{command_id}", "devices:manage", status=200, responses=_CANCELLING)
async def cancel_command(
    tx: Tx, caller: Caller, ctx: Ctx, command_id: CommandIdField, response: Response
) -> CommandDocument:
    """Take a command back. 200: it was waiting and is `cancelled`, nothing was done. 202: it is on its way and cannot
    be recalled; it is not sent again, and ends `cancelled` if it never left, or as the device says, or `unknown`. 409
    `command_not_queued`: it is final."""
    command = await service.cancel_command(tx, caller, command_id, ctx.clock.now())
    response.status_code = 200 if command.is_final else 202
    return _show(command, {})


def _show(command: Command, names: Mapping[str, str]) -> CommandDocument:
    document = CommandDocument.model_validate(command)
    document.created_by_name = names.get(command.created_by)
    return document
