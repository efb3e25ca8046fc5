"""What was served without a network and waits for a person."""

import re
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.auth import OfficeCaller, office
from api.fields import Id, Integer, Name, Schema, Text, Timestamp
from api.language import language
from api.offline_words import told
from api.paging import Page, page_of, paged
from api.routing import Resource
from chain import StoreScope
from kernel import clock
from kernel.errors import NotFound, Refusal
from redemption import offline
from redemption.models import REMEDIES, OfflineItem
from redemption.offline import ALL_REASONS, Meant, Waiting, allowed_for
from redemption.offline.errors import AlreadyResolved, NothingToCharge, RemedyNotAllowed

offline_reviews = Resource(
    "offline_reviews",
    "/v1/offline-reviews",
    "Offline reviews: cups served without a network that wait for a person.",
)

_AT_DESK = office("manager", "finance", "admin")
_MOST_AT_ONCE = 100
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_HASH = r"^[0-9a-f]{64}(?!\n)$"


class ReviewsQuery(Page):
    """Which items."""

    store_id = Id(load_default=None, metadata={"description": "Only those of one store."})
    reason = Text(
        load_default=None,
        validate=validate.OneOf(ALL_REASONS),
        metadata={"description": "Only those of one reason."},
    )


class ReviewView(Schema):
    """An item that waits, or has waited, for a person."""

    device_id = Id(required=True, metadata={"description": "Whose log it is of."})
    number = Integer(required=True, metadata={"description": "Its number in that."})
    hash = fields.Function(
        lambda row: row.hash.hex(),
        required=True,
        metadata={"type": "string", "description": "Tells two items of one number apart."},
    )
    store_id = Id(required=True, metadata={"description": "Where it was served."})
    staff_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "By whom; null if by nobody known."},
    )
    product_id = Id(
        required=True, allow_none=True, metadata={"description": "What; null if nothing known."}
    )
    cups = Integer(required=True, metadata={"description": "How many."})
    cups_borne = Integer(
        required=True, metadata={"description": "How many of them the chain bears, so far."}
    )
    redemption_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "What it took from a wallet; null where nothing."},
    )
    served_at = Timestamp(required=True, metadata={"description": "When, by the till's clock."})
    received_at = Timestamp(required=True, metadata={"description": "When it became known."})
    outcome = Text(
        required=True,
        validate=validate.OneOf(("overdrawn", "review")),
        metadata={"description": "Overdrawn: only to be acknowledged; review: to be decided."},
    )
    reason = Text(
        required=True, validate=validate.OneOf(ALL_REASONS), metadata={"description": "Why."}
    )
    cause = fields.Function(
        lambda row: told(row.reason, language()).cause,
        required=True,
        metadata={"type": "string", "description": "The reason, in the caller's language."},
    )
    advice = fields.Function(
        lambda row: told(row.reason, language()).remedy,
        required=True,
        metadata={"type": "string", "description": "What to do, in the caller's language."},
    )
    remedies = fields.Function(
        lambda row: list(allowed_for(row.reason)),
        required=True,
        metadata={
            "type": "array",
            "items": {"type": "string", "enum": list(REMEDIES)},
            "description": "Which remedies go with the reason.",
        },
    )
    remedy = Text(
        required=True,
        allow_none=True,
        validate=validate.OneOf(REMEDIES),
        metadata={"description": "What was decided; null while it waits."},
    )
    note = Text(required=True, allow_none=True, metadata={"description": "Why it was decided so."})
    resolved_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When; null while it waits."}
    )
    resolved_by_id = Id(
        required=True, allow_none=True, metadata={"description": "By whom; null while it waits."}
    )


def _which() -> Text:
    """Which item is meant, by the hash of its text."""
    return Text(
        load_default=None,
        allow_none=True,
        most=64,
        validate=validate.Regexp(_HASH),
        metadata={"description": "Which item is meant, where a number was used twice."},
    )


class DecisionBody(Schema):
    """What is decided."""

    remedy = Text(
        required=True,
        validate=validate.OneOf(REMEDIES),
        metadata={
            "description": "charged: taken from the wallet as it is now; borne: by the chain;"
            " dismissed: it never happened."
        },
    )
    note = Name(
        load_default=None,
        allow_none=True,
        most=500,
        metadata={"description": "For those who audit it."},
    )


