"""What the payment providers' lists and ours say differently, for finance."""

from typing import Any

from marshmallow import fields

import payments
from api.auth import OfficeCaller, office
from api.catalogue.payments import DIFFERENCES
from api.fields import Id, Integer, Schema, Text, Timestamp
from api.language import language
from api.paging import Page, page_of, paged
from api.routing import Resource
from payments import PaymentDifference

payment_differences = Resource(
    "payment_differences",
    "/v1/payment-differences",
    "Payment differences: what the providers' lists and ours say differently.",
)


class SideView(Schema):
    """A payment, repayment or dispute as one side has it."""

    amount = Integer(required=True, metadata={"description": "Minor units; for TWD whole dollars."})
    currency = Text(
        required=True,
        allow_none=True,
        metadata={"description": "ISO 4217; null where that side does not say."},
    )
    status = Text(required=True, metadata={"description": "What became of it there."})


class PaymentDifferenceView(Schema):
    """Something that nobody can just repair. It is gone once both sides are the same."""

    id = Id(required=True, metadata={"description": "Opaque."})
    provider = Text(required=True, metadata={"description": "Whose list: stripe or terminal."})
    kind = Text(required=True, metadata={"description": ", ".join(DIFFERENCES) + "."})
    meaning = fields.Function(
        lambda one: DIFFERENCES[one.kind][language()],
        required=True,
        metadata={"type": "string", "description": "A sentence, in the caller's language."},
    )
    ref = Text(required=True, metadata={"description": "The provider's name of it."})
    payment_id = Id(
        required=True, allow_none=True, metadata={"description": "Our payment, if there is one."}
    )
    repayment_id = Id(
        required=True, allow_none=True, metadata={"description": "Our repayment, if there is one."}
    )
    ours = fields.Nested(
        SideView,
        required=True,
        allow_none=True,
        attribute="facts.ours",
        metadata={"description": "As we have it; null where we do not."},
    )
    theirs = fields.Nested(
        SideView,
        required=True,
        allow_none=True,
        attribute="facts.theirs",
        metadata={"description": "As the provider showed it; null where it knows nothing."},
    )
    found_at = Timestamp(required=True, metadata={"description": "When it was found."})
    gone_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "When both sides were found the same; null while they differ."},
    )


@payment_differences.get(
    "", guard=office("finance", "admin"), query=Page, answer=paged(PaymentDifferenceView)
)
def list_differences(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List differences: the open ones first, then those that are gone; the newest first.

    Every hour each provider's lists of payments, repayments and disputes are held against ours.
    What is provably the same is repaired by that; the rest is here.
    """
    del caller
    return page_of(
        lambda limit, after: payments.list_differences(
            after=(after[0], after[1], after[2]) if after else None, limit=limit
        ),
        query=query,
        position=_place,
    )


def _place(difference: PaymentDifference) -> tuple[Any, ...]:
    return (difference.gone_at is not None, difference.found_at, difference.id)
