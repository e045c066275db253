"""Every page of the console: where it is, what is on it, and when it stands still."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
from playwright.sync_api import Page

from tests.system.product import eventually

_ROUTES = Path(__file__).parents[2] / "web" / "src" / "app" / "route-tree.gen.ts"
_STANDS = """() => {
    const now = document.body.innerText.length
    const same = window.__seen === now ? window.__since : performance.now()
    Object.assign(window, { __seen: now, __since: same })
    return performance.now() - same > 250 && document.querySelector('h1') !== null
        && !document.querySelector('[class*=Skeleton-root], [class*=Loader-root]')
}"""
"""There is a heading, nothing is on its way, and no text came or went for a quarter of a second."""


@dataclass(frozen=True)
class Stock:
    """What a furnished organization has, by id."""

    device_id: str
    group_id: str


def addresses() -> set[str]:
    """Every address that the console knows, as its router writes them: `/devices/$deviceId/logs`."""
    found = re.search(r"\n  to:\n((?:    \| '.*'\n)+)", _ROUTES.read_text())
    assert found, f"{_ROUTES.name} lists its addresses no more as it did"
    return set(re.findall(r"'(.*)'", found[1]))


_BAD_LINK = "#token=of-a-mail-that-was-used-already"
STRANGERS: dict[str, str] = {
    "/login": "/login",
    "/sign-up": "/sign-up",
    "/forgot-password": "/forgot-password",
    "/reset-password": f"/reset-password{_BAD_LINK}",
    "/verify-email": f"/verify-email{_BAD_LINK}",
    "/accept-invitation": f"/accept-invitation{_BAD_LINK}",
    "/claim": "/claim#PROV-7K2M-9QXA",
}
"""Pages for people who are not logged in, and an address at which each has something to show."""


def _of_device(part: str) -> Callable[[Stock], str]:
    return lambda stock: f"/devices/{stock.device_id}{part}"


def _at(address: str) -> Callable[[Stock], str]:
    return lambda _: address


MEMBERS: dict[str, Callable[[Stock], str]] = {
    "/devices/$deviceId": _of_device(""),
    **{
        f"/devices/$deviceId/{part}": _of_device(f"/{part}")
        for part in ("commands", "executions", "explain", "logs", "metrics", "shadow", "shadow/history")
    },
    "/groups/$groupId": lambda stock: f"/groups/{stock.group_id}",
    **{
        address: _at(address)
        for address in (
            "/",
            "/devices",
            "/devices/add",
            "/devices/claim",
            "/devices/codes",
            "/devices/compare",
            "/devices/import",
            "/groups",
            "/account",
            "/account/security",
            "/account/sessions",
            "/organization",
            "/organization/api-keys",
            "/organization/audit",
            "/organization/members",
            "/organization/projects",
            "/organization/security",
            "/organization/usage",
        )
    },
}
"""Pages behind the login, and where each is for a furnished organization."""


def furnish(owner: httpx.Client) -> Stock:
    """One of each thing that a page lists, through the public API; a device must be online already."""

    def create(path: str, **body: object) -> dict[str, str]:
        answer = owner.post(path, json=body)
        assert answer.status_code in (200, 201, 202), f"{path}: {answer.text}"
        return answer.json()

    def online() -> list[dict[str, str]]:
        return owner.get("/devices", params={"status": "online", "limit": 1}).json()["items"]

    device = eventually(online, within=30, what="a device is online")[0]["device_id"]
    organization = owner.get("/organizations").json()["items"][0]["id"]
    project = create("/projects", name="Hall 7", description="The packing lines by the loading dock")
    group = create("/groups", name="Packing lines", kind="fixed", description="Everything that packs")
    create("/groups", name="Not heard of today", kind="dynamic", query="status = offline")
    owner.put(f"/groups/{group['id']}/members", json={"device_ids": [device]})
    create("/devices", name="Spare gateway", tags=["spare", "hall-7"], project_id=project["id"])
    create("/provisioning-codes", name="Palletizer", tags=["hall-7"], expires_in=86_400)
    create("/saved-searches", name="Spares", q="tag = spare", shared=True)
    create("/api-keys", name="Nightly report", scopes=["devices:read", "audit:read"])
    create(f"/organizations/{organization}/invitations", email="bo@example.com", role="viewer")
    create(f"/devices/{device}/commands?wait=5", action="health_check")
    owner.put(f"/devices/{device}/shadow", json={"desired": {"log_level": "debug", "colour": "red"}})
    owner.put(f"/devices/{device}/shadow", json={"desired": {"colour": "green"}})
    return Stock(device_id=device, group_id=group["id"])


def go(page: Page, address: str) -> None:
    """To another page as a click on a link does, without loading the console again; returns when it stands."""
    page.evaluate("address => history.pushState({}, '', address)", address)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page has its heading and nothing on it is still on its way."""
    page.evaluate("() => delete window.__seen")
    page.wait_for_function(_STANDS, polling=50)
