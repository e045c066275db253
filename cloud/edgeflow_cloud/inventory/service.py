"""Reading the file into the registry, and writing the registry out.

A line is about the device of its `device_id`; without one, about the one device of exactly its name, so that a file can
be sent again after its faults are mended and makes nothing twice. A column that the file has not stays as it is; an
empty cell empties. Lines that are refused change nothing, all others go through in the caller's one transaction.
"""

from collections.abc import Sequence
from dataclasses import replace

from edgeflow_cloud import devices, organizations, quotas
from edgeflow_cloud.devices import Device, Place, batch
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.inventory.model import Draft, Outcome, Report, Result
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import DeviceId, GroupId, ProjectId
from edgeflow_cloud.kernel.principal import Principal

MOST_NAMED = 20_000
"""Devices that the lines may be about; more only if many have one name."""
Groups = dict[str, tuple[GroupId, str, bool]]


class _Import:
    """One file on its way in: what each line means, and what is to be written for it."""

    def __init__(
        self, principal: Principal, found: Sequence[Device], projects: dict[str, ProjectId], groups: Groups
    ) -> None:
        self._principal = principal
        self._projects, self._groups = projects, groups
        self._by_id = {device.device_id: device for device in found}
        self._by_name: dict[str, list[Device]] = {}
        for device in found:
            self._by_name.setdefault(device.name, []).append(device)
        self._seen: dict[DeviceId | str, int] = {}
        self.results: list[Result] = []
        self.creations: list[tuple[Result, batch.Entry]] = []
        self.updates: list[tuple[DeviceId, batch.Entry, batch.Entry]] = []
        self.entering: dict[GroupId, list[Result]] = {}
        self.leaving: dict[GroupId, list[Result]] = {}

    def take(self, draft: Draft) -> None:
        """Decide what comes of a line."""
        result = Result(draft.line, draft.name or "")
        self.results.append(result)
        result.errors = list(draft.errors)
        before = None if draft.errors else self._device(draft, result)
        if before is not None:
            result.device_id, result.name = before.device_id, draft.name or before.name
        key = draft.name or "" if before is None else before.device_id
        if not result.errors and (earlier := self._seen.setdefault(key, draft.line)) != draft.line:
            result.errors.append(f"Line {earlier} is about this device already. Remove one of the two.")
        wanted = self._groups_of(draft, result)
        entry = None if result.errors else self._entry(draft, before, result)
        if entry is None or result.errors:
            result.fail()
            return
        had = () if before is None else before.groups or ()
        left = [name for name in had if wanted is not None and self._id_of(name) not in wanted]
        new = [group for group in wanted or () if group not in {self._id_of(name) for name in had}]
        if before is None:
            result.outcome = Outcome.CREATED
            self.creations.append((result, entry))
        else:
            self._compare(before, entry, result)
            if left or new:
                result.outcome = Outcome.UPDATED
                result.changed.append("group")
        for group in new:
            self.entering.setdefault(group, []).append(result)
        for name in left:
            if (group := self._id_of(name)) is not None:
                self.leaving.setdefault(group, []).append(result)

    def refuse_beyond(self, room: int, said: str) -> None:
        """Refuse the new devices after the first `room`."""
        for result, _ in self.creations[room:]:
            result.fail(said)
        self.creations = self.creations[:room]
        for members in (*self.entering.values(), *self.leaving.values()):
            members[:] = [result for result in members if result.outcome is not Outcome.FAILED]

    def _device(self, draft: Draft, result: Result) -> Device | None:
        if draft.device_id is not None:
            found = self._by_id.get(draft.device_id)
            if found is None:
                result.errors.append(
                    f"There is no device {ids.encode(ids.DEVICE, draft.device_id)} in this organization. Leave "
                    "device_id empty to make a new one."
                )
            return found
        if not draft.name:
            result.errors.append("Write a device_id or a name: nothing says which device this is about.")
            return None
        called = self._by_name.get(draft.name, [])
        if len(called) > 1:
            result.errors.append(
                f"{len(called)} devices are called {draft.name}. Write the device_id of the one that is meant."
            )
        return called[0] if len(called) == 1 else None

    def _groups_of(self, draft: Draft, result: Result) -> list[GroupId] | None:
        if draft.groups is None:
            return None
        wanted: list[GroupId] = []
        for word in draft.groups:
            known = self._groups.get(word.lower())
            if known is None:
                result.errors.append(f"There is no group {word}. Make it first, or mend its name.")
            elif not known[2]:
                result.errors.append(
                    f"Who is in {known[1]} is said by its query. Leave it out, or name a fixed group."
                )
            else:
                wanted.append(known[0])
        return list(dict.fromkeys(wanted))

    def _id_of(self, name: str) -> GroupId | None:
        known = self._groups.get(name.lower())
        return None if known is None else known[0]

    def _entry(self, draft: Draft, before: Device | None, result: Result) -> batch.Entry | None:
        old = batch.Entry(draft.name or "") if before is None else _entry_of(before)
        project = old.project_id
        if draft.project is not None:
            project = self._projects.get(draft.project.lower()) if draft.project else None
            if draft.project and project is None:
                result.errors.append(f"There is no project {draft.project}. Make it first, or mend its name.")
        limited = self._principal.projects
        if limited is not None and project not in limited and not result.errors:
            result.errors.append("This key is limited to projects. Name one of them in the column project.")
        place = draft.place(old.place)
        if (place.latitude is None) != (place.longitude is None):
            result.errors.append("Write latitude and longitude together, or neither.")
        # What is written as it stands stays as it stands, also where it would not be accepted now.
        raw = draft.raw
        return batch.Entry(
            name=old.name if draft.name is None or raw["name"] == old.name else draft.name,
            notes=old.notes if draft.notes is None or raw["notes"] == old.notes else draft.notes,
            tags=old.tags if draft.tags is None else draft.tags,
            project_id=project,
            place=replace(place, name=old.place.name)
            if raw.get("place_name") == (old.place.name or "")
            else place,
        )

    def _compare(self, before: Device, after: batch.Entry, result: Result) -> None:
        old = _entry_of(before)
        changed = [
            column
            for column, was, now in (
                ("name", old.name, after.name),
                ("tags", old.tags, after.tags),
                ("notes", old.notes, after.notes),
                ("place_name", old.place.name, after.place.name),
                ("latitude", old.place.latitude, after.place.latitude),
                ("longitude", old.place.longitude, after.place.longitude),
                ("project", old.project_id, after.project_id),
            )
            if was != now
        ]
        if changed:
            result.outcome, result.changed = Outcome.UPDATED, changed
            self.updates.append((before.device_id, old, after))


