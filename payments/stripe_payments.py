"""Stripe's payment intents and saved cards, read as the house sees them.

Stripe counts New Taiwan dollars in hundredths (NT$100 is 10000); our other currencies are in its
minor units.
"""

from typing import Any
from uuid import UUID

from payments.exchanged import Intent, SeenCard, Setup, Status
from payments.policy import AUTHENTICATION_REQUIRED, FINER_AT_PROVIDER

_STATUS: dict[str, Status] = {
    "requires_confirmation": "intent",
    "requires_action": "requires_action",
    "processing": "processing",
    "succeeded": "succeeded",
    "canceled": "cancelled",
}


def intent(shown: dict[str, Any]) -> Intent:
    """A payment intent."""
    status, failure = _outcome(shown)
    currency = str(shown["currency"]).upper()
    return Intent(
        ref=shown["id"],
        status=status,
        payment_id=id_of_ours(shown, "payment_id"),
        amount=whole(shown["amount"], currency),
        currency=currency,
        client_secret=shown.get("client_secret"),
        failure=failure,
        card=_card(shown.get("payment_method")),
    )


def id_of_ours(shown: dict[str, Any], name: str) -> UUID | None:
    """Our id among an object's notes. Whoever else uses the account may write anything there."""
    noted = (shown.get("metadata") or {}).get(name)
    try:
        return UUID(noted) if noted else None
    except ValueError:
        return None


def whole(amount_minor: int, currency: str) -> int:
    """An amount in Stripe's minor units, in ours."""
    return amount_minor // FINER_AT_PROVIDER.get(currency, 1)


def ref_of(named: Any) -> str | None:
    """The id of what may be expanded or not."""
    return named.get("id") if isinstance(named, dict) else named


def _outcome(shown: dict[str, Any]) -> tuple[Status, str | None]:
    if shown["status"] != "requires_payment_method":
        return _STATUS[shown["status"]], None
    error = shown.get("last_payment_error")
    if error is None:
        return "intent", None
    failure = str(error.get("decline_code") or error.get("code") or "generic_decline")
    # Off session there was nobody to authenticate. The same intent waits for its holder.
    return ("requires_action" if failure == AUTHENTICATION_REQUIRED else "failed"), failure


def setup(shown: dict[str, Any]) -> Setup:
    """A setup intent."""
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
