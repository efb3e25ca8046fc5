"""Stripe, through its own library. The only file that knows the library."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import stripe
import structlog
from stripe.params import PaymentIntentCreateParams

from payments import stripe_balance
from payments.errors import NoAnswer, UnknownToProvider
from payments.exchanged import (
    Charge,
    Intent,
    Page,
    Repay,
    SeenDispute,
    SeenPayout,
    SeenRepayment,
    SeenTransaction,
    Setup,
)
from payments.policy import at_provider
from payments.stripe_payments import intent, setup
from payments.stripe_refunds import dispute, repayment

T = TypeVar("T")

log = structlog.get_logger()

_CONNECT_S, _READ_S = 2.0, 8.0
_RETRIES = 2
_PAGE = 100
_CLOCKS_APART = timedelta(hours=1)
_UNUSABLE = "payment_method_unusable"


class StripeGateway:
    """A client of one key. Safe to share between threads: the library keeps a session for each."""

    def __init__(self, *, api_key: str, base: str | None) -> None:
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": base} if base else {},
            max_network_retries=_RETRIES,
            http_client=stripe.RequestsClient(timeout=(_CONNECT_S, _READ_S)),
        )
        self._v1 = self._client.v1

    def make_customer(self, *, member_id: UUID) -> str:
        with _answering():
            made = self._v1.customers.create(
                {"metadata": {"member_id": str(member_id)}},
                {"idempotency_key": f"customer-{member_id}"},
            )
        return made.id

    def charge(self, asked: Charge) -> Intent:
        with _answering():
            try:
                made = self._v1.payment_intents.create(
                    _asking(asked), {"idempotency_key": str(asked.payment_id)}
                )
            except (stripe.CardError, stripe.InvalidRequestError) as refusal:
                return _refused(asked, refusal)
        return intent(made.to_dict())

    def get_intent(self, ref: str) -> Intent:
        # Its plain JSON: this runs for every event, and the library's own objects, five levels deep
        # with the card, are a quarter of what asking costs.
        path = f"/v1/payment_intents/{quote(ref, safe='')}"
        with _answering():
            found = self._client.raw_request("get", path, expand=["payment_method"])
        return intent(found.data)

    def find_intent(
        self, *, payment_id: UUID, customer_ref: str | None, since: datetime
    ) -> Intent | None:
        assert customer_ref is not None  # whom the cards' provider charges is its customer
        with _answering():
            page = self._v1.payment_intents.list(
                {
                    "customer": customer_ref,
                    "created": {"gte": int((since - _CLOCKS_APART).timestamp())},
                    "limit": 100,
                    "expand": ["data.payment_method"],
                }
            )
            seen = (intent(one.to_dict()) for one in page.auto_paging_iter())
            return next((one for one in seen if one.payment_id == payment_id), None)

    def cancel(self, ref: str) -> Intent:
        with _answering():
            try:
                gone = self._v1.payment_intents.cancel(ref, {"cancellation_reason": "abandoned"})
            except stripe.InvalidRequestError as refusal:
                if refusal.code != "payment_intent_unexpected_state":
                    raise
                return self.get_intent(ref)
        return intent(gone.to_dict())

    def repay(self, asked: Repay) -> SeenRepayment:
        with _answering():
            try:
                made = self._v1.refunds.create(
                    {
                        "payment_intent": asked.payment_ref,
                        "amount": at_provider(asked.amount, asked.currency),
                        "metadata": {"repayment_id": str(asked.repayment_id)},
                    },
                    {"idempotency_key": str(asked.repayment_id)},
                )
            except stripe.InvalidRequestError as refusal:
                return _not_repaid(asked, refusal)
        return repayment(made.to_dict())

    def get_repayment(self, ref: str) -> SeenRepayment:
        with _answering():
            return repayment(self._v1.refunds.retrieve(ref).to_dict())

    def find_repayment(self, *, repayment_id: UUID, payment_ref: str) -> SeenRepayment | None:
        with _answering():
            page = self._v1.refunds.list({"payment_intent": payment_ref, "limit": _PAGE})
            seen = (repayment(one.to_dict()) for one in page.auto_paging_iter())
            return next((one for one in seen if one.repayment_id == repayment_id), None)

    def list_of_charge(self, charge_ref: str) -> Sequence[SeenRepayment]:
        with _answering():
            page = self._v1.refunds.list({"charge": charge_ref, "limit": _PAGE})
        return [repayment(one.to_dict()) for one in page.data]

    def list_payments(self, *, since: datetime, until: datetime, after: str | None) -> Page[Intent]:
        with _answering():
            asked = _span(since, until) | _from(after) | {"expand": ["data.payment_method"]}
            found = self._v1.payment_intents.list(asked)  # type: ignore[arg-type]
        return _page(found.to_dict(), intent)

    def list_repayments(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenRepayment]:
        with _answering():
            found = self._v1.refunds.list(_span(since, until) | _from(after))  # type: ignore[arg-type]
        return _page(found.to_dict(), repayment)

    def get_dispute(self, ref: str) -> SeenDispute:
        with _answering():
            return dispute(self._v1.disputes.retrieve(ref).to_dict())

    def list_disputes(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenDispute]:
        with _answering():
            found = self._v1.disputes.list(_span(since, until) | _from(after))  # type: ignore[arg-type]
        return _page(found.to_dict(), dispute)

    def set_up_card(self, *, customer_ref: str, method_ref: str) -> Setup:
        with _answering():
            try:
                made = self._v1.setup_intents.create(
                    {
                        "customer": customer_ref,
                        "payment_method": method_ref,
                        "automatic_payment_methods": {
                            "enabled": True,
                            "allow_redirects": "never",
                        },
                        "usage": "off_session",
                        "confirm": True,
                        "expand": ["payment_method"],
                    },
                    {"idempotency_key": f"card-{customer_ref}-{method_ref}"},
                )
            except (stripe.CardError, stripe.InvalidRequestError) as refusal:
                return Setup("failed", customer_ref, failure=_failure_of(refusal))
        seen = setup(made.to_dict())
        # Asked again, the provider says what it said first: meanwhile the holder may have acted.
        return self.get_setup(made.id) if seen.status == "requires_action" else seen

    def get_setup(self, ref: str) -> Setup:
        with _answering():
            found = self._v1.setup_intents.retrieve(ref, {"expand": ["payment_method"]})
        return setup(found.to_dict())

    def list_balance_transactions(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenTransaction]:
        with _answering():
            asked = _span(since, until) | _from(after) | {"expand": ["data.source"]}
            found = self._v1.balance_transactions.list(asked)  # type: ignore[arg-type]
        return stripe_balance.transactions(found.to_dict())

    def list_payouts(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenPayout]:
        with _answering():
            found = self._v1.payouts.list(_span(since, until) | _from(after))  # type: ignore[arg-type]
        return stripe_balance.payouts(found.to_dict())

    def list_paid_out(self, *, payout_ref: str, after: str | None) -> Page[SeenTransaction]:
        with _answering():
            asked = _from(after) | {"payout": payout_ref, "expand": ["data.source"]}
            found = self._v1.balance_transactions.list(asked)  # type: ignore[arg-type]
        return stripe_balance.paid_out(found.to_dict(), payout_ref=payout_ref)


def _span(since: datetime, until: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())}}


def _from(after: str | None) -> dict[str, Any]:
    return {"limit": _PAGE} | ({"starting_after": after} if after else {})


@contextmanager
def _answering() -> Iterator[None]:
    """Tell silence (no network, a time-out, 5xx, 409 in flight, 429) from an answer."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as silence:
        log.warning("provider.silent", error=type(silence).__name__, status=silence.http_status)
        raise NoAnswer from silence
    except stripe.InvalidRequestError as refusal:
        if refusal.http_status != HTTPStatus.NOT_FOUND:
            raise
        raise UnknownToProvider from refusal


