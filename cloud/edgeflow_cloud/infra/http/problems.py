"""Turns what goes wrong into an answer: RFC 9457, the published `error` string, the request id."""

from typing import cast

import asyncpg
import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from edgeflow_cloud.kernel.errors import FieldError, Invalid, NotFound, Problem, Unavailable

log = structlog.get_logger("edgeflow.http")
_CODES = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}


def install(api: FastAPI) -> None:
    """Make every error of `api` a problem document."""
    api.add_exception_handler(Problem, _on_problem)
    api.add_exception_handler(RequestValidationError, _on_validation)
    api.add_exception_handler(HTTPException, _on_http)
    api.add_exception_handler(asyncpg.PostgresError, _on_postgres)
    api.add_exception_handler(UnicodeEncodeError, _on_unicode)
    api.add_exception_handler(Exception, _on_anything)


def render(problem: Problem, request_id: str) -> Response:
    """The problem as `application/problem+json`."""
    document: dict[str, object] = {
        **problem.extra,
        "type": f"/docs/problems#{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "error": problem.published_error or problem.detail,
        "request_id": request_id,
    }
    if problem.fields:
        document["errors"] = [{"field": item.field, "message": item.message} for item in problem.fields]
    return Response(
        msgspec.json.encode(document), problem.status, problem.headers, "application/problem+json"
    )


def request_id_of(request: Request) -> str:
    """The id that the middleware gave this request."""
    return str(request.scope.get("request_id", ""))


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - the registration says so
    return render(error, request_id_of(request))


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the registration says so
    fields = [_field(item) for item in error.errors()]
    unreadable = any(item["type"] == "json_invalid" for item in error.errors())
    first = fields[0] if fields else FieldError("", "The request is not acceptable.")
    detail = f"{first.field}: {first.message}" if first.field else first.message
    if len(fields) > 1:
        detail += f" ({len(fields) - 1} more in errors)"
    detail = detail if detail.endswith((".", "!", "?")) else f"{detail}."
    problem = (
        Problem(
            "The body is not valid JSON. Check it and send it again.", code="malformed_json", fields=fields
        )
        if unreadable
        else Invalid(detail, code="invalid_input", fields=fields)
    )
    return render(problem, request_id_of(request))


def _field(item: dict[str, object]) -> FieldError:
    path = [str(part) for part in cast("tuple[object, ...]", item.get("loc", ()))]
    if path and path[0] in ("body", "query", "path", "header"):
        path = path[1:]
    message = str(item.get("msg", "not acceptable")).removeprefix("Value error, ")
    if item.get("type") == "extra_forbidden":
        message = "We do not know this field. Remove it, or check its spelling."
    return FieldError(".".join(path), message)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the registration says so
    if error.status_code == NotFound.status:
        problem: Problem = NotFound(f"There is nothing at {request.url.path}.")
    elif error.status_code == Problem.status:  # FastAPI could not parse the body at all
        problem = Problem(
            "The body cannot be read as JSON. Check it and send it again.", code="malformed_json"
        )
    else:
        problem = Problem(
            str(error.detail),
            status=error.status_code,
            code=_CODES.get(error.status_code, "bad_request"),
            title=str(error.detail),
            headers=error.headers,
        )
    return render(problem, request_id_of(request))


async def _on_postgres(request: Request, error: Exception) -> Response:
    """A database that is away or overloaded is a 503; text or numbers it cannot hold are the caller's."""
    match error:
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            problem: Problem = Invalid("Text holds a character that cannot be stored.", code="bad_character")
        case asyncpg.NumericValueOutOfRangeError():
            problem = Invalid("A number is larger than can be stored.", code="number_out_of_range")
        case (
            asyncpg.PostgresConnectionError()
            | asyncpg.InsufficientResourcesError()
            | asyncpg.OperatorInterventionError()
            | asyncpg.TransactionRollbackError()
            | asyncpg.LockNotAvailableError()
        ):
            problem = Unavailable("The database could not do this now; send the same request again.")
        case _:
            return await _on_anything(request, error)
    return render(problem, request_id_of(request))


async def _on_unicode(request: Request, error: Exception) -> Response:
    return render(
        Invalid("Text holds half of a surrogate pair, which is not a character.", code="bad_character"),
        request_id_of(request),
    )


async def _on_anything(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, method=request.method, exc_info=error)
    return render(
        Problem(
            "Something went wrong on our side. Nothing was changed that you would have to undo; try again, and "
            "give the request id to your operator if it stays.",
            status=500,
            code="internal_error",
            title="Internal error",
        ),
        request_id_of(request),
    )
