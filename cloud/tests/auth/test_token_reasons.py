"""Each confused token of test_tokens.py is another one, and is refused for the reason that it was made for."""

import pytest

from cloud.tests.auth.conftest import House
from cloud.tests.auth.test_tokens import CONFUSED, decoded, key_of
from edgeflow_cloud.auth import tokens
from edgeflow_cloud.auth.model import InvalidToken

UNKNOWN = "good, and no session's"
"""The token itself can be read: what it names does not exist, and that refuses it."""
REASONS = {
    "alg none": "Algorithm of 'none' is not allowed",
    "alg None": "Algorithm of 'None' is not supported",
    "alg none with a signature": "Algorithm of 'none' is not allowed",
    "HS384": "Algorithm of 'HS384' is not allowed",
    "HS512": "Algorithm of 'HS512' is not allowed",
    "RS256": "Algorithm of 'RS256' is not allowed",
    "alg absent": "Missing 'alg'",
    "alg a list": "'alg' in header must be a str",
    "another key": "bad_signature",
    "empty key": "bad_signature",
    "kid of another": "names no key of ours",
    "kid absent": "missing required field `kid`",
    "kid a path": "names no key of ours",
    "header typ": "not as ours is",
    "crit": "crit",
    "b64": "signature: ",
    "jwk": "not as ours is",
    "jku": "not as ours is",
    "zip": "zip",
    "wrong aud": "'edgeflow-refresh' - at `$.aud`",
    "other aud": "'somebody-else' - at `$.aud`",
    "aud a list": "got `array` - at `$.aud`",
    "aud absent": "missing required field `aud`",
    "wrong typ": "'refresh' - at `$.typ`",
    "typ absent": "missing required field `typ`",
    "wrong iss": "at `$.iss`",
    "iss absent": "missing required field `iss`",
    "exp past": "over",
    "exp absent": "missing required field `exp`",
    "exp text": "got `str` - at `$.exp`",
    "exp true": "got `bool` - at `$.exp`",
    "exp a fraction": "got `float` - at `$.exp`",
    "exp huge": "lives longer than ours",
    "iat in the future": "made in the future",
    "sub absent": "missing required field `sub`",
    "sub of nobody": UNKNOWN,
    "sub a device": "none of our ids",
    "sub a number": "got `int` - at `$.sub`",
    "org of nobody": UNKNOWN,
    "org sql": "none of our ids",
    "sid of nobody": UNKNOWN,
    "sid null": "got `null` - at `$.sid`",
    "a claim more": "unknown field `role`",
    "payload a list": "invalid_payload",
    "payload no JSON": "Invalid payload",
    "signature cut": "bad_signature",
    "signature empty": "bad_signature",
    "two parts": "Invalid JSON Web Signature",
    "four parts": "Invalid JSON Web Signature",
    "five parts": "header: ",
    "JSON form": "header: ",
    "very long": "longer than ours",
    "nothing": "header: ",
    "dots": "header: ",
    "deep": "got `array`",
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_each_is_another_token_and_refused_for_its_own_reason(house: House) -> None:
    entry = await house.enter("ada")
    header, claims = decoded(entry["access_token"])
    made = {name: make(header, claims, key_of(house)) for name, make in CONFUSED.items()}
    assert len(set(made.values())) == len(CONFUSED) >= 50
    assert set(REASONS) == set(CONFUSED)
    refused_otherwise: dict[str, str] = {}
    for name, token in made.items():
        try:
            tokens.read_access(house.context.secrets, token, house.clock.now())
            said = UNKNOWN
        except InvalidToken as error:
            said = error.reason
        if REASONS[name] not in said:
            refused_otherwise[name] = said
    assert refused_otherwise == {}


async def test_the_answer_does_not_say_why(house: House) -> None:
    header, claims = decoded((await house.enter("ada"))["access_token"])
    said = set[str]()
    for name in ("another key", "kid of another", "wrong aud", "a claim more", "two parts", "nothing"):
        answer = await house.at(token=CONFUSED[name](header, claims, key_of(house))).get("/auth/profile")
        said.add(answer.json()["detail"])
    assert said == {"This token is not valid here. Log in again."}
