"""Stripe, through its own library. The only file that knows the library.

Stripe counts New Taiwan dollars in hundredths (NT$100 is 10000); our other currencies are in its
minor units.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import stripe
import structlog
from stripe.params import PaymentIntentCreateParams

from payments import stripe_balance
from payments.errors import NoAnswer
from payments.gateway import (
    Charge,
    Intent,
    Page,
    SeenCard,
    SeenPayout,
    SeenTransaction,
    Setup,
    Status,
)
from payments.policy import AUTHENTICATION_REQUIRED, FINER_AT_PROVIDER, at_provider

log = structlog.get_logger()

_CONNECT_S, _READ_S = 2.0, 8.0
_RETRIES = 2
_PAGE = 100
_CLOCKS_APART = timedelta(hours=1)
_UNUSABLE = "payment_method_unusable"

_STATUS: dict[str, Status] = {
    "requires_confirmation": "intent",
    "requires_action": "requires_action",
    "processing": "processing",
    "succeeded": "succeeded",
    "canceled": "cancelled",
}


class StripeGateway:
    """A client of one key. Safe to share between threads: the library keeps a session for each."""

    def __init__(self, *, api_key: str, base: str | None) -> None:
        self._v1 = stripe.StripeClient(
            api_key,
            base_addresses={"api": base} if base else {},
            max_network_retries=_RETRIES,
            http_client=stripe.RequestsClient(timeout=(_CONNECT_S, _READ_S)),
        ).v1

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
        return _intent(made.to_dict())

    def get_intent(self, ref: str) -> Intent:
        with _answering():
            found = self._v1.payment_intents.retrieve(ref, {"expand": ["payment_method"]})
        return _intent(found.to_dict())

    def find_intent(self, *, payment_id: UUID, customer_ref: str, since: datetime) -> Intent | None:
        with _answering():
            page = self._v1.payment_intents.list(
                {
                    "customer": customer_ref,
                    "created": {"gte": int((since - _CLOCKS_APART).timestamp())},
                    "limit": 100,
                    "expand": ["data.payment_method"],
                }
            )
            seen = (_intent(one.to_dict()) for one in page.auto_paging_iter())
            return next((one for one in seen if one.payment_id == payment_id), None)

    def cancel(self, ref: str) -> Intent:
        with _answering():
            try:
                gone = self._v1.payment_intents.cancel(ref, {"cancellation_reason": "abandoned"})
            except stripe.InvalidRequestError as refusal:
                if refusal.code != "payment_intent_unexpected_state":
                    raise
                return self.get_intent(ref)
        return _intent(gone.to_dict())

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
        setup = _setup(made.to_dict())
        # Asked again, the provider says what it said first: meanwhile the holder may have acted.
        return self.get_setup(made.id) if setup.status == "requires_action" else setup

    def get_setup(self, ref: str) -> Setup:
        with _answering():
            found = self._v1.setup_intents.retrieve(ref, {"expand": ["payment_method"]})
        return _setup(found.to_dict())

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


def _asking(asked: Charge) -> PaymentIntentCreateParams:
    params: PaymentIntentCreateParams = {
        "amount": at_provider(asked.amount, asked.currency),
        "currency": asked.currency.lower(),
        "customer": asked.customer_ref,
        "payment_method": asked.method_ref,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "confirm": True,
        "metadata": {"payment_id": str(asked.payment_id)},
        "expand": ["payment_method"],
    }
    if asked.keeps_card:
        params["setup_future_usage"] = "off_session"
    if asked.is_off_session:
        params["off_session"] = True
    return params


def _refused(asked: Charge, refusal: stripe.StripeError) -> Intent:
    """A refusal is final for this request: no money moved, with or without an intent left over."""
    shown = _error(refusal).get("payment_intent")
    seen = _intent(shown) if shown else None
    if seen is not None and seen.status != "intent":
        return seen
    failure = _failure_of(refusal)
    ref = seen.ref if seen else None
    return Intent(ref, "failed", asked.payment_id, asked.amount, asked.currency, failure=failure)


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


def _intent(shown: dict[str, Any]) -> Intent:
    status, failure = _outcome(shown)
    currency = str(shown["currency"]).upper()
    ours = (shown.get("metadata") or {}).get("payment_id")
    return Intent(
        ref=shown["id"],
        status=status,
        payment_id=UUID(ours) if ours else None,
        amount=shown["amount"] // FINER_AT_PROVIDER.get(currency, 1),
        currency=currency,
        client_secret=shown.get("client_secret"),
        failure=failure,
        card=_card(shown.get("payment_method")),
    )


def _outcome(shown: dict[str, Any]) -> tuple[Status, str | None]:
    if shown["status"] != "requires_payment_method":
        return _STATUS[shown["status"]], None
    error = shown.get("last_payment_error")
    if error is None:
        return "intent", None
    failure = str(error.get("decline_code") or error.get("code") or "generic_decline")
    # Off session there was nobody to authenticate. The same intent waits for its holder.
    return ("requires_action" if failure == AUTHENTICATION_REQUIRED else "failed"), failure


def _setup(shown: dict[str, Any]) -> Setup:
    error = shown.get("last_setup_error") or {}
    status = shown["status"]
    return Setup(
        status=status if status in ("succeeded", "requires_action") else "failed",
        customer_ref=shown["customer"],
        client_secret=shown.get("client_secret"),
        failure=error.get("decline_code") or error.get("code"),
        card=_card(shown.get("payment_method")),
    )


def _card(method: Any) -> SeenCard | None:
    """The card of an expanded payment method; an id alone shows none."""
    if not isinstance(method, dict) or "card" not in method:
        return None
    return SeenCard(method["id"], method["card"]["brand"], method["card"]["last4"])
