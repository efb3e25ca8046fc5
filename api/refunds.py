"""Refunds: unused cups that are given back for money, which always goes to whoever paid."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema

import vouchers
from api.auth import MemberCaller, OfficeCaller, member, office
from api.fields import Cups, Id, Integer, MoneyField, Name, Schema, Text, Timestamp
from api.language import language
from api.paging import Page, Position, page_of, paged
from api.refund_words import why
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from payments import NothingLeft
from vouchers import (
    CupsFrozen,
    NothingToRefund,
    NotRefundable,
    RefundNotFailed,
    TooFewLeft,
    WholeRestOnly,
    Wish,
)
from vouchers.policy import PURPOSE
from vouchers.refund_queries import Shown, ShownLine

refunds = Resource("refunds", "/v1/refunds", "Refunds: unused cups given back for money.")
office_refunds = Resource(
    "office_refunds", "/v1/office/refunds", "Refunds at the desk: exceptions, and what failed."
)

_FINANCE = office("finance", "admin")
_MOST_LOTS = 50
_REASONS = ("withdrawal", "request", "expiry", "gift_unclaimed", "goodwill")
_STATUSES = ("owed", "paid", "failed")
_CANNOT = (NotFound, NothingToRefund, TooFewLeft, CupsFrozen, NotRefundable, WholeRestOnly)


class RefundLotBody(Schema):
    """So many cups of a lot."""

    lot_id = Id(required=True, metadata={"description": "One of the wallet's lots."})
    cups = Cups(required=True, metadata={"description": "How many of it."})


def _lots(description: str) -> fields.List[Any]:
    return fields.List(
        fields.Nested(RefundLotBody),
        load_default=None,
        validate=validate.Length(1, _MOST_LOTS),
        metadata={"description": description},
    )


class RefundBody(Schema):
    """What to give back: an order, some of its lots, or cups that were a gift."""

    EXAMPLE: ClassVar = {"order_id": "0199b5a0-0000-7000-8000-000000000001"}

    order_id = Id(
        load_default=None,
        metadata={"description": "Of one's own; without `lots` all that is unused of it."},
    )
    lots = _lots("Cups that the caller holds; without `order_id` also those of gifts.")

    @validates_schema
    def _names_something(self, body: dict[str, Any], **_: Any) -> None:
        if body.get("order_id") is None and body.get("lots") is None:
            raise ValidationError("Missing data for required field.", "order_id")


class GoodwillBody(Schema):
    """What finance gives back."""

    order_id = Id(required=True, metadata={"description": "Anybody's order."})
    lots = _lots("Cups of it, whoever holds them; without, what its buyer has not used.")


class SettleBody(Schema):
    """How it was paid."""

    reference = Name(
        required=True,
        most=100,
        metadata={"description": "Of the bank transfer.", "example": "Transfer 88231"},
    )


class RefundLineView(Schema):
    """What comes back of one lot, and why."""

    lot_id = Id(required=True, metadata={"description": "Which lot."})
    gift_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Of which unclaimed gift; null if the cups were in the lot."},
    )
    name = Text(required=True, metadata={"description": "What it was sold as."})
    cups = Integer(required=True, metadata={"description": "How many come back."})
    gross = MoneyField(required=True, metadata={"description": "What they carry, with VAT."})
    kept = MoneyField(
        required=True,
        metadata={
            "description": "Of that for collected cups at list price; negative where more comes"
            " back, kept before for cups whose collection was undone."
        },
    )
    fee = MoneyField(required=True, metadata={"description": "Of that for the chain's trouble."})
    payable = MoneyField(required=True, metadata={"description": "What the payer gets."})
    why = Text(required=True, metadata={"description": "In the caller's language."})


class ComingBackView(Schema):
    """What would come back to one payer, of one payment, by one rule."""

    order_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Which order had paid for it; null for a plan's renewal."},
    )
    reason = Text(
        required=True,
        validate=validate.OneOf(_REASONS),
        metadata={"description": "`withdrawal`: within the days in which an online sale can be."},
    )
    basis = Text(
        required=True,
        validate=validate.OneOf(("allocated", "list_price")),
        metadata={
            "description": "`allocated`: what unused cups carry of the price; `list_price`: what"
            " was paid, less collected cups at list price."
        },
    )
    gross = MoneyField(required=True, metadata={"description": "What the cups carry."})
    kept = MoneyField(required=True, metadata={"description": "Kept for collected cups."})
    fee = MoneyField(required=True, metadata={"description": "The fee, VAT included."})
    payable = MoneyField(required=True, metadata={"description": "What the payer gets."})
    lines = fields.List(
        fields.Nested(RefundLineView), required=True, metadata={"description": "Lot by lot."}
    )


class RefundView(ComingBackView):
    """A refund, and whether its money has arrived."""

    id = Id(required=True, metadata={"description": "Opaque."})
    status = Text(
        required=True,
        validate=validate.OneOf(_STATUSES),
        metadata={"description": "`failed`: the provider could not bring it; it is still owed."},
    )
    refunded_at = Timestamp(required=True, metadata={"description": "When the cups came back."})
    paid_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "When the money arrived; null before."},
    )


class PreviewView(Schema):
    """What would come back, if it were asked for now."""

    refunds = fields.List(
        fields.Nested(ComingBackView),
        required=True,
        metadata={"description": "One for each payment and rule."},
    )


class RefundsMadeView(Schema):
    """What came back."""

    refunds = fields.List(
        fields.Nested(RefundView),
        required=True,
        metadata={"description": "One for each payment and rule."},
    )


class OfficeRefundView(RefundView):
    """A refund as finance sees it."""

    payer_id = Id(required=True, metadata={"description": "Whose money it is."})
    asked_by_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Which member or colleague asked; null if it came by itself."},
    )
    settled_by_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Who has paid it in another way; null if nobody has."},
    )
    settled_reference = Text(
        required=True, allow_none=True, metadata={"description": "By which transfer; or null."}
    )


class OfficeRefundsMadeView(Schema):
    """What finance gave back."""

    refunds = fields.List(
        fields.Nested(OfficeRefundView),
        required=True,
        metadata={"description": "One for each payment and rule."},
    )


class OfficeRefundsQuery(Page):
    """Which refunds."""

    status = Text(
        load_default=None,
        validate=validate.OneOf(_STATUSES),
        metadata={"description": "Only those that are so; all without."},
    )


@refunds.post(
    "",
    guard=member,
    body=RefundBody,
    answer=RefundsMadeView,
    status=201,
    idempotency="answer",
    refusals=(*_CANNOT, NothingLeft),
)
def make_refund(*, caller: MemberCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Give unused cups back.

    The money goes to whoever paid for them, the way it came. What would come back is shown by the
    preview, which answers the same numbers.
    """
    made = vouchers.refund(
        Wish(caller.member_id, **body), asked_by_id=caller.member_id, now=clock.now()
    )
    return {"refunds": [_told(one) for one in vouchers.show(made)]}


