"""Roles and permissions exactly as published, and slugs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_cloud.kernel.principal import Role
from edgeflow_cloud.organizations.model import (
    EXTRA,
    PERMISSIONS,
    SLUG,
    merged,
    permissions_of,
    slug_from,
)

TABLE = """
organization:view    owner admin member viewer
organization:manage  owner admin
organization:own     owner
projects:view        owner admin member viewer
projects:manage      owner admin member
api_keys:view        owner admin
api_keys:manage      owner admin
users:view           owner admin member viewer
users:manage         owner admin
devices:view         owner admin member viewer
devices:manage       owner admin member
flows:view           owner admin member viewer
flows:manage         owner admin member
resources:delete     owner admin
billing:view         owner admin
billing:manage       owner
audit:view           owner admin
"""


def test_roles_are_the_table() -> None:
    wanted = {line.split()[0]: set(line.split()[1:]) for line in TABLE.strip().splitlines()}
    found = {name: {role.value for role in Role if name in permissions_of(role)} for name in PERMISSIONS}
    assert found == wanted


@pytest.mark.parametrize("extra", sorted(EXTRA))
def test_the_four_extra_permissions_can_be_given(extra: str) -> None:
    assert permissions_of(Role.VIEWER, [extra]) - permissions_of(Role.VIEWER) == {extra}


def test_nothing_else_can_be_given() -> None:
    assert permissions_of(Role.VIEWER, ["billing:manage", "root"]) == permissions_of(Role.VIEWER)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme"),
        ("Müller & Söhne GmbH", "muller-sohne-gmbh"),
        ("日本", "organization"),
        ("--", "organization"),
    ],
)
def test_slugs_of_names(name: str, slug: str) -> None:
    assert slug_from(name) == slug


@given(st.text(max_size=200))
def test_a_made_slug_is_a_slug(name: str) -> None:
    assert re.fullmatch(SLUG.strip("^$"), slug_from(name))


def test_settings_merge_by_key_and_null_removes() -> None:
    assert merged({"a": 1, "b": 2}, {"b": None, "c": 3}) == {"a": 1, "c": 3}
