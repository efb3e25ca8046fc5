"""Orders, and paying them."""

from typing import Any, ClassVar
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema

import vouchers
from api.auth import MemberCaller, member
from api.buyers import BuyerBody, buyer_in
from api.fields import (
    Cups,
    Flag,
    Id,
    Integer,
    MoneyField,
    PaymentMethod,
    Schema,
    Text,
    Timestamp,
)
from api.idempotency import mark_replayed
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from invoicing import BuyerInvalid
from kernel import clock
from kernel.errors import NotFound
from kernel.idempotency import Key
from kernel.transaction import transaction
from payments import CardDeclined, CardNeedsAuthentication, Payment
from vouchers import (
    AlreadyPaid,
    CardWanted,
    ChannelNotSold,
    IntroductionUsed,
    MemberLimit,
    MixedCurrencies,
    NotForGiving,
    NothingToPay,
    NotOnSale,
    Ordered,
    OrderEnded,
    OrderTooLarge,
    PaymentDeclined,
    PaymentGivenUp,
    StoreNotSelling,
    WayOfPayingMissing,
)

orders = Resource("orders", "/v1/orders", "Orders: what a member bought and must pay for.")

MOST_ITEMS = 20
MOST_PERIODS = 60
_MOST_OF_ONE = 99

_OF_MEMBERS = ("web", "app")
_ONE_WAY = "Give at most one of payment_method, card_id and by_holder."

_STATUS = {
    "intent": "processing",
    "processing": "processing",
    "requires_action": "requires_action",
    "succeeded": "succeeded",
    "surplus": "succeeded",
}


class WantedBody(Schema):
    """One offer, so many times."""

    offer_id = Id(required=True, metadata={"description": "The id of a pack or a plan."})
    quantity = Cups(required=True, most=_MOST_OF_ONE, metadata={"description": "How many of it."})
    gift_periods = Integer(
        load_default=None,
        allow_none=True,
        least=1,
        most=MOST_PERIODS,
        metadata={
            "description": "So many periods of a plan, to be given to somebody; null: for yourself."
        },
    )


class OrderBody(Schema):
    """What to buy."""

    items = fields.List(
        fields.Nested(WantedBody),
        required=True,
        validate=validate.Length(1, MOST_ITEMS),
        metadata={"description": "In the order in which they shall be listed."},
    )
    store_id = Id(
        load_default=None,
        metadata={"description": "The store that sells; the online store if none is named."},
    )
    channel = Text(
        load_default="app",
        validate=validate.OneOf(_OF_MEMBERS),
        metadata={"description": "Where the member orders; some offers are not sold everywhere."},
    )
    buyer = fields.Nested(
        BuyerBody,
        load_default=None,
        allow_none=True,
        metadata={"description": "To whom the e-invoice is made out; on paper if null."},
    )


class PayBody(Schema):
    """How to pay: one of `payment_method`, `card_id` and `by_holder`.

    An order that costs nothing asks for a card that is kept, or (see its plan) for nothing at all.
    """

    EXAMPLE: ClassVar = {"payment_method": "pm_card_visa"}

    payment_method = PaymentMethod(required=False)
    card_id = Id(metadata={"description": "One of your saved cards."})
    by_holder = Flag(
        load_default=False,
        metadata={
            "description": "Pay in the provider's own form, with the client_secret of the answer:"
            " Payment Element on the web, PaymentSheet in the app, wallets."
        },
    )
    save_card = Flag(
        load_default=False,
        metadata={"description": "Keep the card for renewals; a plan keeps it in any case."},
    )

    @validates_schema
    def _refuse_more_than_one(self, loaded: dict[str, Any], **_: Any) -> None:
        ways = ("payment_method" in loaded, "card_id" in loaded, loaded["by_holder"])
        if ways.count(True) > 1:
            raise ValidationError({"payment_method": [_ONE_WAY]})


PLACING = (
    NotFound,
    NotOnSale,
    ChannelNotSold,
    StoreNotSelling,
    MemberLimit,
    MixedCurrencies,
    NotForGiving,
    OrderTooLarge,
    BuyerInvalid,
)
"""What may be refused when an order is placed, wherever that is."""

PAYING = (
    NotFound,
    AlreadyPaid,
    OrderEnded,
    WayOfPayingMissing,
    IntroductionUsed,
    PaymentDeclined,
    PaymentGivenUp,
    NothingToPay,
    CardWanted,
    CardDeclined,
    CardNeedsAuthentication,
)
"""What may be refused when a member pays, or leaves a card for what costs nothing now."""


class OrderItemView(Schema):
    """One line of an order."""

    offer_id = Id(required=True, attribute="offer.id", metadata={"description": "What of."})
    kind = Text(
        required=True,
        attribute="offer.kind",
        validate=validate.OneOf(("pack", "plan")),
        metadata={"description": "A plan renews, a pack does not."},
    )
    name = Text(required=True, attribute="version.name", metadata={"description": "For people."})
    version = Integer(
        required=True, attribute="version.version", metadata={"description": "Of its terms."}
    )
    cups = Integer(
        required=True, attribute="version.cups", metadata={"description": "In each one of it."}
    )
    quantity = Integer(
        required=True, attribute="item.quantity", metadata={"description": "How many of it."}
    )
    gift_periods = Integer(
        required=True,
        allow_none=True,
        attribute="item.gift_periods",
        metadata={"description": "Periods of a plan that are to be given away; null if none."},
    )
    gross = MoneyField(
        required=True,
        attribute="item.gross",
        currency="version.currency",
        metadata={"description": "To be paid for all of them, VAT included."},
    )
    net = MoneyField(
        required=True,
        attribute="item.net",
        currency="version.currency",
        metadata={"description": "Without VAT."},
    )
    vat = MoneyField(
        required=True,
        attribute="item.vat",
        currency="version.currency",
        metadata={"description": "The VAT that is included."},
    )


