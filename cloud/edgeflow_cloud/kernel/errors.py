"""Errors that speak to people: what happened, what to do next, and a code that never changes.

At the HTTP edge a Problem becomes an RFC 9457 document (`type title status detail code`) that also carries the
published `error` string. At the tunnel it becomes the `error` and `code` of a frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One refused field: `field` is its path (`tags.0`), `message` says what would be accepted."""

    field: str
    message: str


class Problem(Exception):
    """A refusal. `detail` is a sentence for people; `code` is for programs and never changes."""

    status: int = 400
    code: str = "bad_request"
    title: str = "Bad request"
    published_error: str | None = None
    """What the document's `error` says where the published product fixes the words; the detail otherwise."""

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        title: str | None = None,
        fields: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.title = title or type(self).title
        self.fields = tuple(fields)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class Invalid(Problem):
    """The input is understood but not acceptable."""

    status, code, title = 422, "invalid", "Invalid input"


class Unauthenticated(Problem):
    """Nobody is known to be asking."""

    status, code, title = 401, "unauthenticated", "Not authenticated"


class Forbidden(Problem):
    """The caller is known and may not; the detail names the missing permission."""

    status, code, title = 403, "permission_denied", "Permission denied"


class NotFound(Problem):
    """There is no such thing, or it belongs to somebody else: the answer is the same."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(Problem):
    """The thing is not in the state that the change needs; nothing was changed."""

    status, code, title = 409, "conflict", "Conflict"


class PreconditionFailed(Problem):
    """`If-Match` names a version that is no longer the current one; nothing was changed."""

    status, code, title = 412, "version_conflict", "Version conflict"


class TooMany(Problem):
    """A limit is reached; `Retry-After` says when to come back."""

    status, code, title = 429, "rate_limited", "Too many requests"

    def __init__(self, detail: str, *, retry_after: float, code: str | None = None) -> None:
        seconds = max(1, round(retry_after + 0.499))
        super().__init__(
            detail, code=code, headers={"Retry-After": str(seconds)}, extra={"retry_after": seconds}
        )
        self.retry_after = seconds


class Unavailable(Problem):
    """A part that we stand on is away; the same request may be sent again."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(self, detail: str, *, retry_after: float = 2, code: str | None = None) -> None:
        super().__init__(detail, code=code, headers={"Retry-After": str(max(1, round(retry_after)))})
