"""What stores have paid one another."""

from typing import Any

from marshmallow import ValidationError, fields

from api.auth import OfficeCaller, office
from api.fields import Day, Id, MoneyField, Name, Schema, Text, Timestamp
from api.known import refuse_unknown_stores
from api.money import MoneyBody
from api.paging import Page, page_of, paged
from api.routing import Resource
from api.spans import refuse_odd_day
from kernel import clock
from kernel.ids import NOBODY
from ledger.errors import PeriodInvalid, SettlementExceedsDebt
from ledger.models import SettlementPayment
from ledger.service import settling

settlements = Resource(
    "settlements", "/v1/settlements", "Settlements: what stores have paid one another."
)

_FINANCE = office("finance", "admin")


class SettlementBody(Schema):
    """A payment from a store to another."""

    payer_id = Id(required=True, metadata={"description": "The store that sold the cups."})
    payee_id = Id(required=True, metadata={"description": "The store that made them."})
    amount = fields.Nested(
        MoneyBody,
        required=True,
        metadata={"description": "What was paid: at most what is owed."},
    )
    paid_on = Day(
        required=True,
        metadata={"description": "When, today at the latest.", "example": "2026-02-10"},
    )
    reference = Name(
        required=True,
        metadata={"description": "Of the bank transfer, for people.", "example": "TRF-2026-0210"},
    )


class SettlementView(Schema):
    """A payment from a store to another, in the books of both."""

    id = Id(required=True, metadata={"description": "Opaque."})
    payer_id = Id(required=True, metadata={"description": "The store that sold the cups."})
    payee_id = Id(required=True, metadata={"description": "The store that made them."})
    amount = MoneyField(required=True, metadata={"description": "What was paid."})
    paid_on = Day(required=True, metadata={"description": "When."})
    reference = Text(required=True, metadata={"description": "Of the bank transfer."})
    recorded_by_id = Id(required=True, metadata={"description": "Who of the staff said so."})
    recorded_at = Timestamp(required=True, metadata={"description": "When."})
    owner_id = fields.Constant(
        NOBODY, metadata={"description": "With `entry_id`, its entry.", "format": "uuid"}
    )
    entry_id = Id(required=True, metadata={"description": "Its entry in the books."})


@settlements.get("", guard=_FINANCE, query=Page, answer=paged(SettlementView))
def list_settlements(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List what stores have paid one another, in the order in which it was recorded."""
    del caller
    return page_of(
        lambda limit, after: settling.list_payments(after=after[0] if after else None, limit=limit),
        query=query,
        position=lambda payment: (payment.id,),
    )


@settlements.post(
    "",
    guard=_FINANCE,
    body=SettlementBody,
    answer=SettlementView,
    status=201,
    idempotency="answer",
    refusals=(PeriodInvalid, SettlementExceedsDebt),
)
def record_settlement(*, caller: OfficeCaller, body: dict[str, Any]) -> SettlementPayment:
    """Record that a store has paid another for cups that it had sold and the other made.

    It is booked on the day of the payment, or today if that day's month is no longer open.
    """
    if body["payer_id"] == body["payee_id"]:
        raise ValidationError({"payee_id": ["Is the payer itself."]})
    refuse_odd_day(body["paid_on"], field="paid_on")
    refuse_unknown_stores({name: body[name] for name in ("payer_id", "payee_id")})
    return settling.pay(**{**body, **body["amount"]}, by_id=caller.staff_id, now=clock.now())
