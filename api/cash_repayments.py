"""Cash that goes back to its payer, over the counter."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

import payments
from api.auth import TillCaller, till
from api.counter_orders import BuyingMemberBody, finding
from api.fields import Id, MoneyField, Schema, Text, Timestamp
from api.paging import Page, page_of, paged
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound, RateLimited
from members import PhoneUnsupported
from payments import HandedOut, Repayment, ShiftClosed
from redemption.errors import TokenExpired, TokenInvalid

cash_repayments = Resource(
    "cash_repayments", "/v1/cash-repayments", "Cash repayments: cash that goes back to its payer."
)


class HandOutBody(Schema):
    """Who stands there."""

    member = fields.Nested(
        BuyingMemberBody,
        required=True,
        metadata={"description": "The payer: nobody else gets the money."},
    )


class CashRepaymentView(Schema):
    """Cash that somebody is to get back."""

    id = Id(required=True, metadata={"description": "To hand it out by."})
    status = Text(
        required=True,
        validate=validate.OneOf(("processing", "succeeded")),
        metadata={"description": "`processing`: it waits in the drawer."},
    )
    amount = MoneyField(required=True, metadata={"description": "What is handed out."})
    created_at = Timestamp(required=True, metadata={"description": "Since when it waits."})
    settled_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was handed out."}
    )


@cash_repayments.get("", guard=till, query=Page, answer=paged(CashRepaymentView))
def list_cash_repayments(*, caller: TillCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the cash that waits to be handed out, at whichever store, the longest waiting first."""
    del caller
    return page_of(
        lambda limit, after: payments.list_to_hand_out(
            after=after[0] if after else None, limit=limit
        ),
        query=query,
        position=lambda one: (one.id,),
    )


@cash_repayments.post(
    "/<uuid:repayment_id>/hand-out",
    guard=till,
    body=HandOutBody,
    answer=CashRepaymentView,
    idempotency="answer",
    refusals=(
        NotFound,
        HandedOut,
        ShiftClosed,
        PhoneUnsupported,
        TokenInvalid,
        TokenExpired,
        RateLimited,
    ),
)
def hand_out(*, caller: TillCaller, repayment_id: UUID, body: dict[str, Any]) -> Repayment:
    """Hand cash out to its payer, once, from this shift's drawer.

    The payer says the phone they bought with, or shows the code of their wallet; for anybody else
    there is no such repayment.
    """
    payer_id = finding(caller, body["member"])()
    repayment = payments.get_repayment(repayment_id)
    if repayment.member_id != payer_id:
        raise NotFound
    return payments.hand_out(repayment_id=repayment_id, shift_id=caller.shift_id, now=clock.now())
