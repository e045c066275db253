"""Tags of many devices at once, with a dry run."""

from collections.abc import Sequence

from edgeflow_cloud import audit
from edgeflow_cloud.devices import queries
from edgeflow_cloud.devices.events import DeviceUpdated
from edgeflow_cloud.devices.matching import queries as matching
from edgeflow_cloud.devices.matching.service import aim
from edgeflow_cloud.devices.model import Tagging, Target
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Invalid
from edgeflow_cloud.kernel.principal import Principal

MOST_DEVICES = 1_000
"""Of one call: each device that changes has an audit row and an event of its own in the one transaction."""
MOST_TAGS = 50


async def tag_devices(
    tx: Transaction,
    principal: Principal,
    target: Target,
    *,
    add: Sequence[str],
    remove: Sequence[str],
    dry_run: bool = False,
) -> Tagging:
    """Give the target's devices the tags `add` and take `remove` from them: all of it happens, or nothing.

    Raises Invalid (`target_too_large`, `tags_contradict`), Conflict (`too_many_tags`), QueryInvalid, NotFound
    (`group_not_found`). A device that is not in the
    organization is not matched.
    """
    both = sorted(set(add) & set(remove))
    if both or not (add or remove):
        raise Invalid(
            f"These tags are to be added and removed at once: {', '.join(both)}. Name each in one list."
            if both
            else "Name at least one tag to add or to remove.",
            code="tags_contradict" if both else "invalid",
        )
    add = list(dict.fromkeys(add))
    rows = await matching.lock_matching(tx, await aim(tx, principal, target), MOST_DEVICES + 1)
    if len(rows) > MOST_DEVICES:
        raise Invalid(
            f"The target holds more than {MOST_DEVICES} devices; tag them in parts, by `device_ids` or narrower tags.",
            code="target_too_large",
        )
    changes: list[tuple[ids.DeviceId, list[str], list[str]]] = []
    for row in rows:
        before: list[str] = row["tags"]
        after = [tag for tag in before if tag not in remove] + [tag for tag in add if tag not in before]
        if len(after) > MOST_TAGS:
            raise Conflict(
                f"{row['name']} would have {len(after)} tags, and {MOST_TAGS} is the most; nothing was changed. "
                "Remove some of its tags first.",
                code="too_many_tags",
            )
        if after != before:
            changes.append((ids.DeviceId(row["id"]), before, after))
    if changes and not dry_run:
        await queries.update_tags(tx, principal.tenant_id, [item[0] for item in changes], add, remove)
        for device_id, before, after in changes:
            wire = ids.encode(ids.DEVICE, device_id)
            await audit.record(
                tx, principal, "device.update", "device", wire, old={"tags": before}, new={"tags": after}
            )
        await announce(
            tx, *(DeviceUpdated(tenant_id=principal.tenant_id, device_id=item[0]) for item in changes)
        )
    return Tagging(len(rows), len(changes))
