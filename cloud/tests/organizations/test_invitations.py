"""Invitations, from the mail to the member."""

import asyncio
import re

from cloud.tests.auth.conftest import PASSWORD, House, actions, make_house
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.settings import Registration


async def inviter(house: House, sql, name: str = "ada"):
    """An owner whose address is verified."""
    client, organization, _ = await enter(house, name)
    await sql.execute("update users set email_verified_at = now()")
    return client, f"/organizations/{organization}/invitations", organization


async def token_for(house: House, email: str) -> str:
    """The token of the newest mail to an address."""
    found = next(item for item in await mail.latest(house.context) if item.recipient == email)
    assert found.content is not None
    match = re.search(r"/accept-invitation#token=([\w-]+)", found.content.text)
    assert match and match.group(1) in found.content.html
    return match.group(1)


async def test_a_stranger_is_invited_and_makes_an_account(house: House, sql) -> None:
    ada, path, organization = await inviter(house, sql)
    email = house.email("grace")
    made = await ada.post(
        path, json={"email": email, "role": "member", "extra_permissions": ["users:manage"]}
    )
    assert made.status_code == 201, made.text
    assert "token" not in made.text
    assert [item["email"] for item in (await ada.get(path)).json()["items"]] == [email]
    token = await token_for(house, email)
    assert token.encode() not in str(await sql.fetch("select * from invitations")).encode()
    nobody = house.at()
    seen = (await nobody.post("/invitations/preview", json={"token": token})).json()
    assert seen == {"organization_name": "Ada Ltd", "email": email, "has_account": False}
    bare = await nobody.post("/invitations/accept", json={"token": token})
    assert (bare.status_code, bare.json()["code"]) == (422, "account_needed")
    account = {"first_name": "Grace", "last_name": "Hopper", "password": PASSWORD, "accept_terms": True}
    weak = await nobody.post("/invitations/accept", json={"token": token} | account | {"password": "short"})
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    done = await nobody.post("/invitations/accept", json={"token": token} | account)
    assert done.status_code == 200, done.text
    assert (done.json()["organization_id"], done.json()["registered"]) == (organization, True)
    again = await nobody.post("/invitations/accept", json={"token": token} | account)
    assert (again.status_code, again.json()["code"]) == (404, "invitation_not_good")
    entry = (await house.login("grace")).json()
    assert (entry["user"]["role"], entry["user"]["email_verified"]) == ("member", True)
    profile = (await house.at(token=entry["access_token"]).get("/auth/profile")).json()
    assert "users:manage" in profile["permissions"]
    assert (await ada.get(path)).json()["items"] == []
    found = await actions(sql)
    assert {"org.member_invite", "user.register", "org.member_join"} <= set(found)


async def test_somebody_with_an_account_joins(house: House, sql) -> None:
    ada, path, organization = await inviter(house, sql)
    await enter(house, "bob")
    email = house.email("bob")
    await ada.post(path, json={"email": email, "role": "viewer"})
    token = await token_for(house, email)
    # The account may be somebody else's who registered bob's address: it comes in only once the address is proven.
    early = await house.at().post("/invitations/accept", json={"token": token})
    assert (early.status_code, early.json()["code"]) == (403, "email_not_verified")
    await sql.execute("update users set email_verified_at = now()")
    done = await house.at().post("/invitations/accept", json={"token": token})
    assert (done.status_code, done.json()["registered"]) == (200, False)
    assert (await house.login("bob", organization_id=organization)).json()["user"]["role"] == "viewer"
    twice = await ada.post(path, json={"email": email})
    assert (twice.status_code, twice.json()["code"]) == (409, "already_member")


async def test_of_many_who_use_one_link_one_joins(house: House, sql) -> None:
    ada, path, _ = await inviter(house, sql)
    await enter(house, "bob")
    await sql.execute("update users set email_verified_at = now()")
    await ada.post(path, json={"email": house.email("bob")})
    token = await token_for(house, house.email("bob"))
    answers = await asyncio.gather(
        *(house.at().post("/invitations/accept", json={"token": token}) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404]


async def test_links_die(house: House, sql) -> None:
    ada, path, _ = await inviter(house, sql)
    await enter(house, "bob")
    email, nobody = house.email("bob"), house.at()

    async def refused(token: str) -> bool:
        answer = await nobody.post("/invitations/accept", json={"token": token})
        return answer.json()["code"] == "invitation_not_good"

    first = (await ada.post(path, json={"email": email})).json()
    old = await token_for(house, email)
    await ada.post(path, json={"email": email})
    new = await token_for(house, email)
    assert old != new and await refused(old)  # replaced
    assert (await ada.delete(f"{path}/{first['id']}")).status_code == 204
    assert await refused(new)  # withdrawn
    missing = await ada.delete(f"{path}/{first['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "invitation_not_found")
    await ada.post(path, json={"email": email, "expires_in": 3600})
    late = await token_for(house, email)
    house.advance(seconds=3601)
    assert await refused(late)
    assert await refused("x" * 40)


async def test_who_may_invite_whom(house: House, sql) -> None:
    client, organization, _ = await enter(house, "ada")
    path = f"/organizations/{organization}/invitations"
    early = await client.post(path, json={"email": house.email("grace")})
    assert (early.status_code, early.json()["code"]) == (403, "email_not_verified")
    await sql.execute("update users set email_verified_at = now()")
    await sql.execute("update members set role = 'admin'")
    await asyncio.sleep(1.6)
    refused = await client.post(path, json={"email": house.email("grace"), "role": "owner"})
    assert refused.status_code == 403
    assert (await client.post(path, json={"email": "no address"})).json()["code"] == "invalid_email"
    assert (await client.post(path, json={"email": house.email("grace"), "role": "admin"})).status_code == 201


async def test_registration_modes(house: House, sql) -> None:
    ada, path, _ = await inviter(house, sql)
    account = {"first_name": "Grace", "last_name": "Hopper", "password": PASSWORD, "accept_terms": True}
    for mode, wanted in ((Registration.CLOSED, 403), (Registration.INVITE, 200)):
        await ada.post(path, json={"email": house.email("grace")})
        token = await token_for(house, house.email("grace"))
        other = make_house(
            house.context, house.clock, house.context.settings.model_copy(update={"registration": mode})
        )
        answer = await other.at().post("/invitations/accept", json={"token": token} | account)
        assert answer.status_code == wanted, answer.text
