"""Shared plans, as their owner, their sharers and whoever has a link see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Row, Select, and_, case, cast, func, or_, select

from kernel.db import db
from kernel.errors import NotFound
from subs import sharing_token
from subs.models import PlanSchedule, Sharer, Subscription
from vouchers.models import Lot, Offer, OfferVersion


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a plan, as its owner sees it: who has it is not told.

    `token` is what takes it, while it is `offered`; `ends_at` is until when it can be taken.
    """

    id: UUID
    status: Literal["offered", "taken"]
    invited_at: datetime
    ends_at: datetime
    joined_at: datetime | None
    token: str | None


@dataclass(frozen=True, slots=True)
class Places:
    """How many places a plan has, and those that are taken or offered."""

    most: int
    items: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Invited:
    """What a link offers: a place in this plan, until then."""

    code: str
    name: str
    unit: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """Somebody else's plan that a member collects from.

    `id` is of the place, `subscription_id` of the plan. `left` counts what all who share it can
    still collect; None where nothing is counted.
    """

    id: UUID
    subscription_id: UUID
    code: str
    name: str
    unit: str
    is_unlimited: bool
    left: int | None
    joined_at: datetime


def list_places(*, member_id: UUID, subscription_id: UUID, now: datetime) -> Places:
    """The places of a member's plan that are taken or offered, the first offered first.

    Raises:
        NotFound: it is not theirs.
    """
    mine = (
        select(PlanSchedule.sharers)
        .join(Subscription, Subscription.offer_version_id == PlanSchedule.offer_version_id)
        .where(Subscription.id == subscription_id, Subscription.member_id == member_id)
    )
    most = db.session.scalar(mine)
    if most is None:
        raise NotFound
    there = (
        select(Sharer)
        .where(
            Sharer.subscription_id == subscription_id,
            Sharer.left_at.is_(None),
            or_(Sharer.joined_at.is_not(None), Sharer.ends_at > now),
        )
        .order_by(Sharer.invited_at, Sharer.id)
    )
    return Places(most, [place_of(one) for one in db.session.scalars(there)])


def place_of(sharer: Sharer) -> Place:
    """A place, as its owner sees it."""
    is_taken = sharer.joined_at is not None
    return Place(
        id=sharer.id,
        status="taken" if is_taken else "offered",
        invited_at=sharer.invited_at,
        ends_at=sharer.ends_at,
        joined_at=sharer.joined_at,
        token=None if is_taken else sharing_token.make(sharer.id),
    )


def see_invitation(*, token: str, now: datetime) -> Invited:
    """What a link offers.

    Raises:
        NotFound: nothing: it is of no place, or that is not to be had any more.
    """
    offered = (
        select(Offer.code, OfferVersion.name, OfferVersion.unit, Sharer.ends_at)
        .join(Subscription, Subscription.id == Sharer.subscription_id)
        .join(OfferVersion, OfferVersion.id == Subscription.offer_version_id)
        .join(Offer, Offer.id == OfferVersion.offer_id)
        .where(
            Sharer.token_digest == sharing_token.digest(token),
            Sharer.left_at.is_(None),
            Sharer.joined_at.is_(None),
            Sharer.ends_at > now,
            Subscription.ended_at.is_(None),
        )
    )
    found = db.session.execute(offered).one_or_none()
    if found is None:
        raise NotFound
    return Invited(*found)


def list_shared_plans(
    *, member_id: UUID, before: UUID | None, limit: int, now: datetime
) -> list[SharedPlan]:
    """The plans of others that a member collects from, the newest place first."""
    page = _shared(now).where(Sharer.member_id == member_id)
    if before is not None:
        page = page.where(Sharer.id < before)
    rows = db.session.execute(page.order_by(Sharer.id.desc()).limit(limit))
    return [_shared_plan(row) for row in rows]


def get_shared_plan(*, member_id: UUID, sharer_id: UUID, now: datetime) -> SharedPlan:
    """A plan that the member collects from, by their place in it.

    Raises:
        NotFound: they have no such place.
    """
    mine = _shared(now).where(Sharer.id == sharer_id, Sharer.member_id == member_id)
    found = db.session.execute(mine).one_or_none()
    if found is None:
        raise NotFound
    return _shared_plan(found)


def _shared(now: datetime) -> Select[Any]:
    """The columns of a `SharedPlan`, in its order, of places that are taken."""
    can_be_collected = and_(
        Lot.member_id == Subscription.member_id,
        Lot.is_open,
        Lot.subscription_id == Subscription.id,
        Lot.prepays_plan.is_(False),
        Lot.frozen_at.is_(None),
        or_(Lot.ends_at.is_(None), Lot.ends_at > now),
    )
    left = select(cast(func.coalesce(func.sum(Lot.units - Lot.used), 0), BigInteger)).where(
        can_be_collected
    )
    counted = case((OfferVersion.cups > 0, left.correlate(Subscription).scalar_subquery()))
    return (
        select(
            Sharer.id,
            Sharer.subscription_id,
            Offer.code,
            OfferVersion.name,
            OfferVersion.unit,
            OfferVersion.is_unlimited,
            counted,
            Sharer.joined_at,
        )
        .join(Subscription, Subscription.id == Sharer.subscription_id)
        .join(OfferVersion, OfferVersion.id == Subscription.offer_version_id)
        .join(Offer, Offer.id == OfferVersion.offer_id)
        .where(Sharer.left_at.is_(None))
    )


def _shared_plan(row: Row[Any]) -> SharedPlan:
    return SharedPlan(*tuple(row))