class RemedyBody(DecisionBody):
    """What is decided about an item."""

    hash = _which()


class MeantBody(Schema):
    """One of the items."""

    device_id = Id(required=True, metadata={"description": "Whose log it is of."})
    number = Integer(required=True, least=1, metadata={"description": "Its number in that."})
    hash = _which()


class RemediesBody(DecisionBody):
    """What is decided about many items alike."""

    items = fields.List(
        fields.Nested(MeantBody),
        required=True,
        validate=validate.Length(1, _MOST_AT_ONCE),
        metadata={"description": "At most 100."},
    )


class DecidedView(Schema):
    """What became of one of the items."""

    device_id = Id(required=True, metadata={"description": "Whose log it is of."})
    number = Integer(required=True, metadata={"description": "Its number in that."})
    problem = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "Why it stays as it is: the slug of the problem; null if it was decided."
        },
    )
    item = fields.Nested(
        ReviewView,
        required=True,
        allow_none=True,
        metadata={"description": "The item as it is now; null where there is a problem."},
    )


class AllDecidedView(Schema):
    """What became of each of the items."""

    items = fields.List(
        fields.Nested(DecidedView),
        required=True,
        metadata={"description": "In the order in which they were named."},
    )


@offline_reviews.get("", guard=_AT_DESK, query=ReviewsQuery, answer=paged(ReviewView),
                     refusals=(StoreScope,))  # fmt: skip
def list_offline_reviews(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List what waits, the longest waiting first. Managers: of their own stores."""
    return page_of(
        lambda limit, after: offline.list_reviews(
            staff_id=caller.staff_id,
            role=caller.role,
            store_id=query["store_id"],
            reason=query["reason"],
            after=_waiting(after) if after else None,
            limit=limit,
        ),
        query=query,
        position=lambda row: (row.received_at, row.device_id, row.number, row.hash.hex()),
    )


@offline_reviews.post(
    "/resolve", guard=_AT_DESK, body=RemediesBody, answer=AllDecidedView, idempotency="answer"
)
def resolve_offline_reviews(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Decide the same about many items. Managers: of their own stores.

    Each is decided as if it were alone: about which it cannot be, the answer says why, and it
    waits on.
    """
    meant = [
        Meant(one["device_id"], one["number"], one["hash"] and bytes.fromhex(one["hash"]))
        for one in body["items"]
    ]
    decided = offline.resolve_each(
        meant=meant,
        remedy=body["remedy"],
        note=body["note"],
        staff_id=caller.staff_id,
        role=caller.role,
        now=clock.now(),
    )
    return {"items": [_decided(*both) for both in zip(meant, decided, strict=True)]}


def _decided(one: Meant, became: OfflineItem | Refusal) -> dict[str, Any]:
    if isinstance(became, Refusal):
        told: dict[str, Any] = {"problem": became.code, "item": None}
    else:
        told = {"problem": None, "item": became}
    return {"device_id": one.device_id, "number": one.number, **told}


@offline_reviews.post(
    "/<uuid:device_id>/<item_number>/resolve",
    guard=_AT_DESK,
    body=RemedyBody,
    answer=ReviewView,
    idempotency="answer",
    refusals=(NotFound, StoreScope, AlreadyResolved, RemedyNotAllowed, NothingToCharge),
)
def resolve_offline_review(
    *, caller: OfficeCaller, device_id: UUID, item_number: str, body: dict[str, Any]
) -> OfflineItem:
    """Decide about an item, once. Managers: of their own stores.

    What is charged is booked today, and never more than the capsule was good for; what the wallet
    does not have the chain bears.
    """
    return offline.resolve(
        device_id=device_id,
        number=_number(item_number),
        item_hash=body["hash"] and bytes.fromhex(body["hash"]),
        remedy=body["remedy"],
        note=body["note"],
        staff_id=caller.staff_id,
        role=caller.role,
        now=clock.now(),
    )


def _number(text: str) -> int:
    """The number of an item in an address.

    Raises:
        NotFound: it is none.
    """
    if not _NUMBER.fullmatch(text):
        raise NotFound
    return int(text)


def _waiting(after: tuple[Any, ...]) -> Waiting:
    received_at, device_id, number, item_hash = after
    return Waiting(received_at, device_id, number, bytes.fromhex(item_hash))
