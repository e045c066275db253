"""Commands: what somebody asks a device to do, from the order to its one final state.

Owns: `commands`.
Promises: the order of creation is kept for each device; a command is `sent` in PostgreSQL before a byte of
it goes out, so a crash makes it `unknown` and never runs it twice; one final state, given once; a late,
doubled or foreign answer changes nothing; at most 1,000 wait for one device; whoever is away gets
`device_offline` at once, or the command on its return if it had a ttl. A device that negotiated keeps a
journal by id, so what it was sent on a lost connection is sent to it again within its timeout; a field
client's is `unknown` then.
Does not do: know what an action means.
"""

from edgeflow_cloud.commands.execution import run_command
from edgeflow_cloud.commands.model import Command, CommandStatus, DeviceOffline, Order
from edgeflow_cloud.commands.service import cancel_command, find_command, list_commands
from edgeflow_cloud.commands.waiting import answer_waiting

__all__ = [
    "Command",
    "CommandStatus",
    "DeviceOffline",
    "Order",
    "answer_waiting",
    "cancel_command",
    "find_command",
    "list_commands",
    "run_command",
]
