"""What is offered and ordered, and the lots of cups that members hold."""

from vouchers.errors import (
    AlreadyPaid,
    MixedCurrencies,
    NotOnSale,
    OrderEnded,
    OrderTooLarge,
    PaymentDeclined,
)
from vouchers.holdings import list_balances, list_holdings
from vouchers.queries import (
    Offered,
    Ordered,
    OrderedItem,
    get_order,
    list_offer_codes,
    list_offers,
    list_orders,
)
from vouchers.service.lot import issue_lot
from vouchers.service.order import place_order
from vouchers.service.pay import Paid, pay
from vouchers.wallet import change_wallet

__all__ = [
    "AlreadyPaid",
    "MixedCurrencies",
    "NotOnSale",
    "Offered",
    "OrderEnded",
    "OrderTooLarge",
    "Ordered",
    "OrderedItem",
    "Paid",
    "PaymentDeclined",
    "change_wallet",
    "get_order",
    "issue_lot",
    "list_balances",
    "list_holdings",
    "list_offer_codes",
    "list_offers",
    "list_orders",
    "pay",
    "place_order",
]