def _page(shown: dict[str, Any], read: Callable[[dict[str, Any]], T]) -> Page[T]:
    items = tuple(read(one) for one in shown["data"])
    has_more = shown["has_more"] and shown["data"]
    return Page(items, shown["data"][-1]["id"] if has_more else None)


def _asking(asked: Charge) -> PaymentIntentCreateParams:
    params: PaymentIntentCreateParams = {
        "amount": at_provider(asked.amount, asked.currency),
        "currency": asked.currency.lower(),
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {"payment_id": str(asked.payment_id)},
        "expand": ["payment_method"],
    }
    if asked.customer_ref is not None:
        params["customer"] = asked.customer_ref
    if asked.method_ref is not None:  # else the payer confirms in the form, wallets among it
        params["payment_method"] = asked.method_ref
        params["confirm"] = True
    if asked.keeps_card:
        params["setup_future_usage"] = "off_session"
    if asked.is_off_session:
        params["off_session"] = True
    return params


def _refused(asked: Charge, refusal: stripe.StripeError) -> Intent:
    """A refusal is final for this request: no money moved, with or without an intent left over."""
    shown = _error(refusal).get("payment_intent")
    seen = intent(shown) if shown else None
    if seen is not None and seen.status != "intent":
        return seen
    failure = _failure_of(refusal)
    ref = seen.ref if seen else None
    return Intent(ref, "failed", asked.payment_id, asked.amount, asked.currency, failure=failure)


def _not_repaid(asked: Repay, refusal: stripe.StripeError) -> SeenRepayment:
    """No money moved: nothing is left of the charge, or its holder's bank has taken it back."""
    said = _error(refusal)
    failure = str(refusal.code or said.get("param") or "refused")
    log.warning("provider.not_repaid", code=refusal.code, param=said.get("param"))
    return SeenRepayment(
        None, "failed", asked.repayment_id, asked.payment_ref, asked.amount, asked.currency, failure
    )


def _failure_of(refusal: stripe.StripeError) -> str:
    """Why: the issuer's reason, or that the method cannot be used (spent, somebody else's)."""
    said = _error(refusal)
    if isinstance(refusal, stripe.CardError):
        return str(said.get("decline_code") or said.get("code") or "generic_decline")
    param = said.get("param")
    log.warning("provider.invalid_request", code=refusal.code, param=param)
    return _UNUSABLE if param in (None, "payment_method") else str(refusal.code or param)


def _error(refusal: stripe.StripeError) -> dict[str, Any]:
    body = refusal.json_body
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
