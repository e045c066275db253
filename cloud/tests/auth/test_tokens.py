"""Malformed and confused tokens: none of them opens anything."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from cloud.tests.auth.conftest import House
from edgeflow_cloud.kernel import ids


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload))


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


Make = Callable[[dict[str, Any], dict[str, Any], OctKey], str]


def sign(header: dict[str, Any], claims: dict[str, Any], key: OctKey) -> str:
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def changed(**claims: object) -> Make:
    return lambda h, c, k: sign(h, {n: v for n, v in (c | claims).items() if v is not ...}, k)


def headed(**header: object) -> Make:
    def make(h: dict[str, Any], c: dict[str, Any], k: OctKey) -> str:
        import hashlib
        import hmac

        whole = {n: v for n, v in (h | header).items() if v is not ...}
        signed = f"{encoded(whole)}.{encoded(c)}"
        digest = hmac.digest(k.raw_value, signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    return make


OTHER_KEY = OctKey.import_key(b"another key of thirty-two bytes!")
CONFUSED: dict[str, Make] = {
    "alg none": lambda h, c, k: f"{encoded(h | {'alg': 'none'})}.{encoded(c)}.",
    "alg None": lambda h, c, k: f"{encoded(h | {'alg': 'None'})}.{encoded(c)}.",
    "alg none with a signature": headed(alg="none"),
    "HS384": lambda h, c, k: sign(h | {"alg": "HS384"}, c, k),
    "HS512": lambda h, c, k: sign(h | {"alg": "HS512"}, c, k),
    "RS256": lambda h, c, k: jwt.encode(
        h | {"alg": "RS256"}, c, RSAKey.generate_key(2048), algorithms=["RS256"]
    ),
    "alg absent": headed(alg=...),
    "alg a list": headed(alg=["HS256"]),
    "another key": lambda h, c, k: sign(h, c, OTHER_KEY),
    "empty key": lambda h, c, k: sign(h, c, OctKey.import_key(b"\0" * 32)),
    "kid of another": headed(kid="0" * 12),
    "kid absent": headed(kid=...),
    "kid a path": headed(kid="../../dev/null"),
    "header typ": headed(typ="at+jwt"),
    "crit": headed(crit=["exp"]),
    "b64": headed(b64=False, crit=["b64"]),
    "jwk": headed(jwk={"kty": "oct", "k": "AAAA"}),
    "jku": headed(jku="http://127.0.0.1/keys"),
    "zip": headed(zip="DEF"),
    "wrong aud": changed(aud="edgeflow-refresh"),
    "other aud": changed(aud="somebody-else"),
    "aud a list": changed(aud=["edgeflow-api"]),
    "aud absent": changed(aud=...),
    "wrong typ": changed(typ="refresh"),
    "typ absent": changed(typ=...),
    "wrong iss": changed(iss="edgeflow"),
    "iss absent": changed(iss=...),
    "exp past": changed(exp=1_700_000_000),
    "exp absent": changed(exp=...),
    "exp text": changed(exp="4102444800"),
    "exp true": changed(exp=True),
    "exp a fraction": changed(exp=4102444800.5),
    "exp huge": changed(exp=10**400),
    "iat in the future": changed(iat=4_102_444_800),
    "sub absent": changed(sub=...),
    "sub of nobody": changed(sub=ids.encode("usr", ids.new())),
    "sub a device": changed(sub=ids.encode("dev", ids.new())),
    "sub a number": changed(sub=1),
    "org of nobody": changed(org=ids.encode("org", ids.new())),
    "org sql": changed(org="org_' or true --"),
    "sid of nobody": changed(sid=ids.encode("ses", ids.new())),
    "sid null": changed(sid=None),
    "a claim more": changed(role="owner"),
    "payload a list": lambda h, c, k: headed()(h, [c], k),  # type: ignore[arg-type]
    "payload no JSON": lambda h, c, k: f"{encoded(h)}.{base64.urlsafe_b64encode(b'{').decode()}.AAAA",
    "signature cut": lambda h, c, k: sign(h, c, k)[:-4],
    "signature empty": lambda h, c, k: sign(h, c, k).rpartition(".")[0] + ".",
    "two parts": lambda h, c, k: sign(h, c, k).rpartition(".")[0],
    "four parts": lambda h, c, k: sign(h, c, k) + ".AAAA",
    "five parts": lambda h, c, k: "e30.e30.e30.e30.e30",
    "JSON form": lambda h, c, k: '{"payload":"e30","signatures":[]}',
    "very long": lambda h, c, k: sign(h, c, k) + "A" * 5000,
    "nothing": lambda h, c, k: "x",
    "dots": lambda h, c, k: "..",
    "deep": lambda h, c, k: base64.urlsafe_b64encode(b"[" * 1000).decode() + ".e30.e30",
}


@pytest.fixture
async def good(house: House) -> dict[str, Any]:
    return await house.enter("ada")


def key_of(house: House) -> OctKey:
    return OctKey.import_key(house.context.secrets.jwt_key.reveal().encode())


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_confused_access_tokens_are_refused(house: House, good: dict[str, Any]) -> None:
    header, claims = decoded(good["access_token"])
    assert sign(header, claims, key_of(house)) == good["access_token"], "the mutants are made right"
    assert headed()(header, claims, key_of(house)).count(".") == 2
    opened = {
        name: answer.status_code
        for name, make in CONFUSED.items()
        if (
            answer := await house.at(token=make(header, claims, key_of(house))).get("/auth/profile")
        ).status_code
        != 401
    }
    assert len(CONFUSED) >= 40
    assert opened == {}
    untouched = await house.at(token=headed()(header, claims, key_of(house))).get("/auth/profile")
    assert untouched.status_code == 200


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_confused_refresh_tokens_are_refused_and_end_nothing(
    house: House, good: dict[str, Any]
) -> None:
    header, claims = decoded(good["refresh_token"])
    more: dict[str, Make] = {
        "access's uses": changed(aud="edgeflow-api", typ="access"),
        "gen before": changed(gen=0),
        "gen after": changed(gen=2),
        "gen negative": changed(gen=-1),
        "gen huge": changed(gen=2**70),
        "gen past int4": changed(gen=2**40),
        "gen absent": changed(gen=...),
        "jti of nobody": changed(jti="AAAAAAAAAAAAAAAAAAAAAA"),
        "jti not ASCII": changed(jti="ä"),
    }
    wrong_use = {"wrong aud", "wrong typ"}  # these make a refresh token what it is
    opened: dict[str, int] = {}
    for name, make in (CONFUSED | more).items():
        if name in wrong_use:
            continue
        token = make(header, claims, key_of(house))
        answer = await house.at().post("/auth/refresh", json={"refresh_token": token})
        if answer.status_code != 401 and not (name == "very long" and answer.status_code == 422):
            opened[name] = answer.status_code
    assert opened == {}
    answer = await house.at().post("/auth/refresh", json={"refresh_token": good["refresh_token"]})
    assert answer.status_code == 200


async def test_the_two_are_not_exchangeable(house: House, good: dict[str, Any]) -> None:
    wrong = await house.at(token=good["refresh_token"]).get("/auth/profile")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_token")
    wrong = await house.at().post("/auth/refresh", json={"refresh_token": good["access_token"]})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_token")


async def test_an_access_token_lives_a_quarter_of_an_hour(house: House, good: dict[str, Any]) -> None:
    house.advance(minutes=14, seconds=55)
    assert (await house.at(token=good["access_token"]).get("/auth/profile")).status_code == 200
    house.advance(seconds=6)
    answer = await house.at(token=good["access_token"]).get("/auth/profile")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_no_token_is_a_sentence(house: House) -> None:
    for headers in (
        {},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer  "},
    ):
        answer = await house.at().get("/auth/profile", headers=headers)
        assert answer.status_code == 401 and answer.json()["detail"].endswith(".")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_text_is_refused_quietly(secrets, data: st.DataObject) -> None:
    from datetime import UTC, datetime

    from edgeflow_cloud.auth import tokens
    from edgeflow_cloud.kernel.errors import Unauthenticated

    part = st.one_of(
        st.text(max_size=40), st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
    )
    token = data.draw(st.one_of(st.text(max_size=200), st.lists(part, max_size=6).map(".".join)))
    for read in (tokens.read_access, tokens.read_refresh):
        with pytest.raises(Unauthenticated):
            read(secrets, token, datetime.now(UTC))
