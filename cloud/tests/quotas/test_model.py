"""The plan table as published."""

import pytest

from edgeflow_cloud.infra.settings import Plan as PlanName
from edgeflow_cloud.quotas import FEATURES, PLANS, FeatureNotInPlan, QuotaExceeded, Resource

TABLE = """
devices    5      25      100      -
flows      10     -       -        -
projects   1      5       -        -
members    3      10      -        -
api_calls  10000  100000  1000000  -
"""
FEATURE_TABLE = """
email_alerts basic_dashboard                                                    free starter pro enterprise
slack api_access                                                                starter pro enterprise
advanced_analytics canary_deployments blue_green_deployments sms audit_export   pro enterprise
sso custom_retention priority_support                                           enterprise
"""


def test_limits_are_the_published_ones() -> None:
    for line in TABLE.strip().splitlines():
        name, *limits = line.split()
        wanted = [None if text == "-" else int(text) for text in limits]
        assert [plan.limit(Resource(name)) for plan in PLANS.values()] == wanted


def test_features_are_the_published_ones() -> None:
    seen: set[str] = set()
    for line in FEATURE_TABLE.strip().splitlines():
        words = line.split()
        features, plans = set(words) & set(FEATURES), [word for word in words if word in PLANS]
        assert len(features) + len(plans) == len(words)
        seen |= features
        for feature in features:
            assert [name for name, plan in PLANS.items() if feature in plan.features] == plans
    assert seen == set(FEATURES)


def test_settings_name_the_same_plans() -> None:
    assert [plan.value for plan in PlanName] == list(PLANS)


@pytest.mark.parametrize(
    ("plan", "resource", "upgrade"),
    [
        ("free", Resource.DEVICES, "starter"),
        ("pro", Resource.DEVICES, "enterprise"),
        ("starter", Resource.MEMBERS, "pro"),
    ],
)
def test_a_refusal_says_what_would_help(plan: str, resource: Resource, upgrade: str) -> None:
    limit = PLANS[plan].limit(resource)
    problem = QuotaExceeded(PLANS[plan], resource, limit or 0)
    assert (problem.status, problem.title, problem.published_error) == (
        429,
        "Quota Exceeded",
        "Quota Exceeded",
    )
    assert PLANS[upgrade].title in problem.detail
    assert problem.extra["quota"] == {
        "resource": resource.value, "limit": limit, "used": limit, "plan": plan, "upgrade_to": upgrade
    }  # fmt: skip


def test_a_missing_feature_names_the_plan_that_has_it() -> None:
    problem = FeatureNotInPlan(PLANS["free"], "sso")
    assert "Enterprise" in problem.detail and problem.extra["upgrade_to"] == "enterprise"
