"""The key of the tokens is rotated: nobody notices, until what the former one signed has ended."""

from datetime import timedelta

from cloud.tests.auth.conftest import House, make_house
from cloud.tests.auth.test_sessions import profile, refresh
from cloud.tests.auth.test_tokens import decoded
from edgeflow_cloud.app.rotation import rotate_jwt
from edgeflow_cloud.auth import REFRESH_LIFE
from edgeflow_cloud.infra.secrets import Secret, Secrets


async def test_former_tokens_count_and_new_ones_are_signed_anew(house: House) -> None:
    secrets = house.context.secrets
    entry = await house.enter("ada")
    before = secrets.jwt_key_id
    said = rotate_jwt(Secrets(secrets.folder))  # by another process
    assert secrets.folder.joinpath("jwt_key.old").stat().st_mode & 0o777 == 0o600
    secrets.jwt_keys._look_at = 0.0  # a second later
    assert secrets.jwt_key_id != before and secrets.jwt_key_id in said
    assert await profile(house, entry) == 200
    after = (await refresh(house, entry["refresh_token"])).json()
    assert decoded(after["access_token"])[0]["kid"] == secrets.jwt_key_id
    assert await profile(house, after) == 200


async def test_a_token_of_a_key_that_is_not_known_yet_is_looked_up(house: House) -> None:
    """Another process has rotated and signed within the second in which this one does not look."""
    entry = await house.enter("ada")
    assert await profile(house, entry) == 200
    rotate_jwt(Secrets(house.context.secrets.folder))
    from dataclasses import replace

    other = make_house(replace(house.context, secrets=Secrets(house.context.secrets.folder)), house.clock)
    fresh = (await refresh(other, entry["refresh_token"])).json()
    assert decoded(fresh["access_token"])[0]["kid"] != decoded(entry["access_token"])[0]["kid"]
    assert await profile(house, fresh) == 200


async def test_the_former_key_ends_with_its_tokens(house: House) -> None:
    entry = await house.enter("ada")
    secrets = house.context.secrets
    now = house.clock.now()
    secrets.jwt_keys.rotate(until=now + REFRESH_LIFE, now=now)
    house.advance(days=29, hours=23)
    assert (await refresh(house, entry["refresh_token"])).status_code == 200
    house.advance(hours=2)
    late = await refresh(house, entry["refresh_token"])
    assert (late.status_code, late.json()["code"]) == (401, "invalid_token")


async def test_at_once_ends_every_login(house: House) -> None:
    entry = await house.enter("ada")
    rotate_jwt(house.context.secrets)
    assert await profile(house, entry) == 200
    assert "everybody logs in again" in rotate_jwt(house.context.secrets, at_once=True)
    assert await profile(house, entry) == 401
    assert (await house.login("ada")).status_code == 200


async def test_the_environment_may_name_former_and_coming_keys(house: House) -> None:
    from dataclasses import replace

    entry = await house.enter("ada")
    old, new = house.context.secrets.jwt_key, Secret("a new key of more than thirty-two bytes")
    folder = house.context.secrets.folder

    def with_keys(key: Secret, *others: Secret) -> House:
        secrets = Secrets(folder, jwt_key=key, jwt_old_keys=others)
        return make_house(replace(house.context, secrets=secrets), house.clock)

    first, second = with_keys(old, new), with_keys(new, old)  # in the middle of a rolling change
    fresh = (await refresh(second, entry["refresh_token"])).json()
    assert await profile(first, fresh) == await profile(second, entry) == 200
    done = with_keys(new)
    assert await profile(done, fresh) == 200
    assert await profile(done, entry) == 401


def test_rotations_pile_up_and_age(tmp_path) -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 1, 1, tzinfo=UTC)
    ring = Secrets(tmp_path).jwt_keys
    made = [ring.current.id]
    for day in range(5):
        at = now + timedelta(days=10 * day)
        made.append(ring.rotate(until=at + timedelta(days=30), now=at).id)
    at = now + timedelta(days=40)
    assert [key.id for key in ring.accepted(at)] == [made[5], made[4], made[3], made[2]]
    again = Secrets(tmp_path).jwt_keys
    assert [key.id for key in again.accepted(at)] == [key.id for key in ring.accepted(at)]
