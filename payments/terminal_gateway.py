"""Card terminals at the counter, through their provider's own API: JSON, ids of ours, whole units.

Everything is asked under an id of ours, which stays the same thing for ever: asking again is
always safe, and there is nothing to look for but the id itself. A clerk waits in front of the
terminal, so no request waits long. Four verbs need no client library, and the standard library's
`http.client` follows no redirects with a key in hand.
"""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

import structlog

from payments.errors import NoAnswer, UnknownToProvider
from payments.exchanged import Charge, Intent, Page, Repay, Returning, SeenRepayment, Status

log = structlog.get_logger()

T = TypeVar("T")

_TIMEOUT_S = 5.0
_LARGEST_ANSWER = 1024 * 1024
_PAYMENTS, _REFUNDS = "/terminal/v1/payments", "/terminal/v1/refunds"

_PAYMENT: dict[str, Status] = {
    "waiting": "processing",
    "approved": "succeeded",
    "declined": "failed",
    "cancelled": "cancelled",
}
_REFUND: dict[str, Returning] = {"done": "succeeded", "failed": "failed"}


class _Refused(Exception):  # noqa: N818  an answer
    """The provider cannot do what was asked, since one field of it is wrong."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class TerminalGateway:
    """A client of one key. Safe to share between threads: each request has its own connection."""

    def __init__(self, *, base: str, api_key: str) -> None:
        self._address = urlsplit(base)
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }

    def charge(self, asked: Charge) -> Intent:
        terms = {
            "amount": asked.amount,
            "currency": asked.currency,
            "terminal": asked.method_ref,
        }
        try:
            return _intent(self._put(_PAYMENTS, str(asked.payment_id), terms))
        except _Refused as refusal:
            log.warning("terminal.refused", field=refusal.field)
            failure = f"invalid_{refusal.field}"
            ours = (asked.payment_id, asked.amount, asked.currency)
            return Intent(None, "failed", *ours, failure=failure)

    def get_intent(self, ref: str) -> Intent:
        return _intent(self._get(_PAYMENTS, ref))

    def find_intent(
        self, *, payment_id: UUID, customer_ref: str | None, since: datetime
    ) -> Intent | None:
        del customer_ref, since
        try:
            return self.get_intent(str(payment_id))
        except UnknownToProvider:
            return None

    def cancel(self, ref: str) -> Intent:
        return _intent(self._ask("POST", f"{_PAYMENTS}/{quote(ref, safe='')}/cancel"))

    def repay(self, asked: Repay) -> SeenRepayment:
        terms = {"payment": asked.payment_ref, "amount": asked.amount}
        try:
            return _repayment(self._put(_REFUNDS, str(asked.repayment_id), terms))
        except UnknownToProvider:
            ours = (asked.repayment_id, asked.payment_ref, asked.amount, asked.currency)
            return SeenRepayment(None, "failed", *ours, failure="payment_unknown")

    def get_repayment(self, ref: str) -> SeenRepayment:
        return _repayment(self._get(_REFUNDS, ref))

    def find_repayment(self, *, repayment_id: UUID, payment_ref: str) -> SeenRepayment | None:
        del payment_ref
        try:
            return self.get_repayment(str(repayment_id))
        except UnknownToProvider:
            return None

    def list_payments(self, *, since: datetime, until: datetime, after: str | None) -> Page[Intent]:
        return self._list(_PAYMENTS, _intent, since, until, after)

    def list_repayments(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenRepayment]:
        return self._list(_REFUNDS, _repayment, since, until, after)

    def _put(self, place: str, ref: str, terms: dict[str, Any]) -> dict[str, Any]:
        return self._ask("PUT", f"{place}/{quote(ref, safe='')}", terms)

    def _get(self, place: str, ref: str) -> dict[str, Any]:
        return self._ask("GET", f"{place}/{quote(ref, safe='')}")

    def _list(
        self,
        place: str,
        read: Callable[[dict[str, Any]], T],
        since: datetime,
        until: datetime,
        after: str | None,
    ) -> Page[T]:
        asked: dict[str, object] = {
            "since": int(since.timestamp()),
            "until": int(until.timestamp()),
        }
        if after is not None:
            asked["after"] = after
        shown = self._ask("GET", f"{place}?{urlencode(asked)}")
        return Page(tuple(read(one) for one in shown["items"]), shown["next_after"])

    def _ask(self, method: str, path: str, terms: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the provider answers.

        Raises:
            NoAnswer: no network, a time-out, an answer that broke off, 5xx, 429.
            UnknownToProvider: 404.
            _Refused: 400, what was asked for is not possible.
            RuntimeError: any other answer but 200: a mistake of ours, or a wrong key.
        """
        try:
            status, body = self._exchange(method, path, terms)
        except (OSError, HTTPException) as silence:
            log.warning("terminal.silent", error=type(silence).__name__)
            raise NoAnswer from silence
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            log.warning("terminal.silent", status=status)
            raise NoAnswer
        if status == HTTPStatus.NOT_FOUND:
            raise UnknownToProvider
        if status not in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST):
            raise RuntimeError(f"the terminals' provider refuses {method} with {status}")
        try:
            answer: dict[str, Any] = json.loads(body)
        except ValueError as broken_off:
            raise NoAnswer from broken_off
        if status == HTTPStatus.BAD_REQUEST:
            raise _Refused(str(answer.get("field")))
        return answer

    def _exchange(self, method: str, path: str, terms: dict[str, Any] | None) -> tuple[int, bytes]:
        body = None if terms is None else json.dumps(terms)
        with closing(self._connection()) as connection:
            connection.request(method, path, body=body, headers=self._headers)
            response = connection.getresponse()
            return response.status, response.read(_LARGEST_ANSWER)

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
        assert self._address.hostname is not None  # held by the configuration
        return kind(self._address.hostname, self._address.port, timeout=_TIMEOUT_S)


def _intent(shown: dict[str, Any]) -> Intent:
    status = _PAYMENT[shown["status"]]
    return Intent(
        ref=shown["id"],
        status=status,
        payment_id=_ours(shown["id"]),
        amount=shown["amount"],
        currency=shown["currency"],
        failure=shown["reason"] if status == "failed" else None,
    )


def _repayment(shown: dict[str, Any]) -> SeenRepayment:
    return SeenRepayment(
        ref=shown["id"],
        status=_REFUND[shown["status"]],
        repayment_id=_ours(shown["id"]),
        payment_ref=shown["payment"],
        amount=shown["amount"],
        currency=None,
        failure=shown["reason"],
    )


def _ours(ref: str) -> UUID | None:
    """Ours are UUIDs. Another client of the same account may name its own as it likes."""
    try:
        return UUID(ref)
    except ValueError:
        return None
