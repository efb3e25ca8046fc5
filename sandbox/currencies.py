"""Amounts in minor units, as Stripe takes them."""

from sandbox.errors import StripeError
from sandbox.params import Params

_SUPPORTED = frozenset(
    {"twd", "usd", "jpy", "eur", "gbp", "hkd", "sgd", "cny", "krw", "thb", "myr"}
)
_ZERO_DECIMAL = frozenset({"jpy", "krw"})
_PAID_OUT_WHOLE = frozenset({"twd"})
_MAX_AMOUNT = 99_999_999


def read_currency(params: Params) -> str:
    currency = params.get_text("currency").lower()
    if currency not in _SUPPORTED:
        raise StripeError(
            f"Invalid currency: {currency[:20]}. Supported here: {', '.join(sorted(_SUPPORTED))}.",
            param="currency",
        )
    return currency


def check_amount(amount: int) -> None:
    """At least 1 and at most eight digits.

    TWD has two decimals in charges and refunds, and hundredths are accepted; only payouts must
    be whole dollars (https://docs.stripe.com/currencies#special-cases).
    """
    if amount < 1:
        raise StripeError(
            "Invalid amount: it must be at least 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > _MAX_AMOUNT:
        raise StripeError(
            f"Invalid amount: it must be at most {_MAX_AMOUNT}.",
            code="amount_too_large",
            param="amount",
        )


def whole_payout(amount: int, currency: str) -> int:
    """What of an amount can be paid out: whole dollars, where the currency has no coins left."""
    return amount - amount % 100 if currency in _PAID_OUT_WHOLE else amount


def spoken(amount: int, currency: str) -> str:
    """An amount as a message says it: `120.00 TWD`, `500 JPY`."""
    if currency in _ZERO_DECIMAL:
        return f"{amount} {currency.upper()}"
    return f"{amount // 100}.{amount % 100:02} {currency.upper()}"
