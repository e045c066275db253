"""What one process holds, made once by `app` and handed down."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from edgeflow_cloud.infra.blobs import Blobs
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.db import Database, Transaction
from edgeflow_cloud.infra.limits import Limits
from edgeflow_cloud.infra.secrets import Secrets
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.kernel.clock import Clock
from edgeflow_cloud.kernel.principal import Principal

Authenticate = Callable[["Context", HTTPConnection], Awaitable[Principal | None]]
"""Turns a request's credentials into a Principal, or None when it carries none. Raises Unauthenticated for bad ones."""

Meter = Callable[["Context", Principal, str], Awaitable[None]]
"""Counts a call that needs the named permission against what the caller's organization may do. Raises Problem."""
Feature = Callable[[Transaction, Principal, str], Awaitable[None]]
"""For what lies below quotas. Raises Forbidden (`feature_not_in_plan`) unless the organization has the feature."""
Denial = Callable[["Context", Principal, str, str], Awaitable[None]]
"""Told of a call that was refused: who, the permission that is missing, and the call (`POST /api/v1/devices`)."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The parts of one process. Frozen: what it holds is opened and closed by `app`'s supervisor."""

    settings: Settings
    secrets: Secrets
    clock: Clock
    db: Database
    bus: Bus
    blobs: Blobs
    limits: Limits
    authenticate: Authenticate
    meter: Meter | None = None
    require_feature: Feature | None = None
    on_denied: Denial | None = None
