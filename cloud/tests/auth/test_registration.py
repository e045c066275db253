"""Coming in: registration as published, its refusals, the first owner."""

import asyncio
from dataclasses import replace

import pytest

from cloud.tests.auth.conftest import PASSWORD, House, actions, make_house
from edgeflow_cloud import auth
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.settings import Registration
from edgeflow_cloud.kernel.clock import SetClock


async def test_the_published_shape(house: House) -> None:
    answer = await house.register("ada", subscribe_newsletter=True)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"user", "organization"}
    assert set(body["user"]) == {"id", "email", "first_name", "last_name", "email_verified"}
    assert set(body["organization"]) == {"id", "name", "slug", "plan"}
    assert body["user"]["id"].startswith("usr_") and body["organization"]["id"].startswith("org_")
    assert body["user"]["email_verified"] is False
    assert body["organization"] | {"id": ""} == {
        "id": "",
        "name": "Ada Ltd",
        "slug": "ada",
        "plan": "enterprise",
    }


async def test_it_is_recorded_and_the_password_is_not(house: House, sql) -> None:
    await house.register("ada")
    assert await actions(sql) == ["user.register", "org.create"]
    rows = await sql.fetch("select row_to_json(e)::text as line from audit_entries e")
    assert all(PASSWORD not in row["line"] and "argon2" not in row["line"] for row in rows)
    stored = await sql.fetchval("select password_hash from users")
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"accept_terms": False}, 422, "invalid_input", "accept_terms"),
        ({"accept_terms": "yes"}, 422, "invalid_input", "accept_terms"),
        ({"accept_terms": ...}, 422, "invalid_input", "accept_terms"),
        ({"password": "short"}, 422, "weak_password", "password"),
        ({"password": "password123"}, 422, "weak_password", "password"),
        ({"password": "aaaaaaaaaaaa"}, 422, "weak_password", "password"),
        ({"email": "no address"}, 422, "invalid_email", "email"),
        ({"email": "a@b\u0000.com"}, 422, None, None),
        ({"organization_slug": "Not A Slug"}, 422, "invalid_input", "organization_slug"),
        ({"first_name": "   "}, 422, "invalid_input", "first_name"),
        ({"role": "owner"}, 422, "invalid_input", "role"),
    ],
)
async def test_refusals_name_the_field(
    house: House, changes: dict[str, object], status: int, code: str | None, field: str | None
) -> None:
    answer = await house.register("ada", **changes)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["error"] == body["detail"] and body["detail"]
    if code:
        assert body["code"] == code
        assert [item["field"] for item in body["errors"]] == [field]
    assert PASSWORD not in answer.text


async def test_an_address_has_one_account_whatever_its_case(house: House, sql) -> None:
    await house.register("ada")
    answer = await house.register("ada", email=house.email("ada").upper(), organization_slug="other")
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert await sql.fetchval("select count(*) from organizations") == 1


async def test_a_slug_has_one_organization(house: House, sql) -> None:
    await house.register("ada")
    answer = await house.register("bob", organization_slug="ada")
    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")
    assert await sql.fetchval("select count(*) from users") == 1


async def test_without_a_slug_one_is_made(house: House) -> None:
    first = await house.register("ada", organization_name="Müller & Söhne", organization_slug=...)
    second = await house.register("bob", organization_name="Müller & Söhne", organization_slug=...)
    assert first.json()["organization"]["slug"] == "muller-sohne"
    assert second.json()["organization"]["slug"].startswith("muller-sohne-")


async def test_twins_make_one_account(house: House, sql) -> None:
    answers = await asyncio.gather(*(house.register("ada", organization_slug=f"ada-{i}") for i in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert await sql.fetchval("select count(*) from organizations") == 1


@pytest.mark.parametrize(
    ("mode", "code"),
    [(Registration.CLOSED, "registration_closed"), (Registration.INVITE, "invitation_needed")],
)
async def test_registration_may_be_shut(
    context: Context, clock: SetClock, mode: Registration, code: str
) -> None:
    settings = context.settings.model_copy(update={"registration": mode})
    house = make_house(context, clock, settings)
    answer = await house.register("ada")
    assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_the_first_owner_is_made_once(house: House, sql) -> None:
    made = await asyncio.gather(*(auth.ensure_owner(house.context, "owner@edgeflow.local") for _ in range(4)))
    passwords = [password for password in made if password]
    assert len(passwords) == 1 and len(passwords[0]) >= 20
    assert await auth.ensure_owner(house.context, "owner@edgeflow.local") is None
    answer = await house.at().post(
        "/auth/login", json={"email": "owner@edgeflow.local", "password": passwords[0]}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["role"] == "owner"
    assert await sql.fetchval("select name from organizations") == "My organization"
    assert await actions(sql) == ["user.register", "org.create", "user.login"]


async def test_an_instance_with_people_gets_no_owner(house: House) -> None:
    await house.register("ada")
    assert await auth.ensure_owner(house.context, "owner@edgeflow.local") is None


async def test_registration_is_slowed_by_address(house: House) -> None:
    codes = [(await house.register("ada", password="short")).status_code for _ in range(61)]
    assert codes[0] == 422 and codes[-1] == 429
    other = replace(house, address="10.255.255.254")
    assert (await other.register("ada")).status_code == 201