class OrderView(Schema):
    """An order. Its cups are in the wallet as soon as it is fulfilled."""

    id = Id(required=True, attribute="order.id", metadata={"description": "Opaque."})
    status = Text(
        required=True,
        attribute="order.status",
        validate=validate.OneOf(("pending", "fulfilled", "ended")),
        metadata={"description": "`ended`: it was not paid in time."},
    )
    store_id = Id(required=True, attribute="order.store_id", metadata={"description": "Who sells."})
    channel = Text(
        required=True,
        attribute="order.channel",
        validate=validate.OneOf(("web", "app", "counter")),
        metadata={"description": "Where it was placed."},
    )
    total = MoneyField(
        required=True,
        attribute="order.total",
        currency="order.currency",
        metadata={"description": "VAT included."},
    )
    items = fields.List(
        fields.Nested(OrderItemView), required=True, metadata={"description": "What was ordered."}
    )
    ordered_at = Timestamp(
        required=True, attribute="order.ordered_at", metadata={"description": "When it was placed."}
    )
    ends_at = Timestamp(
        required=True,
        attribute="order.ends_at",
        metadata={"description": "Until when it can be paid."},
    )
    paid_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="order.paid_at",
        metadata={"description": "When its money came; null before."},
    )
    fulfilled_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="order.fulfilled_at",
        metadata={"description": "When its cups were issued; null before."},
    )


class PaymentView(Schema):
    """An attempt to pay an order."""

    id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Opaque; null where the order cost nothing."},
    )
    order_id = Id(required=True, metadata={"description": "What it pays for."})
    status = Text(
        required=True,
        validate=validate.OneOf(
            ("requires_payment_method", "requires_action", "processing", "succeeded")
        ),
        metadata={
            "description": "`requires_payment_method`: the payer is to choose in the provider's"
            " form. `processing`: what came of it is not known yet; read the order."
        },
    )
    amount = MoneyField(required=True, metadata={"description": "VAT included."})
    client_secret = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "For the provider's form, or for the cardholder to authenticate with."
        },
    )


@orders.post(
    "",
    guard=member,
    body=OrderBody,
    answer=OrderView,
    status=201,
    idempotency="answer",
    refusals=PLACING,
)
def place_order(*, caller: MemberCaller, body: dict[str, Any]) -> Ordered:
    """Order packs and plans.

    At the terms that are on sale now; they hold for 30 minutes, in which to pay.
    """
    return vouchers.place_order(
        member_id=caller.member_id, buyer=buyer_in(body), now=clock.now(), **body
    )


@orders.get("", guard=member, query=Page, answer=paged(OrderView))
def list_orders(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List your orders, the newest first."""

    def read(limit: int, after: Position | None) -> Any:
        before = None if after is None else after[0]
        return vouchers.list_orders(member_id=caller.member_id, before=before, limit=limit)

    return page_of(read, query=query, position=lambda one: (one.order.id,))


@orders.get("/<uuid:order_id>", guard=member, answer=OrderView, refusals=(NotFound,))
def get_order(*, caller: MemberCaller, order_id: UUID) -> Ordered:
    """Read one of your orders."""
    return vouchers.get_order(member_id=caller.member_id, order_id=order_id)


@orders.post(
    "/<uuid:order_id>/pay",
    guard=member,
    body=PayBody,
    answer=PaymentView,
    transaction="own",
    idempotency="domain",
    refusals=PAYING,
)
def pay_order(
    *, caller: MemberCaller, order_id: UUID, body: dict[str, Any], key: Key
) -> dict[str, Any]:
    """Pay an order by card, or in the provider's own form.

    An order is charged once, whatever is retried. A key that comes back asks what has become of
    its attempt, so the answer may have moved on. After a refusal take another card, and a new key;
    with a new key another way of paying gives up the one that waits for its payer.

    What costs nothing now (a trial, a free membership) is had at once: its card is kept, and
    charged when something is to be paid.
    """
    paid = vouchers.pay(
        member_id=caller.member_id, order_id=order_id, key=key, now=clock.now(), **body
    )
    if paid.is_replay:
        mark_replayed()
    payment = paid.outcome()
    return _had(caller.member_id, order_id) if payment is None else _shown(payment)


def _had(member_id: UUID, order_id: UUID) -> dict[str, Any]:
    """An order that cost nothing, as it were paid."""
    with transaction():
        order = vouchers.get_order(member_id=member_id, order_id=order_id).order
    return {
        "id": None,
        "order_id": order.id,
        "status": "succeeded",
        "amount": order.total,
        "currency": order.currency,
        "client_secret": None,
    }


def _shown(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "order_id": payment.purpose_id,
        "status": _status(payment),
        "amount": payment.amount,
        "currency": payment.currency,
        "client_secret": payment.client_secret,
    }


def _status(payment: Payment) -> str:
    if payment.by_holder and payment.status == "requires_action":
        return "requires_payment_method"
    return _STATUS[payment.status]
