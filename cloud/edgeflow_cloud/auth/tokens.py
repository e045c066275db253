"""The two JWTs: HMAC-SHA256, fixed header, fixed claims, a key that can be rotated.

Nothing in a token chooses how it is checked: the algorithm and the header are ours, its key id only picks one of
our own keys (the one in use, and former ones until their tokens have ended), and a token of one use (`typ` and
`aud`) is worthless for the other. A refresh token is a pure function of its session's
row and the key, so the same successor can be given twice without being stored.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from edgeflow_cloud.auth.model import ACCESS_LIFE, REFRESH_LIFE, InvalidToken, Session, TokenExpired
from edgeflow_cloud.infra.keyring import Key
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import MalformedId, SessionId, TenantId, UserId

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "edgeflow-cloud"
_LONGEST: Final = 2048
_FUTURE: Final = 60  # seconds by which the clocks of our own processes may differ


class _Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    iss: Literal["edgeflow-cloud"]
    sub: str
    org: str
    sid: str
    iat: int
    exp: int


class _AccessClaims(_Claims, frozen=True, forbid_unknown_fields=True):
    aud: Literal["edgeflow-api"]
    typ: Literal["access"]


class _RefreshClaims(_Claims, frozen=True, forbid_unknown_fields=True):
    aud: Literal["edgeflow-refresh"]
    typ: Literal["refresh"]
    gen: Annotated[int, msgspec.Meta(ge=1, lt=2**31 - 1)]
    jti: str


ClaimsT = TypeVar("ClaimsT", bound=_Claims)


class AccessToken(msgspec.Struct, frozen=True):
    """Whom a good access token names; whether the session still lives is another question."""

    tenant_id: TenantId
    user_id: UserId
    session_id: SessionId


class RefreshToken(msgspec.Struct, frozen=True):
    """Which rotation of which session a good refresh token stands for; `proof` is checked by the seed."""

    tenant_id: TenantId
    user_id: UserId
    session_id: SessionId
    generation: int
    proof: str

    def belongs_to(self, session: Session) -> bool:
        """Whether this token was made from this session's seed."""
        return hmac.compare_digest(self.proof.encode(), _proof(session.seed, self.generation).encode())


def issue_access(secrets: Secrets, session: Session, now: datetime) -> str:
    """An access token of the session, good for fifteen minutes."""
    issued = int(now.timestamp())
    return _sign(
        secrets,
        {
            **_common(session),
            "aud": "edgeflow-api",
            "typ": "access",
            "iat": issued,
            "exp": issued + int(ACCESS_LIFE.total_seconds()),
        },
    )


def issue_refresh(secrets: Secrets, session: Session) -> str:
    """The refresh token of the session's present generation: the same each time it is asked for."""
    return _sign(
        secrets,
        {
            **_common(session),
            "aud": "edgeflow-refresh",
            "typ": "refresh",
            "iat": int(session.rotated_at.timestamp()),
            "exp": int(session.expires_at.timestamp()),
            "gen": session.generation,
            "jti": _proof(session.seed, session.generation),
        },
    )


def read_access(secrets: Secrets, token: str, now: datetime) -> AccessToken:
    """Check an access token. Raises InvalidToken, TokenExpired."""
    claims = _read(secrets, token, now, _AccessClaims, ACCESS_LIFE)
    user_id, tenant_id, session_id = _named(claims)
    return AccessToken(tenant_id, user_id, session_id)


def read_refresh(secrets: Secrets, token: str, now: datetime) -> RefreshToken:
    """Check a refresh token. Raises InvalidToken, TokenExpired."""
    claims = _read(secrets, token, now, _RefreshClaims, REFRESH_LIFE)
    user_id, tenant_id, session_id = _named(claims)
    return RefreshToken(tenant_id, user_id, session_id, claims.gen, claims.jti)


def _read(
    secrets: Secrets, token: str, now: datetime, claims_type: type[ClaimsT], life: timedelta
) -> ClaimsT:
    if len(token) > _LONGEST or not token.isascii():
        raise InvalidToken("longer than ours, or not ASCII")
    key = _named_key(secrets, token, now)
    try:
        claims = _signed_claims(token, key, claims_type)
    except msgspec.ValidationError as error:
        raise InvalidToken(f"claims: {error}") from None
    except JoseError as error:
        raise InvalidToken(f"signature: {error}") from None
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken(f"form: {error}") from None
    seconds = now.timestamp()
    if claims.iat > seconds + _FUTURE:
        raise InvalidToken("made in the future")
    if claims.exp - claims.iat > life.total_seconds():
        raise InvalidToken("lives longer than ours")
    if claims.exp <= seconds:
        raise TokenExpired("over", "This token has expired. Use the refresh token, or log in again.")
    return claims


def _named(claims: _Claims) -> tuple[UserId, TenantId, SessionId]:
    try:
        return (
            UserId(ids.decode(ids.USER, claims.sub)),
            TenantId(ids.decode(ids.ORGANIZATION, claims.org)),
            SessionId(ids.decode(ids.SESSION, claims.sid)),
        )
    except MalformedId:
        raise InvalidToken("names something that is none of our ids") from None


def _common(session: Session) -> dict[str, object]:
    return {
        "iss": _ISSUER,
        "sub": ids.encode(ids.USER, session.user_id),
        "org": ids.encode(ids.ORGANIZATION, session.tenant_id),
        "sid": ids.encode(ids.SESSION, session.id),
    }


def _proof(seed: bytes, generation: int) -> str:
    digest = hmac.digest(seed, b"edgeflow refresh %d" % generation, hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def _sign(secrets: Secrets, claims: dict[str, object]) -> str:
    key = secrets.jwt_keys.current
    return jwt.encode(_header(key), claims, _imported(key.text), algorithms=[_ALGORITHM])


def _header(key: Key) -> dict[str, object]:
    return {"alg": _ALGORITHM, "typ": "JWT", "kid": key.id}


class _Header(msgspec.Struct):
    kid: str


def _named_key(secrets: Secrets, token: str, now: datetime) -> Key:
    """The key that the token's header names, if it is one of ours. Raises InvalidToken."""
    head = token.partition(".")[0]
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=_Header)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InvalidToken(f"header: {error}") from None
    key = secrets.jwt_keys.find(header.kid, now)
    if key is None:
        raise InvalidToken("names no key of ours")
    return key


@lru_cache(maxsize=4096)
def _signed_claims(token: str, key: Key, claims_type: type[ClaimsT]) -> ClaimsT:
    """What the key has signed: the same for ever, so a token that comes with every call is verified once.

    Whether the key still counts, and what time it is, is asked each time, outside. Raises JoseError and what decoding
    raises; that is not kept.
    """
    decoded = jwt.decode(token, _imported(key.text), algorithms=[_ALGORITHM])
    if decoded.header != _header(key):
        raise InvalidToken("header: not as ours is")
    return msgspec.convert(decoded.claims, claims_type)


@lru_cache(maxsize=8)
def _imported(text: Secret) -> OctKey:
    return OctKey.import_key(text.reveal().encode())
