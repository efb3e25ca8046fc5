"""Refusal → problem+json (RFC 9457): the only file that knows both."""

from collections.abc import Iterator
from typing import Any

import psycopg
import structlog
from flask import Flask, Response, request
from marshmallow import ValidationError
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api import problems, strict_json
from api.language import in_language, language
from api.problems import Language
from api.refusals import (
    AddressTooLong,
    BadRequest,
    BodyTooLarge,
    HeadersTooLarge,
    OurFault,
    OutOfService,
    UnsupportedMediaType,
    Validation,
    WrongMethod,
)
from kernel.errors import Conflict, Invalid, NotFound, Refusal, TryAgain, Unavailable
from kernel.ids import new_id

PROBLEM_JSON = "application/problem+json"

_KEPT = frozenset({402, 409, 422})
_MOST_ERRORS = 50
_LONGEST_FIELD = 100

log = structlog.get_logger()


def register(app: Flask) -> None:
    """Have every way of failing end in a problem."""
    app.register_error_handler(Refusal, problem_response)
    app.register_error_handler(ValidationError, _validation)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)
    for outage in _OUTAGES:
        app.register_error_handler(outage, _outage)


def problem_response(refusal: Refusal) -> Response:
    """Answer a refusal in the caller's language."""
    spoken = language()
    wording = problems.told(refusal, spoken)
    status = problems.status_of(type(refusal))
    body = {
        **refusal.facts,
        "type": f"/problems/{refusal.code}",
        "title": wording.title,
        "status": status,
        "detail": wording.detail,
        "reason": refusal.code,
    }
    response = Response(strict_json.write(body), status, content_type=PROBLEM_JSON)
    response.headers["Content-Language"] = spoken
    for name, value in _headers(refusal, status):
        response.headers[name] = value
    return response


def is_kept(refusal: Refusal) -> bool:
    """Whether an idempotency key keeps this answer: what the business decided on what was asked.

    Who is asking, how it was written, and whether we are up may be different at a retry.
    """
    if not isinstance(refusal, Conflict | Invalid):
        return False
    return problems.status_of(type(refusal)) in _KEPT


def _headers(refusal: Refusal, status: int) -> Iterator[tuple[str, str]]:
    entry = problems.catalogue().get(refusal.code)
    wait = refusal.facts.get("retry_after", entry.retry_after if entry else None)
    if wait is not None:
        yield "Retry-After", str(wait)
    if status == TOO_OFTEN:
        yield "RateLimit", f'"{refusal.code}";r=0;t={wait}'
    if status == UNAUTHENTICATED:
        yield "WWW-Authenticate", 'Bearer realm="jibei"'


UNAUTHENTICATED = 401
TOO_OFTEN = 429


def _validation(problem: ValidationError) -> Response:
    spoken = language()
    messages = problem.messages
    if not isinstance(messages, dict):
        messages = {problem.field_name: messages}
    found = list(_flat("", messages, spoken))
    return problem_response(Validation(errors=found[:_MOST_ERRORS]))


def _flat(way: str, messages: Any, spoken: Language) -> Iterator[dict[str, str]]:
    """Walk marshmallow's nested messages; `_schema` and `_root` mean the thing itself."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = "" if name in {"_schema", "_root"} else str(name)
            yield from _flat(".".join(part for part in (way, step) if part), inner, spoken)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        if isinstance(message, dict):
            yield from _flat(way, message, spoken)
        else:
            yield {"field": way[:_LONGEST_FIELD], "message": in_language(str(message), spoken)}


def _http(problem: HTTPException) -> Response:
    """Werkzeug's own answers: no such path or method, a body that is too long, and the like."""
    if isinstance(problem, MethodNotAllowed):
        response = problem_response(WrongMethod())
        response.headers["Allow"] = ", ".join(sorted(problem.valid_methods or ()))
        return response
    return problem_response(_of_http(problem))


def _of_http(problem: HTTPException) -> Refusal:
    kind = _BY_STATUS.get(problem.code or 500, BadRequest)
    if kind is BodyTooLarge:
        return BodyTooLarge(most=request.max_content_length)
    return kind()


_BY_STATUS: dict[int, type[Refusal]] = {
    404: NotFound,
    413: BodyTooLarge,
    414: AddressTooLong,
    415: UnsupportedMediaType,
    431: HeadersTooLarge,
    503: OutOfService,
}
_OUTAGES = (
    Unavailable,
    TryAgain,
    OperationalError,
    InterfaceError,
    NoConnection,
    PoolTimeout,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)


def _outage(problem: Exception) -> Response:
    log.warning("database.unavailable", route=_route(), cause=type(problem).__name__)
    return problem_response(OutOfService())


def _bug(problem: Exception) -> Response:
    """Log what broke, with the rule of the route and never its path, query or body."""
    request_id = str(new_id())
    log.error(
        "request.failed",
        request_id=request_id,
        method=request.method,
        route=_route(),
        exc_info=problem,
    )
    return problem_response(OurFault(request_id=request_id))


def _route() -> str | None:
    return request.url_rule.rule if request.url_rule else None
