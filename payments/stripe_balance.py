"""Stripe's balance transactions and payouts, read as the house sees them.

https://docs.stripe.com/reports/balance-transaction-types
"""

from datetime import UTC, datetime
from typing import Any, Literal

from payments.gateway import Kind, Page, SeenPayout, SeenTransaction

_KINDS: dict[str, Kind] = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
    "payment_failure_refund": "refund",
    "payout": "payout",
    "payout_cancel": "payout",
    "payout_failure": "payout",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "fee",
}
_DISPUTES = frozenset({"dispute", "dispute_reversal"})
"""Reporting categories: the type of a dispute's movement says only `adjustment`."""

_PayoutStatus = Literal["pending", "in_transit", "paid", "failed", "cancelled"]
_STATUSES: dict[str, _PayoutStatus] = {
    "pending": "pending",
    "in_transit": "in_transit",
    "paid": "paid",
    "failed": "failed",
    "canceled": "cancelled",
}


def transactions(shown: dict[str, Any]) -> Page[SeenTransaction]:
    """A page of balance transactions, their sources expanded."""
    items = tuple(_transaction(one) for one in shown["data"])
    return Page(items, _next_after(shown))


def paid_out(shown: dict[str, Any], *, payout_ref: str) -> Page[SeenTransaction]:
    """A page of what went out with a payout, less the movement of the payout itself."""
    page = transactions(shown)
    return Page(tuple(one for one in page.items if one.source_ref != payout_ref), page.next_after)


def payouts(shown: dict[str, Any]) -> Page[SeenPayout]:
    """A page of payouts."""
    return Page(tuple(_payout(one) for one in shown["data"]), _next_after(shown))


def _next_after(shown: dict[str, Any]) -> str | None:
    return shown["data"][-1]["id"] if shown["has_more"] and shown["data"] else None


def _transaction(shown: dict[str, Any]) -> SeenTransaction:
    source = shown.get("source")
    cause: dict[str, Any] = source if isinstance(source, dict) else {}
    currency = _currency(shown["currency"])
    charged = _charged(cause)
    sign = -1 if shown["amount"] < 0 else 1
    return SeenTransaction(
        ref=shown["id"],
        kind=_kind(shown),
        type=shown["type"],
        source_ref=cause.get("id") if cause else source,
        payment_ref=_ref(cause.get("payment_intent")),
        amount_minor=shown["amount"],
        fee_minor=shown["fee"],
        net_minor=shown["net"],
        currency=currency,
        charged_minor=shown["amount"] if charged is None else sign * charged,
        charged_currency=currency if charged is None else _currency(cause["currency"]),
        created_at=_moment(shown["created"]),
        available_at=_moment(shown["available_on"]),
    )


def _kind(shown: dict[str, Any]) -> Kind:
    if shown.get("reporting_category") in _DISPUTES:
        return "dispute"
    return _KINDS.get(shown["type"], "other")


def _charged(cause: dict[str, Any]) -> int | None:
    """What the shopper's card saw: of a charge, what was captured of it."""
    if cause.get("object") not in {"charge", "refund", "dispute"}:
        return None
    captured = cause.get("amount_captured")
    return int(cause["amount"] if captured is None else captured)


def _payout(shown: dict[str, Any]) -> SeenPayout:
    return SeenPayout(
        ref=shown["id"],
        status=_STATUSES[shown["status"]],
        amount_minor=shown["amount"],
        currency=_currency(shown["currency"]),
        is_automatic=shown["automatic"],
        is_itemised=shown["reconciliation_status"] == "completed",
        failure=shown.get("failure_code"),
        created_at=_moment(shown["created"]),
        arrives_at=_moment(shown["arrival_date"]),
    )


def _ref(named: Any) -> str | None:
    """The id of what may be expanded or not."""
    return named.get("id") if isinstance(named, dict) else named


def _currency(code: str) -> str:
    return code.upper()


def _moment(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
