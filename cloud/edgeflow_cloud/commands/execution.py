"""A command from the order to its answer, from any process: store, pass on to the device's hub, wait."""

import msgspec

from edgeflow_cloud.commands import service
from edgeflow_cloud.commands.model import Command, CommandStatus, DeviceOffline, Order
from edgeflow_cloud.commands.waiting import waiters_of
from edgeflow_cloud.infra.bus import Bus, BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tunnel import signal_device

SEND, LOOK = "commands.send", "commands.look"
"""Signals to a device's hub: send this command, which is `sent` already; look into the device's queue."""

_encode = msgspec.json.Encoder().encode


async def run_command(context: Context, principal: Principal, order: Order, *, wait: float) -> Command:
    """Do all of it in transactions of its own; answers the command final, or as it is after `wait` seconds.

    Raises DeviceOffline when the device is away (or goes away before anything was sent) and no ttl was
    given, and what `service.create_command` raises.
    """
    waiters = waiters_of(context.bus)
    if wait > 0:
        await waiters.listen()
    async with context.db.tenant_tx(principal) as tx:
        command, fresh = await service.create_command(
            tx, principal, order, now=context.clock.now(), waiter=waiters.channel if wait > 0 else None
        )
    if command.is_final:
        return command
    waiters.expect(command.id)
    try:
        if fresh:
            try:
                reached = await _pass_on(context.bus, command)
            except BusAway:
                if (await _take_back(context, principal, command)).status is CommandStatus.FAILED:
                    raise
                reached = True  # it waits: the sweep reminds the hub, the device's return finds it
            if not reached:
                current = await _take_back(context, principal, command)
                if current.status is CommandStatus.FAILED:
                    raise DeviceOffline
                return current
        if wait <= 0:
            return command

        async def look() -> Command:
            async with context.db.tenant_tx(principal) as tx:
                return await service.find_command(tx, principal, command.id)

        return await waiters.wait(command, wait, look)
    finally:
        waiters.forget(command.id)


async def _pass_on(bus: Bus, command: Command) -> bool:
    """Give the command to the device's hub; False when there is none. Raises BusAway when there is no way
    to it."""
    if command.status is CommandStatus.SENT:
        return await signal_device(bus, command.device_id, SEND, _encode(command))
    return await signal_device(bus, command.device_id, LOOK)


async def _take_back(context: Context, principal: Principal, command: Command) -> Command:
    """No hub took it: it waits for the device's return, or ends here and now."""
    async with context.db.tenant_tx(principal) as tx:
        changed = await service.give_back(tx, command, context.clock.now())
        return changed or await service.find_command(tx, principal, command.id)
