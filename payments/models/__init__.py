"""The tables of the room."""

from payments.models.asking import Card, Customer, Payment, ProviderEvent
from payments.models.balance import BalanceTransaction, Payout, ProviderDay, ProviderFetch

__all__ = [
    "BalanceTransaction",
    "Card",
    "Customer",
    "Payment",
    "Payout",
    "ProviderDay",
    "ProviderEvent",
    "ProviderFetch",
]
