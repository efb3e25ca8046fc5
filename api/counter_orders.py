"""Packs sold at the counter, for cash or with the terminal beside the till."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema

import members
import redemption
import vouchers
from api.auth import TillCaller, till
from api.buyers import BuyerBody, buyer_in
from api.fields import Id, MoneyField, Schema, Text
from api.idempotency import mark_replayed
from api.orders import MOST_ITEMS, PLACING, OrderView, WantedBody
from api.routing import Resource
from api.sign_in import AS_DIALLED
from kernel import clock
from kernel.errors import NotFound, RateLimited
from kernel.idempotency import Key
from members import PhoneUnsupported
from payments import Payment, PaymentUnderWay, ShiftClosed, TerminalNotSetUp
from payments.policy import told
from redemption.errors import TokenExpired, TokenInvalid
from vouchers import AlreadyPaid, AtTill, CounterSale, IntroductionUsed, OrderEnded, OwnOrder

counter_orders = Resource(
    "counter_orders", "/v1/counter-orders", "Counter orders: sold and paid at a till."
)

_METHODS = ("cash", "terminal")
_ONE_OF = "Give one of phone and code."

_STATUS = {
    "intent": "processing",
    "processing": "processing",
    "requires_action": "processing",
    "succeeded": "succeeded",
    "surplus": "returned",
    "failed": "failed",
    "cancelled": "failed",
}


class BuyingMemberBody(Schema):
    """Who buys: by a phone they say, or by the code that their wallet shows."""

    EXAMPLE: ClassVar = {"phone": "0912345678"}

    phone = Text(
        most=25,
        validate=AS_DIALLED,
        metadata={
            "description": "A Taiwanese mobile number. Whoever has it joins with it.",
            "example": "0912345678",
        },
    )
    code = Text(
        least=1,
        most=200,
        metadata={"description": "The text of the wallet's QR, or the eight characters under it."},
    )

    @validates_schema
    def _refuse_other_than_one(self, loaded: dict[str, Any], **_: Any) -> None:
        if len(loaded) != 1:
            raise ValidationError({"phone": [_ONE_OF]})


class CounterOrderBody(Schema):
    """What is sold to whom, and how it is paid."""

    items = fields.List(
        fields.Nested(WantedBody),
        required=True,
        validate=validate.Length(1, MOST_ITEMS),
        metadata={"description": "In the order in which they shall be listed."},
    )
    member = fields.Nested(
        BuyingMemberBody, required=True, metadata={"description": "Whose wallet gets the cups."}
    )
    method = Text(
        required=True,
        validate=validate.OneOf(_METHODS),
        metadata={"description": "Cash, or the card terminal beside this till."},
    )
    buyer = fields.Nested(
        BuyerBody,
        load_default=None,
        allow_none=True,
        metadata={"description": "To whom the e-invoice is made out; on paper if null."},
    )


class CounterPayBody(Schema):
    """How it is paid."""

    method = Text(
        required=True,
        validate=validate.OneOf(_METHODS),
        metadata={"description": "Cash, or the card terminal beside this till."},
    )


class CounterPaymentView(Schema):
    """The last attempt to be paid."""

    id = Id(required=True, metadata={"description": "Opaque."})
    method = Text(
        required=True,
        validate=validate.OneOf((*_METHODS, "online")),
        metadata={"description": "`online`: the member paid it in the app."},
    )
    status = Text(
        required=True,
        validate=validate.OneOf(("processing", "succeeded", "failed", "returned")),
        metadata={
            "description": "`processing`: the terminal waits for the card; ask again."
            " `returned`: it came too late, and goes back."
        },
    )
    amount = MoneyField(required=True, metadata={"description": "To be taken, VAT included."})
    decline_code = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Why it failed, as the cardholder may hear it; else null."},
    )


class CounterOrderView(Schema):
    """An order of a counter, and how far it is paid."""

    order = fields.Nested(
        OrderView,
        required=True,
        attribute="ordered",
        metadata={"description": "Its cups are in the wallet as soon as it is fulfilled."},
    )
    payment = fields.Nested(
        CounterPaymentView,
        required=True,
        allow_none=True,
        metadata={"description": "Null before anything was asked."},
    )


_TAKING = (PaymentUnderWay, ShiftClosed, TerminalNotSetUp)


@counter_orders.post(
    "",
    guard=till,
    body=CounterOrderBody,
    answer=CounterOrderView,
    status=201,
    transaction="own",
    idempotency="domain",
    refusals=(
        *PLACING, *_TAKING, IntroductionUsed, OwnOrder, PhoneUnsupported, TokenInvalid,
        TokenExpired, RateLimited,
    ),
)  # fmt: skip
def sell(*, caller: TillCaller, body: dict[str, Any], key: Key) -> dict[str, Any]:
    """Sell packs and plans at the till.

    For cash the cups are in the wallet with the answer. With `terminal` the terminal beside the
    till asks for the card meanwhile: ask `…/pay` until it has succeeded or failed. A retry with the
    same key sells nothing twice.
    """
    sold = vouchers.sell_at_counter(
        till=_till(caller),
        buyer_id=finding(caller, body["member"]),
        items=body["items"],
        method=body["method"],
        invoice_to=buyer_in(body),
        key=key,
        now=clock.now(),
    )
    return _shown(sold)


@counter_orders.get("/<uuid:order_id>", guard=till, answer=CounterOrderView, refusals=(NotFound,))
def get_counter_order(*, caller: TillCaller, order_id: UUID) -> dict[str, Any]:
    """Look at an order of this store's counters."""
    return _shown(vouchers.get_counter_sale(till=_till(caller), order_id=order_id))


@counter_orders.post(
    "/<uuid:order_id>/pay",
    guard=till,
    body=CounterPayBody,
    answer=CounterOrderView,
    transaction="own",
    idempotency="domain",
    refusals=(NotFound, AlreadyPaid, OrderEnded, IntroductionUsed, *_TAKING),
)
def pay_counter_order(
    *, caller: TillCaller, order_id: UUID, body: dict[str, Any], key: Key
) -> dict[str, Any]:
    """Have an order paid, or hear what became of the attempt that this key has begun.

    Where the terminal waits for a card, another key asks about the same attempt. After a refusal a
    new key tries again; with `cash` what the terminal waits for is given up.
    """
    return _shown(
        vouchers.pay_at_counter(
            till=_till(caller), order_id=order_id, key=key, now=clock.now(), **body
        )
    )


def _till(caller: TillCaller) -> AtTill:
    return AtTill(caller.shift_id, caller.device_id, caller.store_id, caller.staff_id)


def finding(caller: TillCaller, member: dict[str, str]) -> Callable[[], UUID]:
    """How to find out who buys."""
    if "code" in member:
        return lambda: redemption.member_of_code(
            code=member["code"], device_id=caller.device_id, now=clock.now()
        )
    return lambda: members.member_of_phone(phone=member["phone"], now=clock.now())


def _shown(sold: CounterSale) -> dict[str, Any]:
    if sold.is_replay:
        mark_replayed()
    return {"ordered": sold.ordered, "payment": sold.payment and _payment(sold.payment)}


def _payment(payment: Payment) -> dict[str, Any]:
    status = _STATUS[payment.status]
    return {
        "id": payment.id,
        "method": payment.provider if payment.provider in _METHODS else "online",
        "status": status,
        "amount": payment.amount,
        "currency": payment.currency,
        "decline_code": told(payment.failure) if status == "failed" else None,
    }
