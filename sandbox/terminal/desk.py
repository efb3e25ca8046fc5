"""The terminals' provider over HTTP."""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sandbox import access, strikes
from sandbox.answers import Answer
from sandbox.arrival import Arrival
from sandbox.config import Settings
from sandbox.errors import StripeError
from sandbox.store import Document, Session, Store
from sandbox.terminal import payments, refunds
from sandbox.terminal.requests import (
    TerminalError,
    check_id,
    invalid,
    not_found,
    payment_terms,
    read_json,
    read_span,
    refund_terms,
)

PREFIX = "/terminal/"
_HELPERS = "/terminal/v1/test_helpers/"
_PAYMENT, _REFUND = frozenset({"amount", "currency", "terminal"}), frozenset({"amount", "payment"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Ask:
    """What an endpoint is given."""

    path_id: str
    query: str
    body: bytes


Endpoint = Callable[[Session, _Ask], Document]


def _put_payment(session: Session, ask: _Ask) -> Document:
    terms = payment_terms(read_json(ask.body, keys=_PAYMENT))
    return payments.put(session, check_id(ask.path_id), terms)


def _get_payment(session: Session, ask: _Ask) -> Document:
    return payments.get(session, ask.path_id).document


def _cancel_payment(session: Session, ask: _Ask) -> Document:
    return payments.cancel(session, ask.path_id)


def _tap(session: Session, ask: _Ask) -> Document:
    outcome = read_json(ask.body, keys=frozenset({"outcome"}))["outcome"]
    if outcome not in {"approved", "declined"}:
        raise invalid("outcome")
    return payments.tap(session, ask.path_id, is_approved=outcome == "approved")


def _list_payments(session: Session, ask: _Ask) -> Document:
    return payments.list_page(session, read_span(ask.query))


def _put_refund(session: Session, ask: _Ask) -> Document:
    terms = refund_terms(read_json(ask.body, keys=_REFUND))
    return refunds.put(session, check_id(ask.path_id), terms)


def _get_refund(session: Session, ask: _Ask) -> Document:
    return refunds.get(session, ask.path_id)


def _list_refunds(session: Session, ask: _Ask) -> Document:
    return refunds.list_page(session, read_span(ask.query))


_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("PUT", "/terminal/v1/payments/([^/]+)", _put_payment),
    ("GET", "/terminal/v1/payments/([^/]+)", _get_payment),
    ("POST", "/terminal/v1/payments/([^/]+)/cancel", _cancel_payment),
    ("GET", "/terminal/v1/payments()", _list_payments),
    ("PUT", "/terminal/v1/refunds/([^/]+)", _put_refund),
    ("GET", "/terminal/v1/refunds/([^/]+)", _get_refund),
    ("GET", "/terminal/v1/refunds()", _list_refunds),
    ("POST", "/terminal/v1/test_helpers/payments/([^/]+)/tap", _tap),
)


def answer(arrival: Arrival, settings: Settings, store: Store) -> Answer:
    """From a request to an answer: who, what, one transaction, the faults."""
    try:
        return _answer(arrival, settings, store)
    except TerminalError as error:
        return _encode(error.status, error.body)
    except Exception:  # noqa: BLE001  a bug must not end the connection without an answer
        _log.exception("a terminal request failed")
        return _encode(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "broken"})


def _answer(arrival: Arrival, settings: Settings, store: Store) -> Answer:
    _check_key(arrival, settings)
    endpoint, path_id = _find_route(arrival)
    ask = _Ask(path_id, arrival.query, arrival.body())
    is_helper = arrival.path.startswith(_HELPERS)
    if not is_helper and strikes.fails_before(store):
        return _encode(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "unavailable"})
    with store.transaction() as session:
        payments.tap_by_themselves(session)
        document = endpoint(session, ask)
    if not is_helper and strikes.is_lost_after(store, has_changed=arrival.method != "GET"):
        return _encode(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "unavailable"})
    return _encode(HTTPStatus.OK, document)


def _check_key(arrival: Arrival, settings: Settings) -> None:
    try:
        is_publishable = access.is_publishable(arrival.authorization, settings)
    except StripeError as error:
        raise _unauthorized() from error
    if is_publishable:
        raise _unauthorized()


def _find_route(arrival: Arrival) -> tuple[Endpoint, str]:
    for method, address, endpoint in _ROUTES:
        match = re.fullmatch(address, arrival.path) if method == arrival.method else None
        if match is not None:
            return endpoint, match[1]
    raise not_found()


def _unauthorized() -> TerminalError:
    return TerminalError(HTTPStatus.UNAUTHORIZED, "unauthorized")


def _encode(status: HTTPStatus, document: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(document).encode())
