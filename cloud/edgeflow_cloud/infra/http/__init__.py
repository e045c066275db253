"""The manners of our HTTP: built once, so that every route has them for nothing.

A route names its permission, runs in one transaction that is committed before its answer is sent, refuses unknown
fields by name, answers errors as RFC 9457, honours `Idempotency-Key` and `If-Match`, and carries request id and
rate headers.
"""

from edgeflow_cloud.infra.http.bodies import (
    Body,
    Document,
    Instant,
    Listing,
    PageParameters,
    PageQuery,
    problem,
)
from edgeflow_cloud.infra.http.idempotency import wants_csv
from edgeflow_cloud.infra.http.router import PUBLIC, SIGNED_IN, Caller, Ctx, Router, Tx
from edgeflow_cloud.infra.http.versions import IfMatch, require_version, show_version

__all__ = [
    "PUBLIC",
    "SIGNED_IN",
    "Body",
    "Caller",
    "Ctx",
    "Document",
    "IfMatch",
    "Instant",
    "Listing",
    "PageParameters",
    "PageQuery",
    "Router",
    "Tx",
    "problem",
    "require_version",
    "show_version",
    "wants_csv",
]
