"""The published table of plans as data, and what is said when one is not enough. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from edgeflow_cloud.kernel.errors import Forbidden, Problem


class Resource(StrEnum):
    """What a plan counts."""

    DEVICES = "devices"
    FLOWS = "flows"
    PROJECTS = "projects"
    MEMBERS = "members"
    API_CALLS = "api_calls"


_NAMES: Final = {
    Resource.DEVICES: "devices",
    Resource.FLOWS: "flows",
    Resource.PROJECTS: "projects",
    Resource.MEMBERS: "members",
    Resource.API_CALLS: "API calls a day",
}

FEATURES: Final = {
    "email_alerts": "E-mail alerts",
    "basic_dashboard": "The basic dashboard",
    "slack": "Slack",
    "api_access": "API access with keys",
    "advanced_analytics": "Advanced analytics",
    "canary_deployments": "Canary deployments",
    "blue_green_deployments": "Blue-green deployments",
    "sms": "SMS",
    "audit_export": "Export of the audit log",
    "sso": "Single sign-on",
    "custom_retention": "Custom retention",
    "priority_support": "Priority support",
}
"""What a plan brings besides numbers, with the words for people."""

_FREE: Final = frozenset({"email_alerts", "basic_dashboard"})
_STARTER: Final = _FREE | {"slack", "api_access"}
_PRO: Final = _STARTER | {
    "advanced_analytics",
    "canary_deployments",
    "blue_green_deployments",
    "sms",
    "audit_export",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One column of the published table. A limit of None is none.

    `raw_days`: how long samples, log lines, events and executions are kept; `history_days`: their rollups.
    """

    name: str
    title: str
    limits: dict[Resource, int | None]
    features: frozenset[str]
    raw_days: int
    history_days: int

    def limit(self, resource: Resource) -> int | None:
        """The most of a resource, or None."""
        return self.limits[resource]


def _plan(
    title: str,
    features: frozenset[str],
    *,
    devices: int | None,
    flows: int | None,
    projects: int | None,
    members: int | None,
    api_calls: int | None,
    days: tuple[int, int],
) -> Plan:
    limits = {
        Resource.DEVICES: devices,
        Resource.FLOWS: flows,
        Resource.PROJECTS: projects,
        Resource.MEMBERS: members,
        Resource.API_CALLS: api_calls,
    }
    return Plan(title.lower(), title, limits, features, *days)


PLANS: Final = {
    plan.name: plan
    for plan in (
        _plan("Free", _FREE, devices=5, flows=10, projects=1, members=3, api_calls=10_000, days=(7, 30)),
        _plan(
            "Starter",
            _STARTER,
            devices=25,
            flows=None,
            projects=5,
            members=10,
            api_calls=100_000,
            days=(14, 90),
        ),
        _plan(
            "Pro",
            _PRO,
            devices=100,
            flows=None,
            projects=None,
            members=None,
            api_calls=1_000_000,
            days=(30, 400),
        ),
        _plan(
            "Enterprise",
            frozenset(FEATURES),
            devices=None,
            flows=None,
            projects=None,
            members=None,
            api_calls=None,
            days=(30, 1_826),
        ),
    )
}
"""The plans, the smallest first."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one resource is used; `limit` None is none. `resets_at` for what is counted by the day."""

    resource: Resource
    used: int
    limit: int | None
    resets_at: datetime | None = None


class QuotaExceeded(Problem):
    """The plan allows no more of a resource. What is there goes on working."""

    status, code, title = 429, "quota_exceeded", "Quota Exceeded"
    published_error = "Quota Exceeded"

    def __init__(self, plan: Plan, resource: Resource, used: int, *, retry_after: int | None = None) -> None:
        limit, name = plan.limit(resource), _NAMES[resource]
        self.room = max(0, (limit or 0) - used)
        """How many more there may be."""
        bigger = next_plan(plan, resource)
        help_ = (
            "" if bigger is None else f", or change to the plan {bigger.title} ({_most(bigger, resource)})"
        )
        wait = "Wait until midnight UTC" if resource is Resource.API_CALLS else f"Remove some {name}"
        super().__init__(
            f"The plan {plan.title} allows {limit:,} {name}, and {used:,} are used. {wait}{help_}. "
            "Everything that is there goes on working.",
            headers={} if retry_after is None else {"Retry-After": str(retry_after)},
            extra={
                "quota": {
                    "resource": resource.value,
                    "limit": limit,
                    "used": used,
                    "plan": plan.name,
                    "upgrade_to": bigger.name if bigger else None,
                }
            },
        )


class FeatureNotInPlan(Forbidden):
    """The plan does not bring a feature."""

    code, title = "feature_not_in_plan", "Not in this plan"

    def __init__(self, plan: Plan, feature: str) -> None:
        first = next(item for item in PLANS.values() if feature in item.features)
        super().__init__(
            f"{FEATURES[feature]} is not part of the plan {plan.title}. Change to the plan {first.title} to use it.",
            extra={"feature": feature, "plan": plan.name, "upgrade_to": first.name},
        )


def next_plan(plan: Plan, resource: Resource) -> Plan | None:
    """The smallest plan that allows more of the resource."""
    limit = plan.limit(resource)
    if limit is None:
        return None
    for other in PLANS.values():
        most = other.limit(resource)
        if most is None or most > limit:
            return other
    return None


def _most(plan: Plan, resource: Resource) -> str:
    limit = plan.limit(resource)
    return f"no limit on {_NAMES[resource]}" if limit is None else f"{limit:,} {_NAMES[resource]}"
