"""Use cases of quotas. Each takes the caller's transaction."""

from datetime import datetime
from typing import Final

from edgeflow_cloud import audit
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.quotas import queries
from edgeflow_cloud.quotas.model import PLANS, FeatureNotInPlan, Plan, QuotaExceeded, Resource, Usage

UNLIMITED: Final = "enterprise"
"""What an organization is on that has no row (it is just being made), and whose plan's name is no longer known."""


async def plan_name(tx: Transaction, tenant_id: TenantId) -> str:
    """The name of an organization's plan."""
    return await queries.select_plan(tx, tenant_id) or UNLIMITED


async def plan_of(tx: Transaction, tenant_id: TenantId) -> Plan:
    """An organization's plan."""
    return _known(await queries.select_plan(tx, tenant_id))


async def list_tenants(tx: Transaction, plan: str, after: TenantId | None, limit: int) -> list[TenantId]:
    """Organizations on a plan in the order of their ids, those behind `after`; for a system transaction."""
    return await queries.select_tenants(tx, plan, after, limit)


async def set_plan(tx: Transaction, principal: Principal, plan: str, now: datetime) -> None:
    """Put `principal.tenant_id` on a plan, `org.plan_change` when it was on another. What is there stays,
    also above the new limits. Raises Invalid (`unknown_plan`).
    """
    if plan not in PLANS:
        raise Invalid(f"There is no plan {plan[:40]}. Choose among {', '.join(PLANS)}.", code="unknown_plan")
    before = await queries.lock_plan(tx, principal.tenant_id)
    if before == plan:
        return
    await queries.upsert_plan(tx, principal.tenant_id, plan, now)
    if before is not None:
        await audit.record(
            tx,
            principal,
            "org.plan_change",
            "organization",
            ids.encode(ids.ORGANIZATION, principal.tenant_id),
            old={"plan": before},
            new={"plan": plan},
        )


async def reserve(tx: Transaction, principal: Principal, resource: Resource, *, count: int = 1) -> None:
    """Make sure that `count` more of `resource` may be added in this transaction. Call it before the insert.

    Under a limit others who reserve wait until this transaction ends, so that of two at the limit one wins.
    Raises QuotaExceeded.
    """
    if (await plan_of(tx, principal.tenant_id)).limit(resource) is None:
        return
    plan = _known(await queries.lock_plan(tx, principal.tenant_id))
    limit = plan.limit(resource)
    if limit is None:
        return
    used = await queries.count_resource(tx, principal.tenant_id, resource.value)
    if used + count > limit:
        raise QuotaExceeded(plan, resource, used)


async def require_feature(tx: Transaction, principal: Principal, feature: str) -> None:
    """Raise FeatureNotInPlan unless the organization's plan brings `feature` (a name of FEATURES)."""
    plan = await plan_of(tx, principal.tenant_id)
    if feature not in plan.features:
        raise FeatureNotInPlan(plan, feature)


async def usage(tx: Transaction, principal: Principal) -> tuple[Plan, list[Usage]]:
    """The plan, and how much of each counted thing there is; calls of today come from `meter.calls_today`."""
    plan = await plan_of(tx, principal.tenant_id)
    return plan, [
        Usage(
            resource,
            await queries.count_resource(tx, principal.tenant_id, resource.value),
            plan.limit(resource),
        )
        for resource in Resource
        if resource is not Resource.API_CALLS
    ]


def _known(name: str | None) -> Plan:
    return PLANS.get(name or UNLIMITED, PLANS[UNLIMITED])
