"""The profile: who one is, partial changes, versions."""

import pytest

from cloud.tests.auth.conftest import House, actions


async def test_the_profile_says_who_and_what_one_may(house: House) -> None:
    entry = await house.enter("ada")
    answer = await house.at(token=entry["access_token"]).get("/auth/profile")
    body = answer.json()
    assert body | entry["user"] == body
    assert body["permissions"] == sorted(body["permissions"])
    assert answer.headers["etag"] == '"1"'
    assert "password_hash" not in answer.text


async def test_a_change_keeps_the_rest_and_is_recorded(house: House, sql) -> None:
    client = house.at(token=(await house.enter("ada"))["access_token"])
    answer = await client.put("/auth/profile", json={"last_name": "Lovelace", "timezone": "Europe/London"})
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    body = answer.json()
    assert (body["first_name"], body["last_name"], body["timezone"]) == ("Ada", "Lovelace", "Europe/London")
    again = await client.put("/auth/profile", json={"timezone": None})
    assert (again.json()["timezone"], again.json()["last_name"]) == (None, "Lovelace")
    assert (await client.get("/auth/profile")).json() == again.json()
    row = await sql.fetchrow(
        """
        select old_values::text, new_values::text from audit_entries
        where action = 'user.update' order by id
        """
    )
    assert "Test" in row[0] and "Lovelace" in row[1]


async def test_nothing_changed_is_no_change(house: House, sql) -> None:
    client = house.at(token=(await house.enter("ada"))["access_token"])
    answer = await client.put("/auth/profile", json={"first_name": "Ada"})
    assert answer.headers["etag"] == '"1"'
    assert "user.update" not in await actions(sql)


async def test_the_version_that_was_seen_counts(house: House) -> None:
    client = house.at(token=(await house.enter("ada"))["access_token"])
    first = await client.put("/auth/profile", json={"first_name": "A"}, headers={"if-match": '"1"'})
    assert first.status_code == 200
    second = await client.put("/auth/profile", json={"first_name": "B"}, headers={"if-match": '"1"'})
    assert (second.status_code, second.json()["code"]) == (409, "version_conflict")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "other@example.com"},
        {"first_name": ""},
        {"first_name": None},
        {"timezone": "Mars/Olympus"},
        {"locale": "<script>"},
        {"role": "owner"},
        {"first_name": "x" * 101},
    ],
)
async def test_what_cannot_be_is_refused_by_name(house: House, body: dict[str, object]) -> None:
    client = house.at(token=(await house.enter("ada"))["access_token"])
    answer = await client.put("/auth/profile", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in body
