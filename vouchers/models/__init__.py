"""The tables of the room."""

from vouchers.models.gift import Gift, GiftBlock, GiftItem
from vouchers.models.lot import Lot, Wallet
from vouchers.models.offer import Offer, OfferVersion, OfferVersionProduct, OfferVersionStore
from vouchers.models.order import Order, OrderItem
from vouchers.models.refund import Refund, RefundLine

__all__ = [
    "Gift",
    "GiftBlock",
    "GiftItem",
    "Lot",
    "Offer",
    "OfferVersion",
    "OfferVersionProduct",
    "OfferVersionStore",
    "Order",
    "OrderItem",
    "Refund",
    "RefundLine",
    "Wallet",
]
