"""The whole API behind its real server, with an owner who stays one whatever is done to the account."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx2 as httpx
import pytest
from starlette.requests import HTTPConnection

from edgeflow_cloud import auth
from edgeflow_cloud.app.callers import authenticate
from edgeflow_cloud.app.server import WebServer
from edgeflow_cloud.app.site import create_site
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.blobs import BlobProxy
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.limits import Allowance, Limit, Limits
from edgeflow_cloud.kernel.principal import Principal


class Generous(Limits):
    """No limit is ever reached: what stands behind them is to be tried."""

    async def take(self, limit: Limit, key: str, *, cost: int = 1) -> Allowance:
        return Allowance(True, limit.count, limit.count, 0.0, 0.0)


@dataclass(frozen=True)
class Target:
    """A running site: `url` is its origin, `token` the owner's, `names` are ids of things that are there, `callers`
    headers of the owner, of a device, and of nobody.
    """

    url: str
    token: str
    names: dict[str, str]
    device_key: str = ""

    @property
    def callers(self) -> list[dict[str, str]]:
        return [{"authorization": f"Bearer {self.token}"}, {"x-api-key": self.device_key}, {}]

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"{self.url}/api/v1",
            headers={"authorization": f"Bearer {self.token}"},
            timeout=30,
            trust_env=False,
        )


@pytest.fixture
async def target(context: Context, bus: Bus) -> AsyncIterator[Target]:
    """The site with an owner, a second person, a device, a code, a command and a shadow in it."""
    kept: list[Principal] = []

    async def authenticate_once(context: Context, connection: HTTPConnection) -> Principal | None:
        """The owner as of the first call: also after the session, the password or the organization has gone."""
        if not kept or auth.bearer_token(connection) != token:
            return await authenticate(context, connection)
        return kept[0]

    token = ""
    open_context = replace(context, limits=Generous(bus), authenticate=authenticate_once)
    web = WebServer(
        create_site(open_context, SUBSYSTEMS, BlobProxy(context.blobs)),
        context.settings.model_copy(update={"port": 0}),
        None,
    )
    await web.start()
    running = asyncio.create_task(web.run())
    url = f"http://127.0.0.1:{web.port}"
    try:
        first = Target(url, "", {})
        async with first.client() as client:
            client.headers.pop("authorization")
            entered = await _enter(client)
            token = str(entered["access_token"])
            client.headers["authorization"] = f"Bearer {token}"
            names, device_key = await _furnish(client, entered)
            scope = {
                "type": "http",
                "headers": [(b"authorization", f"Bearer {token}".encode())],
                "client": None,
            }
            found = await authenticate(open_context, HTTPConnection(scope))
            assert found is not None
            kept.append(found)
        yield Target(url, token, names, device_key)
    finally:
        web.hasten()
        await web.stop()
        await asyncio.wait([running], timeout=10)


async def _enter(client: httpx.AsyncClient) -> dict[str, object]:
    email, password = f"ada@{uuid.uuid4().hex}.example.com", "correct horse battery"
    made = await client.post(
        "/auth/register",
        json={
            "email": email,
            "password": password,
            "first_name": "Ada",
            "last_name": "Test",
            "organization_name": "Ada Ltd",
            "accept_terms": True,
        },
    )
    assert made.status_code == 201, made.text
    entered = await client.post("/auth/login", json={"email": email, "password": password})
    assert entered.status_code == 200, entered.text
    return entered.json()


async def _furnish(client: httpx.AsyncClient, entered: dict[str, object]) -> tuple[dict[str, str], str]:
    """Make one of each thing that can be made by one call; answers path parameters by name, and the device's key."""

    async def made(
        path: str, body: dict[str, object], *, expect: int = 201, method: str = "POST"
    ) -> dict[str, object]:
        answer = await client.request(method, path, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    user = entered["user"]
    assert isinstance(user, dict)
    device = await made("/devices", {"name": "pump"})
    code = (await made("/provisioning-codes", {"name": "valve"}))["items"]
    assert isinstance(code, list)
    command = await made(
        f"/devices/{device['device_id']}/commands", {"action": "ping", "ttl": 600}, expect=202
    )
    project = await made("/projects", {"name": "hall"})
    key = await made("/api-keys", {"name": "script", "scopes": ["devices:read"]})
    group = await made("/groups", {"name": "line"})
    search = await made("/saved-searches", {"name": "pumps", "q": "name = pump"})
    organization = f"/organizations/{user['organization_id']}"
    export = await made(f"{organization}/exports", {}, expect=202)
    await made(f"/devices/{device['device_id']}/shadow", {"desired": {"a": 1}}, expect=200, method="PUT")
    names = {
        "organization_id": str(user["organization_id"]),
        "user_id": str(user["id"]),
        "session_id": str(entered["session_id"]),
        "device_id": str(device["device_id"]),
        "code_id": str(code[0]["id"]),
        "command_id": str(command["id"]),
        "project_id": str(project["id"]),
        "api_key_id": str(key["id"]),
        "group_id": str(group["id"]),
        "search_id": str(search["id"]),
        "export_id": str(export["id"]),
        "version": "1",
        "flow_id": "flow_1",
    }
    return names, str(device["api_key"])
