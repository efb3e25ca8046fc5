"""A member's subscriptions: what is renewed when, with which card, and how to end it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

import subs
from api.auth import MemberCaller, member
from api.fields import Day, Id, Integer, MoneyField, PaymentMethod, Schema, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from payments import CardDeclined, CardNeedsAuthentication
from subs import (
    CANCEL_REASONS,
    NotPaused,
    PauseBegun,
    PauseDays,
    PauseNotNow,
    PauseNotOffered,
    RenewalUnderWay,
    Standing,
    SubscriptionEnded,
)
from subs.change_errors import PlanEnds
from subs.models import SubscriptionEvent

subscriptions = Resource(
    "subscriptions", "/v1/subscriptions", "Subscriptions: a member's plans and their renewal."
)

_STATUS = ("trialing", "active", "past_due", "paused", "cancelled", "lapsed")


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

    number = Integer(required=True, metadata={"description": "Counted from 1; 0 is a trial."})
    starts_at = Timestamp(required=True, metadata={"description": "The first moment of it."})
    ends_at = Timestamp(required=True, metadata={"description": "The first moment after it."})


class PauseView(Schema):
    """When nothing is charged, since the plan rests."""

    begins_at = Timestamp(required=True, metadata={"description": "The end of what is paid."})
    ends_at = Timestamp(required=True, metadata={"description": "When it goes on."})


class WantedView(Schema):
    """What a renewal that is due waits for."""

    what = Text(
        required=True,
        validate=validate.OneOf(("authentication", "card")),
        metadata={
            "description": "`authentication`: the member confirms the payment with `client_secret`;"
            " `card`: another card is to be named, the present one is not tried again."
        },
    )
    until = Timestamp(required=True, metadata={"description": "After this moment the plan lapses."})


class CardView(Schema):
    """What a shopper recognises a card by."""

    brand = Text(required=True, metadata={"description": "Such as `visa`."})
    last4 = Text(required=True, metadata={"description": "The last four digits."})


class SubscriptionView(Schema):
    """A subscription. The cups that are left of it are in the wallet."""

    id = Id(required=True, attribute="subscription.id", metadata={"description": "Opaque."})
    plan = fields.Nested(SubscribedPlanView, required=True, metadata={"description": "What of."})
    next_plan = fields.Nested(
        SubscribedPlanView,
        required=True,
        allow_none=True,
        metadata={"description": "What it changes to with the next period; null if it does not."},
    )
    status = Text(
        required=True,
        attribute="subscription.status",
        validate=validate.OneOf(_STATUS),
        metadata={
            "description": "`past_due`: a renewal was not paid and is tried again; `lapsed`: it was"
            " not paid for good."
        },
    )
    cancel_at_end = fields.Boolean(
        required=True,
        attribute="subscription.cancel_at_end",
        metadata={"description": "Whether it ends with the current period."},
    )
    cancel_reason = Text(
        required=True,
        allow_none=True,
        attribute="subscription.cancel_reason",
        metadata={"description": "Why it was cancelled, if the member said so."},
    )
    pause = fields.Nested(
        PauseView,
        required=True,
        allow_none=True,
        metadata={"description": "The pause that is to come or has begun; null if there is none."},
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
        metadata={
            "description": "When the card is charged next; null if it is not, as while the member"
            " is to do something first (`wanted`), holds a prepaid period, or pays nothing."
        },
    )
    wanted = fields.Nested(
        WantedView,
        required=True,
        allow_none=True,
        metadata={"description": "Without which a renewal is not paid; null if nothing is wanted."},
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


class CancelBody(Schema):
    """When it ends, and why."""

    at = Text(
        load_default="end",
        validate=validate.OneOf(("end", "now")),
        metadata={"description": "With the period that is paid, or at once."},
    )
    reason = Text(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(CANCEL_REASONS),
        metadata={"description": "What the member says of it."},
    )


class PauseBody(Schema):
    """Until when to rest."""

    until = Day(
        required=True,
        metadata={
            "description": "The day on which it goes on, in the member's time zone, at the time of"
            " day at which its paid period ends."
        },
    )


class SubscriptionEventView(Schema):
    """One thing that happened to a subscription."""

    id = Id(required=True, metadata={"description": "Opaque."})
    at = Timestamp(required=True, metadata={"description": "When."})
    cause = Text(
        required=True, metadata={"description": "What happened, as `renewed` or `cancel_asked`."}
    )
    from_status = Text(
        required=True,
        allow_none=True,
        validate=validate.OneOf(_STATUS),
        metadata={"description": "The status before; null when it began."},
    )
    to_status = Text(
        required=True,
        validate=validate.OneOf(_STATUS),
        metadata={"description": "The status after; the same where nothing of it changed."},
    )
    facts = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "What belongs to the cause: a reason, days, a number."},
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


@subscriptions.get(
    "/<uuid:subscription_id>/history",
    guard=member,
    query=Page,
    answer=paged(SubscriptionEventView),
    refusals=(NotFound,),
)
def list_subscription_history(
    *, caller: MemberCaller, subscription_id: UUID, query: dict[str, Any]
) -> dict[str, Any]:
    """List what happened to a subscription and why, the newest first."""

    def read(limit: int, after: Position | None) -> Sequence[SubscriptionEvent]:
        return subs.list_history(
            member_id=caller.member_id,
            subscription_id=subscription_id,
            before=None if after is None else after[0],
            limit=limit,
        )

    return page_of(read, query=query, position=lambda one: (one.id,))


@subscriptions.post(
    "/<uuid:subscription_id>/cancel",
    guard=member,
    body=CancelBody,
    answer=SubscriptionView,
    idempotency="answer",
    refusals=(NotFound, SubscriptionEnded),
)
def cancel_subscription(
    *, caller: MemberCaller, subscription_id: UUID, body: dict[str, Any]
) -> Standing:
    """Cancel at the end of the period that is paid, or at once.

    Its cups stay good until then; where the plan gives back the rest of a period that is cancelled
    at once, they end with it. What is past due or paused ends at once in any case. Cancelling once
    more before the end changes nothing but the reason; afterwards it is refused.
    """
    return subs.cancel(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now(), **body
    )


@subscriptions.post(
    "/<uuid:subscription_id>/keep",
    guard=member,
    answer=SubscriptionView,
    idempotency="answer",
    refusals=(NotFound, SubscriptionEnded),
)
def keep_subscription(*, caller: MemberCaller, subscription_id: UUID) -> Standing:
    """Take back a cancelling whose end has not come."""
    return subs.keep(member_id=caller.member_id, subscription_id=subscription_id, now=clock.now())


@subscriptions.put(
    "/<uuid:subscription_id>/pause",
    guard=member,
    body=PauseBody,
    answer=SubscriptionView,
    refusals=(
        NotFound,
        SubscriptionEnded,
        PauseNotOffered,
        PlanEnds,
        PauseNotNow,
        PauseDays,
        RenewalUnderWay,
    ),
)
def pause_subscription(
    *, caller: MemberCaller, subscription_id: UUID, body: dict[str, Any]
) -> Standing:
    """Pause from the end of the period that is paid until a day.

    Nothing is charged meanwhile. Once more with another day gives it another end, until it begins.
    """
    return subs.pause(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now(), **body
    )


@subscriptions.delete(
    "/<uuid:subscription_id>/pause",
    guard=member,
    answer=SubscriptionView,
    refusals=(NotFound, SubscriptionEnded, PauseBegun),
)
def withdraw_subscription_pause(*, caller: MemberCaller, subscription_id: UUID) -> Standing:
    """Take back a pause that has not begun."""
    return subs.withdraw_pause(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now()
    )


@subscriptions.post(
    "/<uuid:subscription_id>/resume",
    guard=member,
    answer=SubscriptionView,
    idempotency="answer",
    refusals=(NotFound, SubscriptionEnded, NotPaused),
)
def resume_subscription(*, caller: MemberCaller, subscription_id: UUID) -> Standing:
    """End a pause now. The next period begins at this moment and is charged at once.

    The status is `paused` until that is paid.
    """
    return subs.resume(member_id=caller.member_id, subscription_id=subscription_id, now=clock.now())


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
