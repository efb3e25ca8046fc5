"""Beginning a plan with a period that somebody has paid for before."""

from typing import Any

from marshmallow import ValidationError, validate, validates_schema

import subs
from api.auth import MemberCaller, member
from api.fields import Id, PaymentMethod, Schema, Text
from api.routing import Resource
from api.subscriptions import SubscriptionView
from kernel import clock
from kernel.errors import NotFound
from subs import NothingPrepaid, Standing
from vouchers import StoreNotSelling

prepaid_plans = Resource(
    "prepaid_plans", "/v1/subscriptions", "Prepaid plans: beginning one that was given."
)


class BeginBody(Schema):
    """Which plan, and what pays when nothing prepaid is left."""

    offer_id = Id(
        required=True,
        metadata={"description": "The plan, as the wallet names it where `benefit` is `periods`."},
    )
    card_id = Id(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "One of your saved cards, charged for the periods that follow; null: it"
            " ends when nothing prepaid is left, unless it is given a card before."
        },
    )
    payment_method = PaymentMethod(required=False)
    store_id = Id(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The store where the member signs up, as with help of its staff: what is"
            " charged later is sold there. Null: where the periods were sold."
        },
    )
    channel = Text(
        load_default="app",
        validate=validate.OneOf(("web", "app")),
        metadata={"description": "Where the member begins it."},
    )

    @validates_schema
    def _one_card(self, body: dict[str, Any], **_: Any) -> None:
        if body.get("card_id") is not None and body.get("payment_method") is not None:
            raise ValidationError("Name the saved card once.", "payment_method")


@prepaid_plans.post(
    "",
    guard=member,
    body=BeginBody,
    answer=SubscriptionView,
    status=201,
    idempotency="answer",
    refusals=(NothingPrepaid, NotFound, StoreNotSelling),
)
def begin_plan(*, caller: MemberCaller, body: dict[str, Any]) -> Standing:
    """Begin a plan now with a prepaid period from your wallet: its first period is paid with it.

    Those that follow take one each, as long as there are any. Nothing is charged before.
    """
    return subs.start_prepaid(member_id=caller.member_id, now=clock.now(), **body)
