"""Quotas: what an organization's plan allows, how much of it is used, and what else the plan brings.

Owns: `tenant_plans`, `api_calls`, and the count of the running day in Valkey. Promises: `reserve` is asked in the
transaction of a creation, and of two at the limit one wins; a plan without a limit costs no lock and no count;
nothing that works is ever cut off: a lower plan only stops what would be added, and a device's own calls and tunnel
never count. Does not do: prices and payment (billing writes the plan), or the rate of calls (`infra.limits`).
"""

from edgeflow_cloud.quotas.meter import calls_today, count_call
from edgeflow_cloud.quotas.model import (
    FEATURES,
    PLANS,
    FeatureNotInPlan,
    Plan,
    QuotaExceeded,
    Resource,
    Usage,
)
from edgeflow_cloud.quotas.service import (
    list_tenants,
    plan_name,
    plan_of,
    require_feature,
    reserve,
    set_plan,
    usage,
)

__all__ = [
    "FEATURES",
    "PLANS",
    "FeatureNotInPlan",
    "Plan",
    "QuotaExceeded",
    "Resource",
    "Usage",
    "calls_today",
    "count_call",
    "list_tenants",
    "plan_name",
    "plan_of",
    "require_feature",
    "reserve",
    "set_plan",
    "usage",
]
