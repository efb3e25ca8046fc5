"""Test cards and what their issuers do (https://docs.stripe.com/testing)."""

import hashlib
from dataclasses import dataclass
from enum import Enum

from sandbox.errors import DeclinedError, StripeError
from sandbox.params import Params

_TOKEN_YEARS = 4  # for how long a card made from a token is valid


class Authentication(Enum):
    """When the issuer wants to see the cardholder."""

    NEVER = "never"
    UNLESS_SET_UP = "unless set up"
    """On session always; off session unless the card was set up for it."""
    ON_SESSION = "on session"
    """As if it had been set up elsewhere before."""
    ALWAYS = "always"


@dataclass(frozen=True)
class Decline:
    """Why an issuer says no. Some reasons have an error code of their own, no decline code."""

    code: str
    decline_code: str | None
    message: str
    param: str | None = None


@dataclass(frozen=True)
class Card:
    """A number with a known behaviour; `token` is the part after `pm_card_` or `tok_`."""

    number: str
    token: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None
    can_be_attached: bool = True
    authentication: Authentication = Authentication.NEVER

    @property
    def fingerprint(self) -> str:
        """The same for every payment method made from this number."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Presented:
    """A card as its holder gave it."""

    card: Card
    exp_month: int
    exp_year: int
    gave_cvc: bool


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
_NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_LOST = Decline("card_declined", "lost_card", "Your card was declined.")
_STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
_TOO_OFTEN = Decline(
    "card_declined", "card_velocity_exceeded", "Your card's limit has been exceeded."
)
_EXPIRED = Decline("expired_card", None, "Your card has expired.", "exp_month")
_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.", "cvc")
_ERROR = Decline("processing_error", None, "An error occurred while processing your card.")


def _declining(number: str, reason: str, decline: Decline) -> Card:
    return Card(number, f"chargeDeclined{reason}", decline=decline, can_be_attached=False)


_CARDS = (
    Card("4242424242424242", "visa"),
    Card("4000056655665556", "visa_debit", funding="debit"),
    Card("4000001580000008", "tw", country="TW"),
    Card("5555555555554444", "mastercard", brand="mastercard"),
    Card("378282246310005", "amex", brand="amex"),
    Card("6011111111111117", "discover", brand="discover"),
    Card("3566002020360505", "jcb", brand="jcb", country="JP"),
    Card("6200000000000005", "unionpay", brand="unionpay", country="CN"),
    _declining("4000000000000002", "", GENERIC),
    _declining("4000000000009995", "InsufficientFunds", _NO_FUNDS),
    _declining("4000000000009987", "LostCard", _LOST),
    _declining("4000000000009979", "StolenCard", _STOLEN),
    _declining("4000000000000069", "ExpiredCard", _EXPIRED),
    _declining("4000000000000127", "IncorrectCvc", _CVC),
    _declining("4000000000000119", "ProcessingError", _ERROR),
    _declining("4000000000006975", "VelocityLimitExceeded", _TOO_OFTEN),
    Card("4000000000000341", "chargeCustomerFail", decline=GENERIC),
    Card(
        "4000002500003155",
        "authenticationRequiredOnSetup",
        authentication=Authentication.UNLESS_SET_UP,
    ),
    Card("4000002760003184", "authenticationRequired", authentication=Authentication.ALWAYS),
    Card(
        "4000003800000446",
        "authenticationRequiredSetupForOffSession",
        authentication=Authentication.ON_SESSION,
    ),
    Card(
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        decline=_NO_FUNDS,
        authentication=Authentication.UNLESS_SET_UP,
    ),
)
_BY_NUMBER = {card.number: card for card in _CARDS}
_BY_TOKEN = {card.token: card for card in _CARDS}


def by_number(number: str) -> Card:
    return _BY_NUMBER[number]


def find_by_token(name: str) -> Card | None:
    """The card of `pm_card_visa` or `tok_visa`; declines also go by `…_visa_chargeDeclined…`."""
    for prefix in ("pm_card_", "tok_"):
        token = name.removeprefix(prefix)
        if token != name:
            return _BY_TOKEN.get(token) or _BY_TOKEN.get(token.removeprefix("visa_"))
    return None


def present_token(card: Card, *, year: int) -> Presented:
    return Presented(card=card, exp_month=12, exp_year=year + _TOKEN_YEARS, gave_cvc=True)


def read_card(group: Params, *, year: int, month: int) -> Presented:
    """The card in `card[…]`: a test token, or a number with its expiry.

    Raises:
        DeclinedError: the details are not those of a valid card, or of no test card.
    """
    token = group.find_text("token")
    if token is not None:
        card = find_by_token(token)
        if card is None:
            raise StripeError(
                f"No such token: '{token[:50]}'", code="resource_missing", param=group.name("token")
            )
        return present_token(card, year=year)
    number = group.get_text("number").replace(" ", "").replace("-", "")
    exp_month, exp_year = group.get_integer("exp_month"), group.get_integer("exp_year")
    if exp_year < 100:  # noqa: PLR2004  two digits mean this century
        exp_year += 2000
    cvc = group.find_text("cvc")
    _check_expiry(exp_month, exp_year, year=year, month=month)
    if cvc is not None and not (cvc.isascii() and cvc.isdigit() and len(cvc) in {3, 4}):
        raise DeclinedError(
            "Your card's security code is invalid.", code="invalid_cvc", param="cvc"
        )
    return Presented(
        card=_get_by_number(number),
        exp_month=exp_month,
        exp_year=exp_year,
        gave_cvc=cvc is not None,
    )


def _check_expiry(exp_month: int, exp_year: int, *, year: int, month: int) -> None:
    if not 1 <= exp_month <= 12:  # noqa: PLR2004  months
        raise DeclinedError(
            "Your card's expiration month is invalid.",
            code="invalid_expiry_month",
            param="exp_month",
        )
    if exp_year > year + 50 or (exp_year, exp_month) < (year, month):
        raise DeclinedError(
            "Your card's expiration year is invalid.",
            code="invalid_expiry_year",
            param="exp_year",
        )


def _get_by_number(number: str) -> Card:
    if not (number.isascii() and number.isdigit() and _is_luhn(number)):
        raise DeclinedError(
            "Your card number is incorrect.", code="incorrect_number", param="number"
        )
    if number not in _BY_NUMBER:
        raise DeclinedError(
            "Your card was declined: this is test mode, and the card is not a test card.",
            code="card_declined",
            decline_code="test_mode_live_card",
            param="number",
        )
    return _BY_NUMBER[number]


def _is_luhn(number: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in number[-1::-2])) % 10 == 0
