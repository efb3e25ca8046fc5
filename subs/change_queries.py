"""The change of plan that a member has asked for, as they see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from payments.models import Payment
from subs.models import Period, PlanChange, Subscription
from subs.queries import SoldPlan
from vouchers.models import Offer, OfferVersion

When = Literal["end", "now"]


@dataclass(frozen=True, slots=True)
class AskedChange:
    """A change: to which plan, when it takes effect, and what it costs now (nothing at the end).

    `planned` for the end of the period, `asked` while it waits to be paid, `applied` or `failed`.
    `waiting` is its payment, where that waits for the member to authenticate it.
    """

    plan: SoldPlan
    at: When
    status: str
    amount: int
    takes_effect_at: datetime
    waiting: Payment | None


def get_change(*, member_id: UUID, subscription_id: UUID) -> AskedChange:
    """The change that is to come, or that waits to be paid.

    Raises:
        NotFound: the member has no such subscription, or there is none.
    """
    subscription = db.session.scalar(
        select(Subscription).where(
            Subscription.id == subscription_id, Subscription.member_id == member_id
        )
    )
    if subscription is None:
        raise NotFound
    asked = db.session.scalar(
        select(PlanChange).where(
            PlanChange.subscription_id == subscription.id, PlanChange.status == "asked"
        )
    )
    if asked is not None:
        return change_of(asked)
    if subscription.next_version_id is None:
        raise NotFound
    return planned(subscription, subscription.next_version_id)


def change_of(row: PlanChange) -> AskedChange:
    """A change at once."""
    payment = None if row.payment_id is None else db.session.get(Payment, row.payment_id)
    is_waiting = row.status == "asked" and payment and payment.status == "requires_action"
    return AskedChange(
        plan=_plan(row.to_version_id),
        at="now",
        status=row.status,
        amount=row.amount,
        takes_effect_at=row.settled_at or row.asked_at,
        waiting=payment if is_waiting else None,
    )


def planned(subscription: Subscription, version_id: UUID) -> AskedChange:
    """A change at the end of what is paid, or of the pause after it."""
    theirs = select(Period.ends_at).where(
        Period.subscription_id == subscription.id, Period.status == "paid"
    )
    ends_at = db.session.scalars(theirs.order_by(Period.number.desc()).limit(1)).one()
    begins_at = subscription.resumes_at or ends_at
    return AskedChange(_plan(version_id), "end", "planned", 0, begins_at, None)


def _plan(version_id: UUID) -> SoldPlan:
    found = db.session.execute(
        select(OfferVersion, Offer.code)
        .join(Offer, Offer.id == OfferVersion.offer_id)
        .where(OfferVersion.id == version_id)
    ).one()
    return SoldPlan(found.code, found.OfferVersion)