async def import_devices(
    tx: Transaction, principal: Principal, drafts: Sequence[Draft], *, dry_run: bool
) -> Report:
    """Take the file in, or only say what would come of it. A plan's last places go to the first new lines.

    Raises Invalid (`too_many_named`), NotFound (`project_not_found`) for a project that is deleted meanwhile.
    """
    sound = [draft for draft in drafts if not draft.errors]
    found = await batch.lock_devices(
        tx,
        principal,
        [draft.device_id for draft in sound if draft.device_id is not None],
        [draft.name for draft in sound if draft.device_id is None and draft.name],
        limit=MOST_NAMED + 1,
    )
    if len(found) > MOST_NAMED:
        raise Invalid(
            f"The lines name more than {MOST_NAMED:,} devices, since many have one name. Write their device_id.",
            code="too_many_named",
        )
    projects = {draft.project for draft in sound if draft.project}
    groups = {name for draft in sound for name in draft.groups or ()}
    groups |= {name for device in found for name in device.groups or ()}
    coming = _Import(
        principal,
        found,
        await organizations.find_projects(tx, principal, sorted(projects)) if projects else {},
        await devices.find_groups(tx, principal, sorted(groups)) if groups else {},
    )
    for draft in drafts:
        coming.take(draft)
    await _fit(tx, principal, coming)
    if not dry_run:
        await _write(tx, principal, coming)
    return Report(coming.results)


async def _fit(tx: Transaction, principal: Principal, coming: _Import) -> None:
    """Refuse what the plan has no place for."""
    if not coming.creations:
        return
    try:
        await quotas.reserve(tx, principal, quotas.Resource.DEVICES, count=len(coming.creations))
    except quotas.QuotaExceeded as refusal:
        coming.refuse_beyond(refusal.room, refusal.detail)


async def _write(tx: Transaction, principal: Principal, coming: _Import) -> None:
    made = await batch.create_devices(tx, principal, [entry for _, entry in coming.creations])
    for (result, _), (device_id, key) in zip(coming.creations, made, strict=True):
        result.device_id, result.api_key = device_id, key
    await batch.update_devices(tx, principal, coming.updates)
    for group in sorted(
        {*coming.entering, *coming.leaving}
    ):  # in one order, so that two files cannot deadlock
        await devices.change_members(
            tx,
            principal,
            group,
            add=[item.device_id for item in coming.entering.get(group, ()) if item.device_id],
            remove=[item.device_id for item in coming.leaving.get(group, ()) if item.device_id],
        )


def _entry_of(device: Device) -> batch.Entry:
    return batch.Entry(device.name, device.notes, device.tags, device.project_id, device.place or Place())
