"""The payment provider: what is asked of it, what it says, and the cards that members keep."""

from payments import policy
from payments.errors import CardDeclined, CardNeedsAuthentication, NoAnswer, SignatureInvalid
from payments.models import Card, Payment
from payments.queries import card_of, find_open, find_paid, get_payment
from payments.reconciliation import Reconciliation, reconcile, reconciliation_lines
from payments.service.begin import begin
from payments.service.cards import save_card
from payments.service.charge import cancel, charge
from payments.service.receive import LARGEST_BODY, receive

__all__ = [
    "LARGEST_BODY",
    "Card",
    "CardDeclined",
    "CardNeedsAuthentication",
    "NoAnswer",
    "Payment",
    "Reconciliation",
    "SignatureInvalid",
    "begin",
    "cancel",
    "card_of",
    "charge",
    "find_open",
    "find_paid",
    "get_payment",
    "policy",
    "receive",
    "reconcile",
    "reconciliation_lines",
    "save_card",
]
