"""What finance books by hand: proposed by one person, approved by another."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.auth import OfficeCaller, office
from api.fields import Day, Id, Integer, Name, Schema, Text, Timestamp
from api.known import refuse_unknown_offers, refuse_unknown_stores
from api.money import currency_field, positive
from api.paging import Page, page_of, paged
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from kernel.ids import NOBODY
from ledger.errors import (
    AccountNotAdjustable,
    AccountUnknown,
    AdjustmentEnded,
    AdjustmentOneSided,
    AdjustmentUnbalanced,
    AdjustmentUnpaired,
    CounterpartMissing,
    CurrencyUnknown,
    PeriodClosed,
    PeriodInvalid,
    TwoPeople,
)
from ledger.pairing import Leg
from ledger.service import adjusting
from ledger.service.adjusting import Proposed

adjustments = Resource(
    "adjustments", "/v1/adjustments", "Adjustments: what finance books by hand, by two people."
)

_FINANCE = office("finance", "admin")
_MOST_LEGS = 200
_STATES = ("waiting", "approved", "rejected")
_ACCOUNT = validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9.-]{0,19}(?!\n)$")


class LegBody(Schema):
    """One side of an adjustment in one store's book."""

    store_id = Id(required=True, metadata={"description": "In whose book."})
    account = Text(
        required=True,
        validate=_ACCOUNT,
        metadata={"description": "An account of the chart.", "example": "6221"},
    )
    side = Text(
        required=True,
        validate=validate.OneOf(("debit", "credit")),
        metadata={"description": "Which side."},
    )
    amount = positive("In minor units of the adjustment's currency.")
    counterpart_store_id = Id(
        load_default=None,
        metadata={"description": "Which other store, on what stores owe one another."},
    )
    offer_id = Id(load_default=None, metadata={"description": "For what was sold, if it is known."})


class AdjustmentBody(Schema):
    """A correction by hand."""

    book_date = Day(
        required=True,
        metadata={
            "description": "In a month that has begun and is not closed.",
            "example": "2026-01-31",
        },
    )
    currency = currency_field()
    reason = Name(
        required=True,
        most=500,
        metadata={
            "description": "For those who approve and audit it.",
            "example": "Write-off agreed with store B.",
        },
    )
    lines = fields.List(
        fields.Nested(LegBody),
        required=True,
        validate=validate.Length(2, _MOST_LEGS),
        metadata={"description": "Its sides; in each store's book debits equal credits."},
    )


class AdjustmentsQuery(Page):
    """Which adjustments."""

    state = Text(
        load_default="all",
        validate=validate.OneOf(("all", "waiting")),
        metadata={"description": "`waiting`: only those that nobody has decided on."},
    )


class PairView(Schema):
    """One line of the books: a debit, a credit, one amount."""

    store_id = Id(required=True, metadata={"description": "In whose book."})
    debit = Text(required=True, metadata={"description": "The account that is debited."})
    credit = Text(required=True, metadata={"description": "The account that is credited."})
    amount = Integer(required=True, metadata={"description": "In minor units."})
    counterpart_store_id = Id(
        required=True, allow_none=True, metadata={"description": "Which other store, if any."}
    )
    offer_id = Id(
        required=True, allow_none=True, metadata={"description": "What was sold, if it is known."}
    )


class AdjustmentView(Schema):
    """An adjustment, and what became of it."""

    id = Id(required=True, metadata={"description": "To approve it by."})
    state = Text(
        required=True,
        validate=validate.OneOf(_STATES),
        metadata={"description": "It is in the books once it is approved."},
    )
    book_date = Day(required=True, metadata={"description": "On which day it is booked."})
    currency = Text(required=True, metadata={"description": "ISO 4217."})
    reason = Text(required=True, metadata={"description": "Why."})
    lines = fields.List(
        fields.Nested(PairView), required=True, metadata={"description": "As it is booked."}
    )
    proposed_by_id = Id(required=True, metadata={"description": "Who asked for it."})
    proposed_at = Timestamp(required=True, metadata={"description": "When."})
    decided_by_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Who approved or rejected it; null before."},
    )
    decided_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When; null before."}
    )
    owner_id = Id(
        required=True, allow_none=True, metadata={"description": "With `entry_id`, its entry."}
    )
    entry_id = Id(
        required=True, allow_none=True, metadata={"description": "Its entry; null before."}
    )


