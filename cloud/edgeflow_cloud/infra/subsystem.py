"""What a subsystem gives to the whole: one value per folder, made in its `wiring.py`.

Lower subsystems know nothing of higher ones; what they need from above (frames, jobs, reactions, retention) reaches
them through the list of these values that `app` makes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from edgeflow_cloud.infra.archive import Archived
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.http.router import Router
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.outbox import Reaction
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.sealing import Sealed
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal

Work = Callable[[Context, asyncio.Event], Awaitable[None]]
"""`work(context, stopping)`: goes on until `stopping` is set. When it raises it is started again."""

Suspect = Callable[[Transaction, Principal, DeviceId, datetime], Awaitable[datetime | None]]
"""`suspect(tx, principal, device_id, now)`: since when the device's key seems to be in two boxes, or None."""


@dataclass(frozen=True, kw_only=True)
class Subsystem:
    """One folder's contributions.

    `permissions` are the names that its routes may ask for. `device` is what it adds to a device's session (frames,
    actions, steps on connect), opaque here and read by `tunnel`, which alone knows the type. `works` are what the
    worker role does all the time, by name: for what must not wait for a job's turn. `query_fields` are what it lets
    the devices' query language ask (`query_language.QueryField`), `findings` what it has to say of one device
    (`explanations.Finder`), `suspicions` how it knows that a device's key is in two boxes; the former two are
    opaque here and read by those who have the type. `archived` are its files of an organization's archive.
    """

    name: str
    routers: Sequence[Router] = ()
    permissions: Mapping[str, str] = field(default_factory=dict[str, str])
    device: object | None = None
    works: Mapping[str, Work] = field(default_factory=dict[str, Work])
    jobs: Sequence[Job] = ()
    schedules: Sequence[Schedule] = ()
    reactions: Sequence[Reaction] = ()
    retention: Sequence[Retention] = ()
    sealed: Sequence[Sealed] = ()
    query_fields: Sequence[object] = ()
    findings: Sequence[object] = ()
    suspicions: Sequence[Suspect] = ()
    archived: Sequence[Archived] = ()
