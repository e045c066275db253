"""Reading a JSON body: one meaning or a clear refusal.

Python's parser takes `NaN`, turns `1e999` into infinity and keeps the last of two equal keys; what is stored would then
not be what was sent. Here each of these is refused by name.
"""

import asyncio
import json
import math
from email.message import Message
from typing import NoReturn

from starlette.requests import Request

from edgeflow_cloud.kernel.errors import FieldError, Invalid, Problem

_LARGE = 64 * 1024
"""Bytes from which on a body is parsed in a thread: it takes more than a few milliseconds."""


class WrongMediaType(Problem):
    """The body is not sent as what can be read here."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class _Doubled(ValueError):
    """A key that stands twice in one object."""


class _TooLarge(ValueError):
    """A number that no double holds, or with thousands of digits."""


async def parse_body(request: Request, body: bytes, *, lenient: bool = False) -> None:
    """Parse the body for FastAPI, which reads it from the request's own cache; an empty one is left to it.

    `lenient` takes what Python's parser takes, by whatever name it is sent.

    Raises WrongMediaType, Problem (`malformed_json`) and Invalid (`duplicate_key`, `number_out_of_range`).
    """
    if not body:
        return
    _require_plain(request)
    if not lenient:
        _require_json(request)
    large = len(body) > _LARGE
    parsed = await asyncio.to_thread(parse, body, lenient=lenient) if large else parse(body, lenient=lenient)
    request._json = parsed  # pyright: ignore[reportPrivateUsage] - Starlette's own cache


def parse(body: bytes, *, lenient: bool = False) -> object:
    """The value of a JSON text. Raises Problem (`malformed_json`), Invalid (`duplicate_key`, `number_out_of_range`)."""
    try:
        if lenient:
            return json.loads(body, parse_int=_int)
        return json.loads(
            body,
            object_pairs_hook=_object,
            parse_float=_float,
            parse_int=_int,
            parse_constant=_constant,
        )
    except _Doubled as error:
        name = str(error)[:100]
        raise Invalid(
            f"The key {name!r} stands twice in one object. Remove one of the two.",
            code="duplicate_key",
            fields=[FieldError(name, "It stands twice.")],
        ) from None
    except _TooLarge:
        raise Invalid(
            "A number is larger than can be stored. Send it as text.", code="number_out_of_range"
        ) from None
    except json.JSONDecodeError as error:
        said = f"The body is not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}."
    except UnicodeDecodeError as error:
        said = f"The body is not valid UTF-8 at byte {error.start + 1}."
    except ValueError as error:
        said = f"The body is not valid JSON: {error}."
    raise Problem(f"{said} Mend it and send it again.", code="malformed_json", title="Malformed JSON")


def _require_plain(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise WrongMediaType(
            f"The body is sent with Content-Encoding {encoding[:40]}. Send it uncompressed.",
            code="unsupported_encoding",
        )


def _require_json(request: Request) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    kind, _, name = header.get_content_type().partition("/")
    if kind != "application" or not (name == "json" or name.endswith("+json")):
        raise WrongMediaType("Send the body as JSON, with the header Content-Type: application/json.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Doubled(name)
            seen.add(name)
    return made


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _TooLarge
    return value


def _int(text: str) -> int:
    if len(text) > 310:  # about the largest double: what is longer, no other program would read
        raise _TooLarge
    return int(text)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