@refunds.post("/preview", guard=member, body=RefundBody, answer=PreviewView, refusals=_CANNOT)
def preview_refund(*, caller: MemberCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Say what would come back, line by line and why. Nothing happens."""
    decided = vouchers.preview(Wish(caller.member_id, **body), now=clock.now())
    return {"refunds": [_told(vouchers.shown_decision(one)) for one in decided]}


@refunds.get("", guard=member, query=Page, answer=paged(RefundView))
def list_refunds(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the refunds that were made to you, the newest first."""
    return _page(query, member_id=caller.member_id, status=None)


@refunds.get("/<uuid:refund_id>", guard=member, answer=RefundView, refusals=(NotFound,))
def get_refund(*, caller: MemberCaller, refund_id: UUID) -> dict[str, Any]:
    """Read a refund that was made to you, or that you asked for."""
    return _told(vouchers.get_refund(refund_id, member_id=caller.member_id))


@office_refunds.get("", guard=_FINANCE, query=OfficeRefundsQuery, answer=paged(OfficeRefundView))
def list_all_refunds(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List all refunds, the newest first; those that failed want somebody."""
    del caller
    return _page(query, member_id=None, status=query["status"])


@office_refunds.get(
    "/<uuid:any_refund_id>", guard=_FINANCE, answer=OfficeRefundView, refusals=(NotFound,)
)
def get_any_refund(*, caller: OfficeCaller, any_refund_id: UUID) -> dict[str, Any]:
    """Read a refund."""
    del caller
    return _told(vouchers.get_refund(any_refund_id))


@office_refunds.post(
    "",
    guard=_FINANCE,
    body=GoodwillBody,
    answer=OfficeRefundsMadeView,
    status=201,
    idempotency="answer",
    refusals=(*_CANNOT, NothingLeft),
)
def make_goodwill_refund(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Give an order's unused cups back out of goodwill: whatever its terms, and without a fee.

    Who did so stays with it. Its money, too, goes to whoever paid.
    """
    made = vouchers.refund(Wish(None, **body), asked_by_id=caller.staff_id, now=clock.now())
    return {"refunds": [_told(one) for one in vouchers.show(made)]}


@office_refunds.post(
    "/<uuid:any_refund_id>/retry",
    guard=_FINANCE,
    answer=OfficeRefundView,
    idempotency="answer",
    refusals=(NotFound, RefundNotFailed, NothingLeft),
)
def retry_refund(*, caller: OfficeCaller, any_refund_id: UUID) -> dict[str, Any]:
    """Have the provider try again to bring the money of a refund that failed."""
    del caller
    refund = vouchers.retry(refund_id=any_refund_id, now=clock.now())
    return _told(vouchers.show([refund])[0])


@office_refunds.post(
    "/<uuid:any_refund_id>/settle-otherwise",
    guard=_FINANCE,
    body=SettleBody,
    answer=OfficeRefundView,
    idempotency="answer",
    refusals=(NotFound, RefundNotFailed, NothingLeft),
)
def settle_refund_otherwise(
    *, caller: OfficeCaller, any_refund_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Write down that a refund that failed was paid by bank transfer, and book it."""
    refund = vouchers.settle_otherwise(
        refund_id=any_refund_id,
        by_id=caller.staff_id,
        reference=body["reference"],
        now=clock.now(),
    )
    return _told(vouchers.show([refund])[0])


def _page(query: dict[str, Any], *, member_id: UUID | None, status: str | None) -> dict[str, Any]:
    def read(limit: int, after: Position | None) -> Sequence[Shown]:
        before = None if after is None else after[0]
        return vouchers.list_refunds(member_id=member_id, status=status, before=before, limit=limit)

    page = page_of(read, query=query, position=_position)
    return {**page, "items": [_told(one) for one in page["items"]]}


def _position(shown: Shown) -> Position:
    assert shown.refund is not None  # only refunds are listed
    return (shown.refund.id,)


def _told(shown: Shown) -> dict[str, Any]:
    """A refund or what would be one, as a dict; of the latter only what there is."""
    told: dict[str, Any] = {
        "order_id": shown.purpose_id if shown.purpose == PURPOSE else None,
        "lines": [_line(line) for line in shown.lines],
    }
    names = ("reason", "basis", "currency", "gross", "kept", "fee", "payable")
    told |= {name: getattr(shown, name) for name in names}
    if shown.refund is not None:
        kept = ("id", "status", "refunded_at", "paid_at", "payer_id", "asked_by_id",
                "settled_by_id", "settled_reference")  # fmt: skip
        told |= {name: getattr(shown.refund, name) for name in kept}
    return told


def _line(line: ShownLine) -> dict[str, Any]:
    names = ("lot_id", "gift_id", "name", "cups", "currency", "gross", "kept", "fee", "payable")
    return {name: getattr(line, name) for name in names} | {"why": why(line, language())}
