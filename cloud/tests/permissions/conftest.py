"""Two organizations with one of everything, and callers of every kind."""

from dataclasses import dataclass, field

import asyncpg
import httpx2 as httpx
import pytest

from cloud.tests.auth.conftest import House, clock, house, sql
from cloud.tests.permissions.table import HOLDS, SCOPED
from edgeflow_cloud.api_keys import SCOPES
from edgeflow_cloud.kernel import ids

__all__ = ["clock", "house", "sql"]

Sql = asyncpg.Connection


@dataclass
class Tenant:
    """One organization: its owner's client, and an id of everything that a path may name."""

    owner: httpx.AsyncClient
    names: dict[str, str]
    device_key: str
    callers: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    @property
    def organization(self) -> str:
        return self.names["organization_id"]


async def make_tenant(house: House, sql: Sql, name: str) -> Tenant:
    """Register an owner, and make one of everything."""
    entry = await house.enter(name)
    await sql.execute("update users set email_verified_at = now()")
    owner = house.at(token=entry["access_token"])
    organization = entry["user"]["organization_id"]

    async def made(path: str, body: dict[str, object] | None = None) -> dict[str, str]:
        answer = await owner.post(path, json=body) if body is not None else await owner.post(path)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    device = await made("/devices", {"name": f"press of {name}"})
    own = device["device_id"]
    command = await made(f"/devices/{own}/commands?wait=0", {"action": "x", "ttl": 3600})
    codes = await made("/provisioning-codes", {})
    await owner.put(f"/devices/{own}/shadow", json={"desired": {"a": 1}})
    names = {
        "version": await number(sql, own),
        "flow_id": f"flow-{ids.new()}",
        "execution_id": f"exec-{ids.new()}",
        "organization_id": organization,
        "session_id": entry["session_id"],
        "user_id": await join(house, sql, f"{name}-fellow", organization, "viewer"),
        "device_id": own,
        "command_id": command["id"],
        "key_id": (await owner.get(f"/devices/{own}/keys")).json()["items"][0]["key_id"],
        "code_id": codes["items"][0]["id"],  # pyright: ignore
        "project_id": (await made("/projects", {"name": f"line of {name}"}))["id"],
        "group_id": (await made("/groups", {"name": f"group of {name}"}))["id"],
        "search_id": (
            await made("/saved-searches", {"name": f"search of {name}", "q": "name = x", "shared": True})
        )["id"],
        "api_key_id": (await made("/api-keys", {"name": f"key of {name}", "scopes": ["devices:read"]}))["id"],
        "sha256": (await made("/flow-bundles", {"flow_id": f"f-{name}", "definition": {}}))["sha256"],
        "export_id": (await made(f"/organizations/{organization}/exports"))["id"],
        "invitation_id": (
            await made(f"/organizations/{organization}/invitations", {"email": house.email(f"{name}-guest")})
        )["id"],
    }
    return Tenant(owner, names, device["api_key"])


async def number(sql: Sql, device: str) -> str:
    """A version of the device's shadow that nobody else's has."""
    version = 10**9 + ids.new().int % 10**9
    for table in ("shadows", "shadow_history"):
        await sql.execute(f"update {table} set version = $1 where device_id = $2", version, ids.decode("dev", device))
    return str(version)


async def join(house: House, sql: Sql, name: str, organization: str, role: str, extra: str = "") -> str:
    """A person of the organization; the user's id."""
    user = (await house.register(name)).json()["user"]["id"]
    await sql.execute(
        "insert into members (tenant_id, user_id, role, extra_permissions, joined_at) values ($1, $2, $3, $4, now())",
        ids.decode("org", organization),
        ids.decode("usr", user),
        role,
        [extra] if extra else [],
    )
    return user


async def add_callers(house: House, sql: Sql, tenant: Tenant) -> None:
    """A caller of each kind, each a person or program of its own: `tenant.callers`."""
    for number, kind in enumerate(HOLDS):
        role, _, extra = kind.partition(" with ")
        await join(house, sql, f"person{number}", tenant.organization, role, extra)
        entry = (await house.login(f"person{number}", organization_id=tenant.organization)).json()
        tenant.callers[kind] = house.at(token=entry["access_token"])
    for permission, giving in SCOPED.items():
        if giving:
            tenant.callers[f"key with {permission}"] = await key(house, tenant, giving[:1])
        others = [scope for scope in SCOPES if scope not in giving]
        tenant.callers[f"key without {permission}"] = await key(house, tenant, others)
    tenant.callers["device"] = house.at()
    tenant.callers["device"].headers["x-api-key"] = tenant.device_key
    tenant.callers["nobody"] = house.at()
    await join(house, sql, "gone", tenant.organization, "owner")
    entry = (await house.login("gone", organization_id=tenant.organization)).json()
    tenant.callers["revoked"] = house.at(token=entry["access_token"])
    assert (await tenant.callers["revoked"].post("/auth/logout")).status_code == 200
    revoked = await key(house, tenant, ["devices:read"])
    listed = (await tenant.owner.get("/api-keys")).json()["items"]
    await tenant.owner.delete(f"/api-keys/{listed[0]['id']}")
    tenant.callers["revoked key"] = revoked


async def key(house: House, tenant: Tenant, scopes: list[str] | tuple[str, ...]) -> httpx.AsyncClient:
    """A program with these scopes."""
    made = await tenant.owner.post("/api-keys", json={"name": "program", "scopes": list(scopes)})
    assert made.status_code == 201, made.text
    client = house.at()
    client.headers["x-api-key"] = made.json()["key"]
    return client


@pytest.fixture
async def ours(house: House, sql: Sql) -> Tenant:
    """The organization that is asked for."""
    return await make_tenant(house, sql, "ada")


@pytest.fixture
async def theirs(house: House, sql: Sql, ours: Tenant) -> Tenant:
    """Another one, whose owner asks."""
    return await make_tenant(house, sql, "bob")
