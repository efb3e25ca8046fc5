"""What others ask about subscriptions and their statistics."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import aliased

from kernel.db import db
from kernel.errors import NotFound
from payments.models import Card, Payment
from subs.models import Period, RenewalRate, Subscription
from vouchers.models import Offer, OfferVersion


@dataclass(frozen=True, slots=True)
class SoldPlan:
    """A plan by its code, on the terms of one version."""

    code: str
    version: OfferVersion


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription as its member sees it: the plan, the period that is paid, what comes next.

    `unpaid` is the period that is due and not paid, if there is one; `waiting`, its payment, if
    that waits for the member to authenticate it.
    """

    subscription: Subscription
    plan: SoldPlan
    card: Card | None
    period: Period
    unpaid: Period | None
    waiting: Payment | None

    @property
    def next_charge_at(self) -> datetime | None:
        """When the card is charged next, if nothing changes; None if it is not."""
        if self.subscription.ended_at is not None or self.subscription.cancel_at_end:
            return None
        return self.period.ends_at if self.unpaid is None else self.unpaid.retry_at


@dataclass(frozen=True, slots=True)
class Rate:
    """A row of the renewal rates, with its plan."""

    plan: SoldPlan
    counted: RenewalRate

    @property
    def is_mature(self) -> bool:
        """Whether the grace of the whole cohort had passed when it was counted."""
        return self.counted.computed_at >= self.counted.matures_at

    @property
    def on_time_rate(self) -> Decimal | None:
        """Renewed without dunning ÷ due; None while that may still change."""
        return self._part(self.counted.on_time)

    @property
    def renewal_rate(self) -> Decimal | None:
        """Renewed by the end of grace ÷ due; None while that may still change."""
        return self._part(self.counted.renewed)

    def _part(self, count: int) -> Decimal | None:
        if not self.is_mature or self.counted.due == 0:
            return None
        return Decimal(count) / self.counted.due


def get_standing(*, member_id: UUID, subscription_id: UUID) -> Standing:
    """Raises: NotFound: the member has no such subscription."""
    mine = _standings(member_id).where(Subscription.id == subscription_id)
    found = db.session.execute(mine).one_or_none()
    if found is None:
        raise NotFound
    return _standing(found)


def list_standings(*, member_id: UUID, before: UUID | None, limit: int) -> list[Standing]:
    """A member's subscriptions, the newest first, from below the id `before` on."""
    page = _standings(member_id).order_by(Subscription.id.desc()).limit(limit)
    if before is not None:
        page = page.where(Subscription.id < before)
    return [_standing(row) for row in db.session.execute(page)]


def list_rates(*, first: date, last: date) -> list[Rate]:
    """The renewal rates of the months from `first` to `last` (first days of months), by plan."""
    rows = db.session.execute(
        select(Offer.code, OfferVersion, RenewalRate)
        .join(OfferVersion, OfferVersion.id == RenewalRate.offer_version_id)
        .join(Offer, Offer.id == OfferVersion.offer_id)
        .where(RenewalRate.month_on.between(first, last))
        .order_by(RenewalRate.month_on, Offer.code, OfferVersion.version)
    )
    return [Rate(SoldPlan(code, version), counted) for code, version, counted in rows]


def _standings(member_id: UUID) -> Select[Any]:
    paid = _newest("paid")
    due = _newest("due")
    waits = and_(Payment.id == due.payment_id, Payment.status == "requires_action")
    return (
        select(Subscription, Offer.code, OfferVersion, Card, paid, due, Payment)
        .join(OfferVersion, OfferVersion.id == Subscription.offer_version_id)
        .join(Offer, Offer.id == OfferVersion.offer_id)
        .join(Card, Card.id == Subscription.card_id, isouter=True)
        .join(paid, paid.subscription_id == Subscription.id)
        .join(due, due.subscription_id == Subscription.id, isouter=True)
        .join(Payment, waits, isouter=True)
        .where(Subscription.member_id == member_id)
    )


def _newest(status: str) -> Any:
    """The newest period of a subscription with this status, beside each subscription."""
    theirs = select(Period).where(
        Period.subscription_id == Subscription.id, Period.status == status
    )
    return aliased(Period, theirs.order_by(Period.number.desc()).limit(1).lateral())


def _standing(row: Row[Any]) -> Standing:
    subscription, code, version, card, period, unpaid, waiting = tuple(row)
    return Standing(subscription, SoldPlan(code, version), card, period, unpaid, waiting)
