"""Test cards and what their issuers do (https://docs.stripe.com/testing)."""

import hashlib
from dataclasses import dataclass
from enum import Enum


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


class Refunding(Enum):
    """What becomes of a refund to the card."""

    AT_ONCE = "at once"
    PENDING = "pending"
    """Pending first, succeeded a while later."""
    FAILING = "failing"
    """Succeeded first, failed a while later."""


@dataclass(frozen=True)
class Complaint:
    """What the cardholder tells the issuer right after a charge."""

    reason: str
    is_inquiry: bool = False
    """The issuer only asks, and no money moves."""


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
    refunding: Refunding = Refunding.AT_ONCE
    complaint: Complaint | None = None

    @property
    def fingerprint(self) -> str:
        """The same for every payment method made from this number."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


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
    Card("4000000000007726", "pendingRefund", refunding=Refunding.PENDING),
    Card("4000000000005126", "refundFail", refunding=Refunding.FAILING),
    Card("4000000000000259", "createDispute", complaint=Complaint("fraudulent")),
    Card(
        "4000000000002685",
        "createDisputeProductNotReceived",
        complaint=Complaint("product_not_received"),
    ),
    Card(
        "4000000000001976",
        "createDisputeInquiry",
        complaint=Complaint("fraudulent", is_inquiry=True),
    ),
)
_BY_NUMBER = {card.number: card for card in _CARDS}
_BY_TOKEN = {card.token: card for card in _CARDS}


def by_number(number: str) -> Card:
    return _BY_NUMBER[number]


def find_by_number(number: str) -> Card | None:
    return _BY_NUMBER.get(number)


def find_by_token(name: str) -> Card | None:
    """The card of `pm_card_visa` or `tok_visa`; declines also go by `…_visa_chargeDeclined…`."""
    for prefix in ("pm_card_", "tok_"):
        token = name.removeprefix(prefix)
        if token != name:
            return _BY_TOKEN.get(token) or _BY_TOKEN.get(token.removeprefix("visa_"))
    return None
