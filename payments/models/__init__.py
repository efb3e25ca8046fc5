"""The tables of the room."""

from payments.models.asking import Card, Customer, Payment, ProviderEvent
from payments.models.balance import BalanceTransaction, Payout, ProviderDay, ProviderFetch
from payments.models.counting import PaymentDifference, ProviderLook, ShiftTotal
from payments.models.returning import Dispute, Repayment

__all__ = [
    "BalanceTransaction",
    "Card",
    "Customer",
    "Dispute",
    "Payment",
    "PaymentDifference",
    "Payout",
    "ProviderDay",
    "ProviderEvent",
    "ProviderFetch",
    "ProviderLook",
    "Repayment",
    "ShiftTotal",
]
