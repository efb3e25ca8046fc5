"""A member changes to another plan: what it would cost, at once or at the end, and withdrawing."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.auth import MemberCaller, member
from api.fields import Id, Integer, MoneyField, Schema, Text, Timestamp
from api.language import language
from api.plan_change_words import why
from api.routing import Resource
from api.subscriptions import SubscribedPlanView, SubscriptionView
from kernel import clock
from kernel.errors import NotFound
from subs import RenewalUnderWay, Standing, SubscriptionEnded
from subs.change_errors import (
    ChangeNeedsCard,
    ChangeNotNow,
    ChangeNotOffered,
    ChangeOnlyAtEnd,
    NoChangeAsked,
    PlanEnds,
    SamePlan,
)
from subs.change_queries import AskedChange, get_change
from subs.service import change
from subs.service.change import Preview
from vouchers import ChannelNotSold, MemberLimit, NotOnSale, PaymentDeclined

plan_changes = Resource(
    "plan_changes", "/v1/subscriptions", "Changes of plan: from one to another, at once or later."
)

_WHEN = ("end", "now")
_CANNOT = (
    NotFound,
    SubscriptionEnded,
    NotOnSale,
    ChannelNotSold,
    MemberLimit,
    SamePlan,
    PlanEnds,
    ChangeNotOffered,
    RenewalUnderWay,
    ChangeNotNow,
    ChangeOnlyAtEnd,
    ChangeNeedsCard,
)


class ChangeBody(Schema):
    """To which plan, and when."""

    offer_id = Id(required=True, metadata={"description": "The plan, at the terms of today."})
    at = Text(
        load_default="end",
        validate=validate.OneOf(_WHEN),
        metadata={"description": "With the next period, or at once within this one."},
    )
    channel = Text(
        load_default="app",
        validate=validate.OneOf(("web", "app")),
        metadata={"description": "Where the member changes: what is not sold there is refused."},
    )


class ChangeLineView(Schema):
    """A part of what a change costs now, VAT included."""

    code = Text(
        required=True,
        validate=validate.OneOf(("new_plan", "old_plan", "not_carried")),
        metadata={"description": "What it is for."},
    )
    amount = MoneyField(
        required=True, metadata={"description": "Below zero it is taken off, or comes back."}
    )
    why = Text(required=True, metadata={"description": "In the caller's language."})


class ChangePreviewView(Schema):
    """What a change would cost and give, if it were asked for now. The lines add up."""

    plan = fields.Nested(
        SubscribedPlanView, required=True, metadata={"description": "The plan it leads to."}
    )
    at = Text(
        required=True, validate=validate.OneOf(_WHEN), metadata={"description": "As asked for."}
    )
    takes_effect_at = Timestamp(required=True, metadata={"description": "When."})
    amount = MoneyField(
        required=True,
        metadata={"description": "Charged now; below zero it goes back to whoever paid."},
    )
    net = MoneyField(required=True, metadata={"description": "Of that, without VAT."})
    vat = MoneyField(required=True, metadata={"description": "Of that, the VAT."})
    lines = fields.List(
        fields.Nested(ChangeLineView),
        required=True,
        metadata={"description": "What the amount is made of; none at the end of the period."},
    )
    days_left = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Days of this period that count, today among them; or null."},
    )
    days = Integer(
        required=True, allow_none=True, metadata={"description": "Days of this period; or null."}
    )
    cups_left = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Cups left of this period; null at its end."},
    )
    cups_after = Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Cups until the end of this period after the change; null where nobody"
            " counts them, or at its end."
        },
    )


class ChangeView(Schema):
    """A change of plan that is to come, waits to be paid, or was made."""

    plan = fields.Nested(
        SubscribedPlanView, required=True, metadata={"description": "The plan it leads to."}
    )
    at = Text(required=True, validate=validate.OneOf(_WHEN), metadata={"description": "When."})
    status = Text(
        required=True,
        validate=validate.OneOf(("planned", "asked", "applied", "failed")),
        metadata={
            "description": "`planned`: with the next period; `asked`: its payment is under way, or"
            " waits for you; `failed`: it was not paid."
        },
    )
    amount = MoneyField(
        required=True,
        currency="plan.version.currency",
        metadata={"description": "What it costs now; below zero it goes back to whoever paid."},
    )
    takes_effect_at = Timestamp(
        required=True,
        metadata={"description": "When it takes effect; of one that is `asked`, when it was."},
    )
    client_secret = Text(
        required=True,
        allow_none=True,
        attribute="waiting.client_secret",
        dump_default=None,
        metadata={"description": "With which to authenticate the payment that waits for that."},
    )


@plan_changes.post(
    "/<uuid:subscription_id>/change/preview",
    guard=member,
    body=ChangeBody,
    answer=ChangePreviewView,
    refusals=_CANNOT,
)
def preview_plan_change(
    *, caller: MemberCaller, subscription_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Say what a change would cost, line by line and why. Nothing happens."""
    seen = change.preview(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now(), **body
    )
    return _told(seen)


@plan_changes.get(
    "/<uuid:subscription_id>/change", guard=member, answer=ChangeView, refusals=(NotFound,)
)
def get_plan_change(*, caller: MemberCaller, subscription_id: UUID) -> AskedChange:
    """Read the change that is to come, or that waits to be paid; 404 where there is none."""
    return get_change(member_id=caller.member_id, subscription_id=subscription_id)


@plan_changes.put(
    "/<uuid:subscription_id>/change",
    guard=member,
    body=ChangeBody,
    answer=ChangeView,
    transaction="own",
    refusals=(*_CANNOT, PaymentDeclined),
)
def change_plan(
    *, caller: MemberCaller, subscription_id: UUID, body: dict[str, Any]
) -> AskedChange:
    """Change to another plan, with the next period or at once.

    At once, what the days that are left cost more is charged to the subscription's card, and what
    they cost less goes back to whoever paid; the cups that are left go along. Asking again for the
    same answers the same, and charges once; asking for another takes its place. Where the bank
    wants its cardholder, the change is `asked`, and made when they have authenticated it; it is
    given up after a day.
    """
    done = change.change_plan(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now(), **body
    )
    return done.shown


@plan_changes.delete(
    "/<uuid:subscription_id>/change",
    guard=member,
    answer=SubscriptionView,
    refusals=(NotFound, SubscriptionEnded, NoChangeAsked),
)
def withdraw_plan_change(*, caller: MemberCaller, subscription_id: UUID) -> Standing:
    """Take back a change that has not been made. What is paid for it all the same goes back."""
    return change.withdraw(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now()
    )


def _told(seen: Preview) -> dict[str, Any]:
    quote, version = seen.quote, seen.plan.version
    shown: dict[str, Any] = {
        "plan": seen.plan,
        "at": "end" if quote is None else "now",
        "takes_effect_at": seen.takes_effect_at,
        "currency": version.currency,
        "amount": 0,
        "net": 0,
        "vat": 0,
        "lines": [],
        "days_left": None,
        "days": None,
        "cups_left": None,
        "cups_after": None,
    }
    if quote is None:
        return shown
    is_counted = version.cups > 0
    lines = [
        {
            "code": line.code,
            "amount": line.amount,
            "currency": version.currency,
            "why": why(line, version.currency, language()),
        }
        for line in quote.lines
    ]
    return shown | {
        "amount": quote.amount,
        "net": quote.net,
        "vat": quote.vat,
        "lines": lines,
        "days_left": quote.days.left,
        "days": quote.days.whole,
        "cups_left": quote.held.cups,
        "cups_after": quote.proration.arriving if is_counted else None,
    }
