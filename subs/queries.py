"""What others ask about subscriptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.orm import aliased

from kernel.db import db
from kernel.errors import NotFound
from payments.models import Card, Payment
from payments.policy import OPEN, PAID
from subs.models import Period, Subscription, SubscriptionEvent
from vouchers.models import Lot, Offer, OfferVersion

_OF_USE = OPEN | PAID
"""As long as a payment is one of these, something may come of it, or has."""


@dataclass(frozen=True, slots=True)
class SoldPlan:
    """A plan by its code, on the terms of one version."""

    code: str
    version: OfferVersion


@dataclass(frozen=True, slots=True)
class Pause:
    """A subscription rests from one moment to another; nothing is paid for meanwhile."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a member is to do, and until when: after that the plan ends unpaid."""

    what: Literal["authentication", "card"]
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription as its member sees it: the plan, the period that is paid, what comes next.

    `unpaid` is the period that is due and not paid, if there is one; `waiting`, its payment, if
    that waits for the member to authenticate it; `is_refused`, that nothing will come of it.
    `next_plan` is what it changes to at its end. `is_prepaid` says that the member holds a period
    of what follows, which somebody has paid for.
    """

    subscription: Subscription
    plan: SoldPlan
    card: Card | None
    period: Period
    unpaid: Period | None
    waiting: Payment | None
    is_refused: bool
    next_plan: SoldPlan | None
    is_prepaid: bool

    @property
    def next_charge_at(self) -> datetime | None:
        """When the card is charged next, if nothing changes; None if it is not.

        What waits for the member to authenticate it is not charged before they have: `wanted` says
        so, and until when. What is caught up with after an outage is charged when its turn comes.
        """
        one = self.subscription
        if one.ended_at is not None or one.cancel_at_end or self.card is None:
            return None
        if self.waiting is not None:
            return None
        if self.unpaid is not None:
            return self.unpaid.retry_at
        if self.is_prepaid or (self.next_plan or self.plan).version.price == 0:
            return None
        ends_at = self.period.ends_at if one.resumes_at is None else one.resumes_at
        return max(ends_at, one.due_at or ends_at)

    @property
    def wanted(self) -> Wanted | None:
        """What the member is to do so that the period that is due is paid."""
        if self.unpaid is None or self.subscription.ended_at is not None:
            return None
        if self.waiting is not None:
            return Wanted("authentication", self.unpaid.lapses_at)
        is_tried = self.unpaid.retry_at is not None and self.card is not None
        is_under_way = self.unpaid.payment_id is not None and not self.is_refused
        if is_tried or is_under_way:
            return None
        return Wanted("card", self.unpaid.lapses_at)

    @property
    def pause(self) -> Pause | None:
        """The pause that is to come, or that it rests in."""
        one = self.subscription
        if one.pauses_at is None or one.resumes_at is None:
            return None
        return Pause(one.pauses_at, one.resumes_at)


def get_standing(*, member_id: UUID, subscription_id: UUID) -> Standing:
    """Raises: NotFound: the member has no such subscription."""
    mine = _standings().where(
        Subscription.member_id == member_id, Subscription.id == subscription_id
    )
    found = db.session.execute(mine).one_or_none()
    if found is None:
        raise NotFound
    return _standing(found)


def list_standings(*, member_id: UUID, before: UUID | None, limit: int) -> list[Standing]:
    """A member's subscriptions, the newest first, from below the id `before` on."""
    mine = _standings().where(Subscription.member_id == member_id)
    page = mine.order_by(Subscription.id.desc()).limit(limit)
    if before is not None:
        page = page.where(Subscription.id < before)
    return [_standing(row) for row in db.session.execute(page)]


def list_history(
    *, member_id: UUID, subscription_id: UUID, before: UUID | None, limit: int
) -> Sequence[SubscriptionEvent]:
    """What happened to a member's subscription, the newest first, from below the id `before` on.

    Raises:
        NotFound: the member has no such subscription.
    """
    happened = select(SubscriptionEvent).where(
        SubscriptionEvent.subscription_id == subscription_id,
        SubscriptionEvent.member_id == member_id,
    )
    if before is not None:
        happened = happened.where(SubscriptionEvent.id < before)
    found = db.session.scalars(happened.order_by(SubscriptionEvent.id.desc()).limit(limit)).all()
    if not found:  # past the last page; or there is no such subscription
        get_standing(member_id=member_id, subscription_id=subscription_id)
    return found


@cache  # putting it together takes longer than its answer
def _standings() -> Select[Any]:
    """Every subscription with what is shown of it."""
    paid = _newest("paid")
    due = _newest("due")
    next_, next_terms = aliased(Offer), aliased(OfferVersion)
    prepaid = exists().where(
        Lot.member_id == Subscription.member_id,
        Lot.is_open,
        Lot.prepays_plan,
        Lot.frozen_at.is_(None),
        Lot.offer_id == func.coalesce(next_.id, Offer.id),
    )
    return (
        select(
            Subscription,
            Offer.code,
            OfferVersion,
            Card,
            paid,
            due,
            Payment,
            next_.code,
            next_terms,
            prepaid,
        )
        .join(OfferVersion, OfferVersion.id == Subscription.offer_version_id)
        .join(Offer, Offer.id == OfferVersion.offer_id)
        .join(Card, Card.id == Subscription.card_id, isouter=True)
        .join(paid, paid.subscription_id == Subscription.id)
        .join(due, due.subscription_id == Subscription.id, isouter=True)
        .join(Payment, Payment.id == due.payment_id, isouter=True)
        .join(next_terms, next_terms.id == Subscription.next_version_id, isouter=True)
        .join(next_, next_.id == next_terms.offer_id, isouter=True)
    )


def _newest(status: str) -> Any:
    """The newest period of a subscription with this status, beside each subscription."""
    theirs = select(Period).where(
        Period.subscription_id == Subscription.id, Period.status == status
    )
    return aliased(Period, theirs.order_by(Period.number.desc()).limit(1).lateral())


def _standing(row: Row[Any]) -> Standing:
    subscription, code, version, *others, next_code, next_terms, is_prepaid = tuple(row)
    card, period, unpaid, payment = others
    waits = payment is not None and payment.status == "requires_action"
    return Standing(
        subscription=subscription,
        plan=SoldPlan(code, version),
        card=card,
        period=period,
        unpaid=unpaid,
        waiting=payment if waits else None,
        is_refused=payment is not None and payment.status not in _OF_USE,
        next_plan=None if next_terms is None else SoldPlan(next_code, next_terms),
        is_prepaid=is_prepaid,
    )
