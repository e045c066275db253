"""The operator's verbs against a running cloud: kept mails, people who are locked out, rotated keys."""

import re
import subprocess
import time

import httpx2 as httpx
from pyotp.totp import TOTP

from tests.system.product import BIN, Cloud, clean_environment, eventually

PASSWORD = "correct horse battery"
FRESH = "five other words stand here"


def operate(cloud: Cloud, *words: str, code: int = 0) -> str:
    """Run `edgeflow-cloud` beside the running one; what it says."""
    done = subprocess.run(
        [str(BIN / "edgeflow-cloud"), *words],
        env=clean_environment({"EDGEFLOW_DATA_DIR": str(cloud.data)}),
        cwd=cloud.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def person(cloud: Cloud, name: str) -> tuple[httpx.Client, str]:
    """Somebody new, logged in; the address."""
    client = httpx.Client(base_url=f"{cloud.url}/api/v1", timeout=30)
    email = f"{name}@example.com"
    body = {
        "email": email,
        "password": PASSWORD,
        "first_name": name.title(),
        "last_name": "Test",
        "organization_name": f"{name.title()} Ltd",
        "accept_terms": True,
    }
    assert client.post("/auth/register", json=body).status_code == 201
    enter(client, email, PASSWORD)
    return client, email


def enter(client: httpx.Client, email: str, password: str, **more: str) -> httpx.Response:
    answer = client.post("/auth/login", json={"email": email, "password": password, **more})
    if "access_token" in answer.text:
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    return answer


def kept(cloud: Cloud, email: str, subject: str) -> str:
    """The text of the newest kept mail to this address with this subject."""

    def find() -> str:
        for line in operate(cloud, "mail", "list").splitlines():
            if email in line and subject in line:
                return line.split("\t")[0]
        return ""

    mail_id = eventually(find, within=20, what=f"a mail to {email}: {subject}")
    return operate(cloud, "mail", "show", mail_id)


def token_in(text: str) -> str:
    found = re.search(r"#token=(\S+)", text)
    assert found, text
    return found[1]


def test_mails_wait_for_the_operator_and_their_links_work(cloud: Cloud) -> None:
    client, email = person(cloud, "mailed")
    text = kept(cloud, email, "Confirm your e-mail address")
    assert f"To: {email}" in text and "State: kept" in text
    assert client.post("/auth/verify-email", json={"token": token_in(text)}).status_code == 200
    assert client.get("/auth/profile").json()["email_verified"] is True
    answer = client.post("/auth/forgot-password", json={"email": email})
    assert "edgeflow-cloud mail list" in answer.json()["message"]
    token = token_in(kept(cloud, email, "Set a new password"))
    body = {"token": token, "new_password": FRESH}
    assert client.post("/auth/reset-password", json=body).status_code == 200
    assert client.get("/auth/profile").status_code == 401
    assert enter(client, email, FRESH).status_code == 200
    said = cloud.program.said()
    assert token not in said and "#token=" not in said
    assert "There is no mail" in operate(cloud, "mail", "show", "ffffffff", code=1)


def test_people_who_are_locked_out_are_helped(cloud: Cloud) -> None:
    client, email = person(cloud, "locked")
    secret = client.post("/auth/mfa/enable", json={"password": PASSWORD}).json()["secret"]
    confirmed = client.post("/auth/mfa/confirm", json={"code": TOTP(secret).now()})
    assert confirmed.status_code == 200, confirmed.text
    (line,) = operate(cloud, "user", "list", email).splitlines()
    assert line.split("\t")[2:4] == ["unverified", "MFA"] and "(owner)" in line

    found = re.search(r"Password\s+(\S+)", operate(cloud, "user", "reset-password", email))
    assert found
    eventually(lambda: client.get("/auth/profile").status_code == 401, within=2.5, what="sessions have ended")
    assert enter(client, email, PASSWORD).status_code == 401
    assert enter(client, email, found[1]).json()["requires_mfa"] is True
    operate(cloud, "user", "disable-mfa", email)
    assert enter(client, email, found[1]).status_code == 200
    assert "no second factor" in operate(cloud, "user", "disable-mfa", email, code=1)
    assert "Nobody with the address" in operate(cloud, "user", "reset-password", "x@example.com", code=1)


def test_keys_are_rotated_and_nobody_notices(cloud: Cloud) -> None:
    client, email = person(cloud, "rotated")
    secret = client.post("/auth/mfa/enable", json={"password": PASSWORD}).json()["secret"]
    recovery = client.post("/auth/mfa/confirm", json={"code": TOTP(secret).now()}).json()["recovery_codes"]
    code = cloud.code("Before the rotation")
    before = operate(cloud, "keys", "list")
    said = operate(cloud, "keys", "rotate", "--jwt", "--master")
    assert "Sealed anew" in said and "MFA seeds" in said
    after = operate(cloud, "keys", "list")
    assert before != after and after.count("in use") >= 2 and after.count("until") >= 2
    time.sleep(1.5)  # a running process looks once a second
    assert client.get("/auth/profile").status_code == 200
    answer = enter(client, email, PASSWORD, mfa_code=recovery[0])
    assert answer.status_code == 200, answer.text
    assert client.get("/auth/profile").status_code == 200
    provisioned = client.post(
        "/devices/provision",
        json={"provisioning_code": code, "hardware_info": {"mac_address": "02:00:00:00:00:01"}},
    )
    assert provisioned.status_code == 201, provisioned.text


def test_without_a_running_cloud_it_says_so(tmp_path) -> None:
    idle = Cloud(tmp_path, 1)
    assert "does not run" in operate(idle, "user", "list", code=1)


def test_organizations_are_ruled_and_their_logs_are_verified_elsewhere(cloud: Cloud) -> None:
    client, _ = person(cloud, "ruled")
    organization = client.get("/organizations").json()["items"][0]["id"]
    (line,) = operate(cloud, "org", "list", "Ruled Ltd").splitlines()
    name, slug, plan, state, title = line.split("\t")
    assert (name, plan, state, title) == (organization, "enterprise", "active", "Ruled Ltd")

    operate(cloud, "org", "set-plan", slug, "starter")
    refused = client.get("/audit/export", params={"format": "jsonl"})
    assert (refused.status_code, refused.json()["code"]) == (403, "feature_not_in_plan")
    operate(cloud, "org", "set-plan", slug, "no-such-plan", code=1)
    operate(cloud, "org", "set-plan", slug, "pro")

    assert "suspended" in operate(cloud, "org", "suspend", slug, "--reason", "a drill")
    eventually(lambda: client.get("/devices").status_code == 403, within=2.5, what="nobody is let in")
    assert "active" in operate(cloud, "org", "resume", slug)
    eventually(
        lambda: client.get("/devices").status_code == 200, within=2.5, what="everybody is let in again"
    )

    def told() -> bool:
        found = client.get("/audit/verify").json()
        return found["ok"] and found["unsealed"] == 0 and found["verified_to"] > 3

    eventually(told, within=10, what="the log is sealed")
    export = client.get("/audit/export", params={"format": "jsonl"})
    assert export.status_code == 200, export.text
    file = cloud.folder / "log.jsonl"
    file.write_bytes(export.content)
    operate(cloud, "audit", "verify", str(file))
    assert b"org.suspend" in export.content
    file.write_bytes(export.content.replace(b"org.suspend", b"org.suspenD", 1))
    operate(cloud, "audit", "verify", str(file), code=1)
    file.write_bytes(b"")
    operate(cloud, "audit", "verify", str(file), code=2)
    assert "BEGIN PUBLIC KEY" in operate(cloud, "audit", "key")
