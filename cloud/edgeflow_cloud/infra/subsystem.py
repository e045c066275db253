"""What a subsystem gives to the whole: one value per folder, made in its `wiring.py`.

Lower subsystems know nothing of higher ones; what they need from above (frames, jobs, reactions, retention) reaches
them through the list of these values that `app` makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeflow_cloud.infra.http.router import Router
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.outbox import Reaction
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.sealing import Sealed


@dataclass(frozen=True, kw_only=True)
class Subsystem:
    """One folder's contributions.

    `permissions` are the names that its routes may ask for. `device` is what it adds to a device's session (frames,
    actions, steps on connect), opaque here and read by `tunnel`, which alone knows the type.
    """

    name: str
    routers: Sequence[Router] = ()
    permissions: Mapping[str, str] = field(default_factory=dict[str, str])
    device: object | None = None
    jobs: Sequence[Job] = ()
    schedules: Sequence[Schedule] = ()
    reactions: Sequence[Reaction] = ()
    retention: Sequence[Retention] = ()
    sealed: Sequence[Sealed] = ()
