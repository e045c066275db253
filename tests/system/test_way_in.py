"""Who is let in, and who is taken to be asking: proxies, registration and guessing, on the real program."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest

from tests.system.product import Cloud
from tests.system.test_operator import PASSWORD, kept, token_in

OWNER = "owner@edgeflow.local"
HOME, TRAIN, SPOOFED = "198.51.100.9", "198.51.100.80", "203.0.113.66"
FORWARDED = "x-forwarded-for"


def log_in(cloud: Cloud, email: str, password: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx.Client(base_url=f"{cloud.url}/api/v1", timeout=30) as client:
        return client.post("/auth/login", json={"email": email, "password": password}, headers=named)


def guess(cloud: Cloud, email: str, addresses: list[str]) -> list[int]:
    """A wrong password from each address, eight at a time; the answers' statuses."""
    with httpx.Client(base_url=f"{cloud.url}/api/v1", timeout=30) as client, ThreadPoolExecutor(8) as pool:

        def once(address: str) -> int:
            body = {"email": email, "password": "a guess at it"}
            return client.post("/auth/login", json=body, headers={FORWARDED: address}).status_code

        return list(pool.map(once, addresses))


def seen_from(cloud: Cloud, entry: httpx.Response) -> str:
    """The address that the audit log has for this log-in."""
    assert entry.status_code == 200, entry.text
    headers = {"authorization": f"Bearer {entry.json()['access_token']}"}
    answer = httpx.get(
        f"{cloud.url}/api/v1/audit", params={"action": "user.login", "limit": 1}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]["ip_address"]


def register(cloud: Cloud, name: str) -> httpx.Response:
    body = {
        "email": f"{name}@example.com",
        "password": PASSWORD,
        "first_name": name.title(),
        "last_name": "Test",
        "organization_name": f"{name.title()} Ltd",
        "accept_terms": True,
    }
    return httpx.post(f"{cloud.url}/api/v1/auth/register", json=body, timeout=30)


def invited(cloud: Cloud, owner: httpx.Client, name: str) -> str:
    """The token in the mail that invites somebody new."""
    organization = owner.get("/organizations").json()["items"][0]["id"]
    body = {"email": f"{name}@example.com", "role": "viewer"}
    answer = owner.post(f"/organizations/{organization}/invitations", json=body)
    assert answer.status_code == 201, answer.text
    return token_in(kept(cloud, body["email"], "Join"))


def accept(cloud: Cloud, token: str, name: str) -> httpx.Response:
    body = {
        "token": token,
        "first_name": name.title(),
        "last_name": "Test",
        "password": PASSWORD,
        "accept_terms": True,
    }
    return httpx.post(f"{cloud.url}/api/v1/invitations/accept", json=body, timeout=30)


def test_without_a_trusted_proxy_nobody_names_an_address(cloud: Cloud) -> None:
    spoofed = {"x_forwarded_for": SPOOFED, "x_real_ip": SPOOFED, "forwarded": f"for={SPOOFED}"}
    assert seen_from(cloud, log_in(cloud, OWNER, cloud.password, **spoofed)) == "127.0.0.1"
    # Nor does a new address in every header give new guesses: all of them are this one's.
    statuses = guess(cloud, "nobody@example.com", [f"203.0.113.{number}" for number in range(40)])
    assert set(statuses) == {401, 429} and statuses.count(401) <= 31
    assert register(cloud, "welcome").status_code == 201  # open, as it comes


@pytest.mark.timeout(300)
def test_behind_a_trusted_proxy_and_by_invitation(new_cloud: Callable[..., Cloud]) -> None:
    cloud = new_cloud(EDGEFLOW_TRUSTED_PROXIES="127.0.0.1/32", EDGEFLOW_REGISTRATION="invite")
    cloud.up()
    assert httpx.get(f"{cloud.url}/api/v1/instance").json()["registration"] == "invite"
    home = log_in(cloud, OWNER, cloud.password, x_forwarded_for=HOME)
    assert seen_from(cloud, home) == HOME
    # What the client wrote into the header itself stands left of what the proxy wrote.
    claimed = log_in(cloud, OWNER, cloud.password, x_forwarded_for=f"{SPOOFED}, {HOME}")
    assert seen_from(cloud, claimed) == HOME
    assert seen_from(cloud, log_in(cloud, OWNER, cloud.password)) == "127.0.0.1"

    # Limits count by client: who has used up theirs does not use up another's.
    statuses = guess(cloud, "nobody@example.com", [SPOOFED] * 40)
    assert set(statuses) == {401, 429} and statuses.count(401) <= 31
    assert guess(cloud, "nobody@example.com", [HOME]) == [401]

    # Somebody guesses at the owner's account from everywhere until strange places are refused.
    mark = home.cookies["edgeflow_known_browser"]
    for block in range(40):
        if set(guess(cloud, OWNER, [f"10.0.{block}.{host}" for host in range(16)])) == {429}:
            break
    stranger = log_in(cloud, OWNER, cloud.password, x_forwarded_for=TRAIN)
    assert stranger.status_code == 429 and "Forgot password" in stranger.json()["detail"]
    # The owner is not locked out: not at home, and not with the own browser on the train.
    assert log_in(cloud, OWNER, cloud.password, x_forwarded_for=HOME).status_code == 200
    known = {"cookie": f"edgeflow_known_browser={mark}"}
    assert log_in(cloud, OWNER, cloud.password, x_forwarded_for=TRAIN, **known).status_code == 200

    refused = register(cloud, "stranger")
    assert (refused.status_code, refused.json()["code"]) == (403, "invitation_needed")
    owner = cloud.owner()
    joined = accept(cloud, invited(cloud, owner, "grace"), "grace")
    assert (joined.status_code, joined.json()["registered"]) == (200, True), joined.text
    late = invited(cloud, owner, "late")

    assert cloud.program.end() == 0
    cloud.settings["EDGEFLOW_REGISTRATION"] = "closed"
    password = cloud.password
    cloud.up()
    assert httpx.get(f"{cloud.url}/api/v1/instance").json()["registration"] == "closed"
    for refused in (register(cloud, "stranger"), accept(cloud, late, "late")):
        assert (refused.status_code, refused.json()["code"]) == (403, "registration_closed"), refused.text
    assert log_in(cloud, "grace@example.com", PASSWORD).status_code == 200
    assert log_in(cloud, OWNER, password, x_forwarded_for=HOME).status_code == 200
