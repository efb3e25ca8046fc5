"""A member's subscriptions: what is renewed when, with which card, and how to end it."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

import subs
from api.auth import MemberCaller, member
from api.fields import Id, Integer, MoneyField, PaymentMethod, Schema, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from payments import CardDeclined, CardNeedsAuthentication
from subs import Standing, SubscriptionEnded

subscriptions = Resource(
    "subscriptions", "/v1/subscriptions", "Subscriptions: a member's plans and their renewal."
)

_STATUS = ("active", "past_due", "cancelled", "lapsed")


class SubscribedPlanView(Schema):
    """The plan, on the terms it was sold on."""

    code = Text(required=True, metadata={"description": "The plan's code."})
    name = Text(required=True, attribute="version.name", metadata={"description": "For people."})
    version = Integer(
        required=True, attribute="version.version", metadata={"description": "Of its terms."}
    )
    cups = Integer(
        required=True, attribute="version.cups", metadata={"description": "In each period."}
    )
    price = MoneyField(
        required=True,
        attribute="version.price",
        currency="version.currency",
        metadata={"description": "Of each period, VAT included."},
    )


class PeriodView(Schema):
    """An interval of a subscription, its end not included."""

    number = Integer(required=True, metadata={"description": "Counted from 1."})
    starts_at = Timestamp(required=True, metadata={"description": "The first moment of it."})
    ends_at = Timestamp(required=True, metadata={"description": "The first moment after it."})


class CardView(Schema):
    """What a shopper recognises a card by."""

    brand = Text(required=True, metadata={"description": "Such as `visa`."})
    last4 = Text(required=True, metadata={"description": "The last four digits."})


class SubscriptionView(Schema):
    """A subscription. The cups that are left of it are in the wallet."""

    id = Id(required=True, attribute="subscription.id", metadata={"description": "Opaque."})
    plan = fields.Nested(SubscribedPlanView, required=True, metadata={"description": "What of."})
    status = Text(
        required=True,
        attribute="subscription.status",
        validate=validate.OneOf(_STATUS),
        metadata={"description": "`past_due`: a renewal was not paid and is tried again."},
    )
    cancel_at_end = fields.Boolean(
        required=True,
        attribute="subscription.cancel_at_end",
        metadata={"description": "Whether it ends with the current period."},
    )
    current_period = fields.Nested(
        PeriodView,
        required=True,
        attribute="period",
        metadata={"description": "The last one that was paid."},
    )
    next_charge_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "When the card is charged next; null if it is not."},
    )
    card = fields.Nested(
        CardView,
        required=True,
        allow_none=True,
        metadata={"description": "Charged at renewal; null if none was saved."},
    )
    client_secret = Text(
        required=True,
        allow_none=True,
        attribute="waiting.client_secret",
        dump_default=None,
        metadata={"description": "With which to authenticate the payment that waits for that."},
    )
    started_at = Timestamp(
        required=True,
        attribute="subscription.started_at",
        metadata={"description": "When its first period was paid."},
    )
    ended_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="subscription.ended_at",
        metadata={"description": "When it was over; null while it is not."},
    )


class CardBody(Schema):
    """Another card."""

    payment_method = PaymentMethod()


@subscriptions.get("", guard=member, query=Page, answer=paged(SubscriptionView))
def list_subscriptions(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List your subscriptions, the newest first; also those that have ended."""

    def read(limit: int, after: Position | None) -> list[Standing]:
        before = None if after is None else after[0]
        return subs.list_standings(member_id=caller.member_id, before=before, limit=limit)

    return page_of(read, query=query, position=lambda one: (one.subscription.id,))


@subscriptions.get(
    "/<uuid:subscription_id>", guard=member, answer=SubscriptionView, refusals=(NotFound,)
)
def get_subscription(*, caller: MemberCaller, subscription_id: UUID) -> Standing:
    """Read one of your subscriptions."""
    return subs.get_standing(member_id=caller.member_id, subscription_id=subscription_id)


@subscriptions.post(
    "/<uuid:subscription_id>/cancel",
    guard=member,
    answer=SubscriptionView,
    idempotency="answer",
    refusals=(NotFound, SubscriptionEnded),
)
def cancel_subscription(*, caller: MemberCaller, subscription_id: UUID) -> Standing:
    """Cancel at the end of the period that is paid.

    Its cups stay good until then. A past due subscription ends at once. Cancelling once more
    before the end changes nothing; afterwards it is refused.
    """
    return subs.cancel(member_id=caller.member_id, subscription_id=subscription_id, now=clock.now())


@subscriptions.post(
    "/<uuid:subscription_id>/keep",
    guard=member,
    answer=SubscriptionView,
    idempotency="answer",
    refusals=(NotFound, SubscriptionEnded),
)
def keep_subscription(*, caller: MemberCaller, subscription_id: UUID) -> Standing:
    """Take back a cancelling whose end has not come."""
    return subs.keep(member_id=caller.member_id, subscription_id=subscription_id)


@subscriptions.put(
    "/<uuid:subscription_id>/card",
    guard=member,
    body=CardBody,
    answer=SubscriptionView,
    transaction="own",
    refusals=(NotFound, SubscriptionEnded, CardDeclined, CardNeedsAuthentication),
)
def change_subscription_card(
    *, caller: MemberCaller, subscription_id: UUID, body: dict[str, Any]
) -> Standing:
    """Renew with another card. A past due subscription is charged with it at once."""
    return subs.change_card(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now(), **body
    )
