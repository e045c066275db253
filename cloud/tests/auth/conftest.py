"""People over HTTP: the real API with the real bearer check."""

import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest

from cloud.tests.conftest import fresh_address
from edgeflow_cloud.app.api import create_api
from edgeflow_cloud.app.callers import authenticate
from edgeflow_cloud.app.denials import record_denial
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.auth.wiring import SUBSYSTEM as AUTH
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.kernel.clock import SetClock
from edgeflow_cloud.quotas import count_call, require_feature

PASSWORD = "correct horse battery"


@dataclass
class House:
    """One running API. `at(address)` is an HTTP client from there."""

    context: Context
    clock: SetClock
    api: Any
    address: str = field(default_factory=fresh_address)
    domain: str = field(
        default_factory=lambda: f"{uuid.uuid4().hex}.example.com"
    )  # Valkey counts by account too

    def email(self, name: str) -> str:
        return f"{name}@{self.domain}"

    def at(self, address: str | None = None, token: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(
                app=self.api, raise_app_exceptions=False, client=(address or self.address, 4711)
            ),
            base_url="http://cloud.test/api/v1",
            headers={"user-agent": "test"} | ({"authorization": f"Bearer {token}"} if token else {}),
        )

    async def register(self, name: str, **changes: object) -> httpx.Response:
        body: dict[str, object] = {
            "email": self.email(name),
            "password": PASSWORD,
            "first_name": name.title(),
            "last_name": "Test",
            "organization_name": f"{name.title()} Ltd",
            "organization_slug": name,
            "accept_terms": True,
            "subscribe_newsletter": False,
        }
        body |= changes
        return await self.at().post("/auth/register", json={k: v for k, v in body.items() if v is not ...})

    async def login(self, name: str, password: str = PASSWORD, **more: object) -> httpx.Response:
        return await self.at().post(
            "/auth/login", json={"email": self.email(name), "password": password, **more}
        )

    async def enter(self, name: str) -> dict[str, Any]:
        """Register and log in; the tokens."""
        assert (await self.register(name)).status_code == 201
        return (await self.login(name)).json()

    def advance(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime.now(UTC))


@pytest.fixture
async def house(context: Context, clock: SetClock) -> House:
    return make_house(context, clock)


def make_house(context: Context, clock: SetClock, settings: Settings | None = None) -> House:
    real = replace(
        context,
        clock=clock,
        authenticate=authenticate,
        settings=settings or context.settings,
        meter=count_call,
        require_feature=require_feature,
        on_denied=record_denial,
    )
    return House(real, clock, create_api(real, SUBSYSTEMS))


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A superuser's connection: sees every row."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def run_jobs(house: House, sql: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Run what the requests enqueued, once each, and answer the names."""
    jobs = {job.name: job for job in (*AUTH.jobs, mail.DELIVER)}
    rows = await sql.fetch(
        "delete from jobs.pgqueuer where status = 'queued' returning id, entrypoint, payload"
    )
    done: list[str] = []
    for row in sorted(rows, key=lambda row: row["id"]):
        if row["entrypoint"] in jobs:
            await jobs[row["entrypoint"]].handler(house.context, json.loads(row["payload"]))
            done.append(row["entrypoint"])
    return done


async def token_from_mail(house: House, sql: "asyncpg.Connection[asyncpg.Record]", kind: str) -> str:
    """Run the jobs; the token of the newest mail of this kind, as its reader's browser has it."""
    await run_jobs(house, sql)
    found = next(item for item in await mail.latest(house.context) if item.kind == kind)
    assert found.content is not None
    (link,) = re.findall(r"https?://\S+", found.content.text)
    return link.partition("#token=")[2]


async def actions(sql: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """What the audit log holds, in order."""
    rows = await sql.fetch("select action from audit_entries order by id")
    return [row["action"] for row in rows]
