"""A target's devices with what they can be told apart by: name, tags, groups."""

from dataclasses import dataclass

from edgeflow_cloud.devices.groups import queries as groups
from edgeflow_cloud.devices.matching import queries
from edgeflow_cloud.devices.matching.service import add_query, aim, begin
from edgeflow_cloud.devices.model import Target
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId, GroupId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.query_language import QueryInvalid

MOST_DYNAMIC = 50
"""Dynamic groups that are asked who is in them, first by name."""


@dataclass(slots=True)
class Labelled:
    """One device; `groups` are ids and names, fixed ones first."""

    device_id: DeviceId
    name: str
    tags: list[str]
    groups: list[tuple[GroupId, str]]


async def label_target(
    tx: Transaction, principal: Principal, target: Target, *, limit: int, dynamic: bool = False
) -> list[Labelled]:
    """The target's devices, at most `limit`, in the order of their ids. Their dynamic groups only with `dynamic`.

    Raises QueryInvalid, NotFound (`group_not_found`).
    """
    rows = await queries.select_labels(tx, await aim(tx, principal, target), limit)
    found = {
        row["id"]: Labelled(
            row["id"], row["name"], row["tags"], list(zip(row["group_ids"], row["group_names"], strict=True))
        )
        for row in rows
    }
    if dynamic and found:
        for group in await groups.select_dynamic(tx, principal.tenant_id, MOST_DYNAMIC):
            members = begin(principal)
            try:
                asked = await add_query(tx, principal, members, group["query"])
            except QueryInvalid:
                continue  # the group itself says what is wrong with its query
            members.where = f"d.id = any ({members.bind(list(found), 'uuid[]')}) and ({asked})"
            for row in await queries.select_ids(tx, members, limit):
                found[row["id"]].groups.append((group["id"], group["name"]))
    return list(found.values())
