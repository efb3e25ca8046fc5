"""Voids that come after the store's time: finance asks, a second person decides."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

import redemption
from api.auth import OfficeCaller, office
from api.fields import Id, Integer, Name, Schema, Text, Timestamp
from api.paging import Page, page_of, paged
from api.routing import Resource
from api.scans import MOST_DRINKS
from api.voided_items import VoidedItemBody, cups_by_product
from kernel import clock
from kernel.errors import NotFound
from ledger.errors import TwoPeople
from redemption.errors import (
    AlreadyVoided,
    LateVoidDecided,
    LateVoidWaits,
    NotSoManyTaken,
    OwnWallet,
)
from redemption.models import LateVoid

late_voids = Resource(
    "late_voids", "/v1/late-voids", "Late voids: redemptions undone after the store's own time."
)

_FINANCE = office("finance", "admin")
_STATES = ("waiting", "approved", "rejected")


class LateVoidBody(Schema):
    """What shall be undone, and why."""

    redemption_id = Id(required=True, metadata={"description": "The redemption."})
    items = fields.List(
        fields.Nested(VoidedItemBody),
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, MOST_DRINKS),
        metadata={"description": "Which cups of it; all that is left where it is left out."},
    )
    reason = Name(
        required=True, most=500, metadata={"description": "For those who approve and audit it."}
    )


class LateVoidsQuery(Page):
    """Which requests."""

    state = Text(
        load_default="all",
        validate=validate.OneOf(("all", "waiting")),
        metadata={"description": "`waiting`: only those that nobody has decided on."},
    )


class AskedItemView(Schema):
    """Cups of one drink."""

    product_id = Id(required=True, metadata={"description": "The drink."})
    cups = Integer(required=True, metadata={"description": "How many of it."})


class LateVoidView(Schema):
    """A request, and what became of it."""

    id = Id(required=True, metadata={"description": "To approve it by."})
    state = Text(
        required=True,
        validate=validate.OneOf(_STATES),
        metadata={"description": "Cups and money are back once it is approved."},
    )
    redemption_id = Id(required=True, metadata={"description": "The redemption."})
    items = fields.List(
        fields.Nested(AskedItemView),
        required=True,
        metadata={"description": "Which cups of it; none for all that is left."},
    )
    reason = Text(required=True, metadata={"description": "Why."})
    asked_by_id = Id(required=True, metadata={"description": "Who asked for it."})
    asked_at = Timestamp(required=True, metadata={"description": "When."})
    decided_by_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "Who approved or rejected it; null before."},
    )
    decided_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When; null before."}
    )


@late_voids.get("", guard=_FINANCE, query=LateVoidsQuery, answer=paged(LateVoidView))
def list_late_voids(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List requests, the newest first."""
    del caller
    page = page_of(
        lambda limit, after: redemption.list_late_voids(
            is_waiting=query["state"] == "waiting",
            limit=limit,
            after=after[0] if after else None,
        ),
        query=query,
        position=lambda one: (one.id,),
    )
    return {**page, "items": [_told(one) for one in page["items"]]}


@late_voids.post(
    "",
    guard=_FINANCE,
    body=LateVoidBody,
    answer=LateVoidView,
    status=201,
    idempotency="answer",
    refusals=(NotFound, AlreadyVoided, NotSoManyTaken, LateVoidWaits, OwnWallet),
)
def ask_late_void(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Ask that a redemption be undone, at whatever store and however late.

    Nothing moves until somebody else approves it.
    """
    asked = redemption.ask_late_void(
        redemption_id=body["redemption_id"],
        items=cups_by_product(body["items"]),
        reason=body["reason"],
        asked_by_id=caller.staff_id,
        now=clock.now(),
    )
    return _told(asked)


@late_voids.post(
    "/<uuid:late_void_id>/approve",
    guard=_FINANCE,
    answer=LateVoidView,
    idempotency="answer",
    refusals=(
        NotFound,
        LateVoidDecided,
        TwoPeople,
        AlreadyVoided,
        NotSoManyTaken,
        OwnWallet,
    ),
)
def approve_late_void(*, caller: OfficeCaller, late_void_id: UUID) -> dict[str, Any]:
    """Undo what somebody else has asked to be undone: cups and money go back."""
    decided = redemption.approve_late_void(
        late_void_id=late_void_id, approved_by_id=caller.staff_id, now=clock.now()
    )
    return _told(decided)


@late_voids.post(
    "/<uuid:late_void_id>/reject",
    guard=_FINANCE,
    answer=LateVoidView,
    idempotency="answer",
    refusals=(NotFound, LateVoidDecided),
)
def reject_late_void(*, caller: OfficeCaller, late_void_id: UUID) -> dict[str, Any]:
    """Turn a request down, or take your own back."""
    decided = redemption.reject_late_void(
        late_void_id=late_void_id, rejected_by_id=caller.staff_id, now=clock.now()
    )
    return _told(decided)


def _told(one: LateVoid) -> dict[str, Any]:
    state = "waiting"
    if one.decided_at is not None:
        state = "approved" if one.is_approved else "rejected"
    return {
        "id": one.id,
        "state": state,
        "redemption_id": one.redemption_id,
        "items": [
            {"product_id": product_id, "cups": cups} for product_id, cups in one.items.items()
        ],
        "reason": one.reason,
        "asked_by_id": one.asked_by_id,
        "asked_at": one.asked_at,
        "decided_by_id": one.decided_by_id,
        "decided_at": one.decided_at,
    }
