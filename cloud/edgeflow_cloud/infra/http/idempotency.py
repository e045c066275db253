"""`Idempotency-Key`: the same creation sent twice is made once, and both get the same answer.

The key's row is written in the transaction of the creation: a parallel twin waits at the unique index until the first
has committed, then finds its answer. A creation that failed leaves no row, so it may be sent again. Answers hold
secrets that are shown once, so they are kept sealed; they go long before a former master key does.
"""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.http import queries
from edgeflow_cloud.infra.sealing import CannotOpen, seal, unseal
from edgeflow_cloud.kernel.errors import Conflict, Invalid, Unavailable
from edgeflow_cloud.kernel.principal import Principal

HEADER = "Idempotency-Key"


def key_of(request: Request) -> str | None:
    """The request's key, or None. Raises Invalid for one that is empty, longer than 200 or not printable ASCII."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
        raise Invalid(
            "Idempotency-Key must be 1 to 200 printable ASCII characters; a UUID is a good one.",
            code="bad_idempotency_key",
        )
    return key


def wants_csv(request: Request) -> bool:
    """Whether the caller asks for a table instead of JSON. Only routes that have one look."""
    accepted = request.headers.get("accept", "").partition(",")[0].partition(";")[0]
    return accepted.strip().lower() == "text/csv"


async def claim(
    context: Context, tx: Transaction, principal: Principal, key: str, request: Request, body: bytes
) -> Response | None:
    """Take the key for this request; the answer of an earlier one comes back if there was one.

    Raises Conflict (`idempotency_key_reused`) when the key was used for another request, Unavailable
    (`master_key_missing`) when the key that sealed the answer is gone.
    """
    parts = [request.method.encode(), request.url.path.encode(), request.url.query.encode(), body]
    csv = wants_csv(request)
    fingerprint = hashlib.sha256(b"\0".join([*parts, b"text/csv"] if csv else parts)).digest()
    caller = principal.wire_id
    if await queries.insert_idempotency_key(tx, principal.tenant_id, caller, key, fingerprint):
        return None
    row = await queries.select_idempotency_key(tx, principal.tenant_id, caller, key)
    if row is None or row["fingerprint"] != fingerprint:
        raise Conflict(
            "This Idempotency-Key was already used for another request. Make a new key for a new request.",
            code="idempotency_key_reused",
        )
    try:
        kept = unseal(context.secrets, row["body"], purpose=_purpose(principal, key), now=context.clock.now())
    except CannotOpen as error:
        raise Unavailable(str(error), code="master_key_missing") from None
    return Response(
        content=kept,
        status_code=row["status"],
        media_type="text/csv; charset=utf-8" if csv else "application/json",
        headers={"Idempotency-Replayed": "true"},
    )


async def keep(context: Context, tx: Transaction, principal: Principal, key: str, response: Response) -> None:
    """Remember the answer beside the key, sealed, in the same transaction."""
    sealed = seal(context.secrets, bytes(response.body), purpose=_purpose(principal, key))
    await queries.update_idempotency_key(
        tx, principal.tenant_id, principal.wire_id, key, response.status_code, sealed
    )


def _purpose(principal: Principal, key: str) -> str:
    return f"answer {principal.tenant_id} {principal.wire_id} {key}"