@adjustments.get(
    "",
    guard=_FINANCE,
    query=AdjustmentsQuery,
    answer=paged(AdjustmentView),
    transaction="snapshot",
)
def list_adjustments(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List adjustments, in the order in which they were proposed."""
    del caller
    page = page_of(
        lambda limit, after: adjusting.list_adjustments(
            is_waiting=query["state"] == "waiting",
            after=after[0] if after else None,
            limit=limit,
        ),
        query=query,
        position=lambda proposed: (proposed.adjustment.id,),
    )
    return {**page, "items": [_told(proposed) for proposed in page["items"]]}


@adjustments.get(
    "/<uuid:adjustment_id>",
    guard=_FINANCE,
    answer=AdjustmentView,
    transaction="snapshot",
    refusals=(NotFound,),
)
def get_adjustment(*, caller: OfficeCaller, adjustment_id: UUID) -> dict[str, Any]:
    """Read an adjustment."""
    del caller
    return _told(adjusting.get(adjustment_id))


@adjustments.post(
    "",
    guard=_FINANCE,
    body=AdjustmentBody,
    answer=AdjustmentView,
    status=201,
    idempotency="answer",
    refusals=(
        PeriodInvalid,
        PeriodClosed,
        AccountUnknown,
        AccountNotAdjustable,
        CurrencyUnknown,
        AdjustmentUnbalanced,
        AdjustmentUnpaired,
        AdjustmentOneSided,
        CounterpartMissing,
    ),
)
def propose_adjustment(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Propose a correction. It is booked when somebody else approves it.

    What is owed to shoppers follows their cups, and is not adjusted; nor does a debt between
    stores change in one book alone.
    """
    lines = [Leg(**leg) for leg in body["lines"]]
    refuse_unknown_stores(_named(lines, "store_id") | _named(lines, "counterpart_store_id"))
    refuse_unknown_offers(_named(lines, "offer_id"))
    made = adjusting.propose(**{**body, "lines": lines}, by_id=caller.staff_id, now=clock.now())
    return _told(adjusting.get(made.id))


@adjustments.post(
    "/<uuid:adjustment_id>/approve",
    guard=_FINANCE,
    answer=AdjustmentView,
    idempotency="answer",
    refusals=(NotFound, AdjustmentEnded, TwoPeople, PeriodClosed),
)
def approve_adjustment(*, caller: OfficeCaller, adjustment_id: UUID) -> dict[str, Any]:
    """Book what somebody else has proposed, on the day that they gave."""
    adjusting.approve(adjustment_id=adjustment_id, by_id=caller.staff_id, now=clock.now())
    return _told(adjusting.get(adjustment_id))


@adjustments.post(
    "/<uuid:adjustment_id>/reject",
    guard=_FINANCE,
    answer=AdjustmentView,
    idempotency="answer",
    refusals=(NotFound, AdjustmentEnded),
)
def reject_adjustment(*, caller: OfficeCaller, adjustment_id: UUID) -> dict[str, Any]:
    """Turn a proposal down, or take your own back."""
    adjusting.reject(adjustment_id=adjustment_id, by_id=caller.staff_id, now=clock.now())
    return _told(adjusting.get(adjustment_id))


def _named(lines: Sequence[Leg], name: str) -> dict[str, UUID | None]:
    return {f"lines.{at}.{name}": getattr(leg, name) for at, leg in enumerate(lines)}


def _told(proposed: Proposed) -> dict[str, Any]:
    one = proposed.adjustment
    state = "waiting"
    if one.approved_at or one.rejected_at:
        state = "approved" if one.approved_at else "rejected"
    return {
        "id": one.id,
        "state": state,
        "book_date": one.book_date,
        "currency": one.currency,
        "reason": one.reason,
        "lines": proposed.pairs,
        "proposed_by_id": one.proposed_by_id,
        "proposed_at": one.proposed_at,
        "decided_by_id": one.approved_by_id or one.rejected_by_id,
        "decided_at": one.approved_at or one.rejected_at,
        "owner_id": NOBODY if one.entry_id else None,
        "entry_id": one.entry_id,
    }
