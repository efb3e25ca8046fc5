"""What the terminals' client sends, checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

_MAX_BODY = 10_000
_MAX_AMOUNT = 10_000_000
_MAX_PAGE = 100
_NAME = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"[0-9]{1,12}")


class TerminalError(Exception):
    """An answer other than 200: a status, one word, and which field it is about."""

    def __init__(self, status: HTTPStatus, word: str, *, field: str | None = None) -> None:
        super().__init__(word)
        self.status = status
        self.body = {"error": word} | ({} if field is None else {"field": field})


def invalid(field: str) -> TerminalError:
    return TerminalError(HTTPStatus.BAD_REQUEST, "invalid", field=field)


def not_found() -> TerminalError:
    return TerminalError(HTTPStatus.NOT_FOUND, "not_found")


def conflict() -> TerminalError:
    return TerminalError(HTTPStatus.CONFLICT, "conflict")


@dataclass(frozen=True)
class Span:
    """Which part of a list is wanted: `since` counts, `until` does not."""

    since: int
    until: int | None
    after: str | None
    limit: int


def read_json(body: bytes, *, keys: frozenset[str]) -> dict[str, Any]:
    """The object in a body, with exactly these keys.

    Raises:
        TerminalError: something else.
    """
    try:
        given = json.loads(body) if len(body) <= _MAX_BODY else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise invalid("body")
    for key in sorted(keys ^ given.keys()):
        raise invalid(key)
    return given


def check_id(text: str) -> str:
    return _name(text, field="id")


def payment_terms(given: Mapping[str, Any]) -> dict[str, Any]:
    currency = given["currency"]
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise invalid("currency")
    return {
        "amount": _amount(given["amount"]),
        "currency": currency,
        "terminal": _name(given["terminal"], field="terminal"),
    }


def refund_terms(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "payment": _name(given["payment"], field="payment"),
        "amount": _amount(given["amount"]),
    }


def read_span(query: str) -> Span:
    """`since`, `until` (epoch seconds), `after` (an id) and `limit` (up to 100)."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    for key in sorted(given.keys() - {"since", "until", "after", "limit"}):
        raise invalid(key)
    numbers = {key: _number(given[key], field=key) for key in given if key != "after"}
    limit = numbers.get("limit", _MAX_PAGE)
    if not 1 <= limit <= _MAX_PAGE:
        raise invalid("limit")
    return Span(numbers.get("since", 0), numbers.get("until"), given.get("after"), limit)


def _number(text: str, *, field: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise invalid(field)
    return int(text)


def _amount(given: object) -> int:
    if type(given) is not int or not 1 <= given <= _MAX_AMOUNT:  # True is an int, too
        raise invalid("amount")
    return given


def _name(given: object, *, field: str) -> str:
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise invalid(field)
    return given
