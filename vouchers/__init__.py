"""What is offered and ordered, and the lots of cups that members hold."""

from vouchers.balances import add_up
from vouchers.buyers import buyer_of_item, buyers_of_items
from vouchers.errors import (
    AlreadyPaid,
    MixedCurrencies,
    NotOnSale,
    OrderEnded,
    OrderTooLarge,
    PaymentDeclined,
    PaymentGivenUp,
)
from vouchers.gift_errors import (
    GiftClaimed,
    GiftEnded,
    GiftLimit,
    GiftNotFound,
    GivenCupsFrozen,
    GiverBlocked,
    NotGiftable,
    OfferNotNamed,
    TooFewToGive,
)
from vouchers.gift_queries import GiftSeen, list_gifts, see_gift, see_link
from vouchers.holdings import count_cups, list_holdings
from vouchers.introduction import is_introduced
from vouchers.naming import names_of_lots
from vouchers.order_errors import (
    CardWanted,
    ChannelNotSold,
    IntroductionUsed,
    MemberLimit,
    NoReceiptYet,
    NotForGiving,
    NothingToPay,
    OwnOrder,
    StoreNotSelling,
    WayOfPayingMissing,
)
from vouchers.queries import (
    Offered,
    Ordered,
    OrderedItem,
    get_order,
    list_offer_codes,
    list_offers,
    list_orders,
)
from vouchers.refund_errors import (
    CupsFrozen,
    NothingToRefund,
    NotRefundable,
    RefundNotFailed,
    TooFewLeft,
    WholeRestOnly,
)
from vouchers.refund_queries import get_refund, list_refunds, show, shown_decision
from vouchers.service.counter import (
    AtTill,
    CounterSale,
    get_counter_sale,
    pay_at_counter,
    sell_at_counter,
)
from vouchers.service.dispute import follow_dispute
from vouchers.service.gift import give
from vouchers.service.gift_back import decline, withdraw
from vouchers.service.gift_block import Block, list_blocks, unblock
from vouchers.service.gift_claim import Claimed, claim
from vouchers.service.lot import issue_lot
from vouchers.service.order import place_order, price_of, taxed
from vouchers.service.pay import Paid, pay
from vouchers.service.payout import retry, settle_otherwise
from vouchers.service.prepaid import take_prepaid
from vouchers.service.receipt import Receipt, get_receipt
from vouchers.service.refund import refund, refund_lots
from vouchers.service.refund_preview import preview
from vouchers.service.refund_wish import AskedLot, Part, Wish
from vouchers.terms import list_terms_in_words, terms_in_words
from vouchers.wallet import change_wallet, change_wallets, touch_wallets

__all__ = [
    "AlreadyPaid",
    "AskedLot",
    "AtTill",
    "Block",
    "CardWanted",
    "ChannelNotSold",
    "Claimed",
    "CounterSale",
    "CupsFrozen",
    "GiftClaimed",
    "GiftEnded",
    "GiftLimit",
    "GiftNotFound",
    "GiftSeen",
    "GivenCupsFrozen",
    "GiverBlocked",
    "IntroductionUsed",
    "MemberLimit",
    "MixedCurrencies",
    "NoReceiptYet",
    "NotForGiving",
    "NotGiftable",
    "NotOnSale",
    "NotRefundable",
    "NothingToPay",
    "NothingToRefund",
    "OfferNotNamed",
    "Offered",
    "OrderEnded",
    "OrderTooLarge",
    "Ordered",
    "OrderedItem",
    "OwnOrder",
    "Paid",
    "Part",
    "PaymentDeclined",
    "PaymentGivenUp",
    "Receipt",
    "RefundNotFailed",
    "StoreNotSelling",
    "TooFewLeft",
    "TooFewToGive",
    "WayOfPayingMissing",
    "WholeRestOnly",
    "Wish",
    "add_up",
    "buyer_of_item",
    "buyers_of_items",
    "change_wallet",
    "change_wallets",
    "claim",
    "count_cups",
    "decline",
    "follow_dispute",
    "get_counter_sale",
    "get_order",
    "get_receipt",
    "get_refund",
    "give",
    "is_introduced",
    "issue_lot",
    "list_blocks",
    "list_gifts",
    "list_holdings",
    "list_offer_codes",
    "list_offers",
    "list_orders",
    "list_refunds",
    "list_terms_in_words",
    "names_of_lots",
    "pay",
    "pay_at_counter",
    "place_order",
    "preview",
    "price_of",
    "refund",
    "refund_lots",
    "retry",
    "see_gift",
    "see_link",
    "sell_at_counter",
    "settle_otherwise",
    "show",
    "shown_decision",
    "take_prepaid",
    "taxed",
    "terms_in_words",
    "touch_wallets",
    "unblock",
    "withdraw",
]
