"""What a change of plan would cost and give: decided without any effect, as the verbs decide it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal
from uuid import UUID

from kernel.db import db
from kernel.errors import NotFound
from subs import change_policy as policy
from subs.change_errors import (
    ChangeNotNow,
    ChangeNotOffered,
    ChangeOnlyAtEnd,
    PlanEnds,
    SamePlan,
)
from subs.change_policy import Days, Held, Proration, Terms
from subs.errors import RenewalUnderWay
from subs.models import Period, Subscription
from subs.over import has_plan
from subs.service.giving_back import cost_of, vat_in
from subs.service.money_back import Payer, payers_of
from subs.service.period_lots import (
    changes_of,
    find_lots,
    first_lot,
    held_in,
    is_today_gone,
)
from subs.service.rows import Plan, newest_period, plan_of, plans_of
from vouchers.buying_limits import foresee_too_many, refuse_too_many
from vouchers.errors import NotOnSale
from vouchers.models import Lot, Offer, OrderItem
from vouchers.queries import current_versions
from vouchers.service.order import refuse_channel

LineCode = Literal["new_plan", "old_plan", "not_carried"]


@dataclass(frozen=True, slots=True)
class Line:
    """A part of what a change costs, VAT included: `not_carried` is what cannot come back."""

    code: LineCode
    amount: int
    days: Days


@dataclass(frozen=True, slots=True)
class Change:
    """A change from a plan to another one, within or after a period that is paid."""

    subscription: Subscription
    period: Period
    before: Plan
    after: Plan


@dataclass(frozen=True, slots=True)
class Quote:
    """A change at once: by the days that are left, for what is left of the period.

    `net` and `vat` are of what is charged, or (below zero) comes `back` to each payer.
    """

    change: Change
    days: Days
    held: Held
    proration: Proration
    net: int
    vat: int
    back: Sequence[tuple[Payer, Held]] = ()

    @property
    def amount(self) -> int:
        """What is charged now; below zero, what comes back."""
        return self.proration.amount

    @property
    def lines(self) -> list[Line]:
        """The parts that the amount is the sum of."""
        owed = self.proration.owed
        new = policy.share(self.change.after.version.price, self.days)
        lines = [Line("new_plan", new, self.days), Line("old_plan", owed - new, self.days)]
        if self.amount != owed:
            lines.append(Line("not_carried", self.amount - owed, self.days))
        return lines


def change_to(
    subscription: Subscription,
    offer_id: UUID,
    *,
    channel: str,
    is_binding: bool = True,
    now: datetime,
) -> Change:
    """The change of a live subscription to a plan, at the terms at which that is sold now.

    What keeps somebody from subscribing to it keeps them from changing to it. Takes the wallet's
    lock where the plan is limited, as an order does, unless it is only looked at (not binding).

    Raises:
        NotFound: there is no such plan.
        NotOnSale: it is not sold now.
        SamePlan: the subscription is on these terms.
        PlanEnds: it was cancelled.
        ChangeNotOffered: nobody changes between these plans.
        ChannelNotSold: it is not sold this way.
        MemberLimit: the member has as many of it as one may.
    """
    if subscription.cancel_at_end:
        raise PlanEnds
    after = _plan_on_sale(offer_id, now)
    if after.version.id == subscription.offer_version_id:
        raise SamePlan
    before = plan_of(subscription.offer_version_id)
    old, new = before.version, after.version
    if (old.currency, old.jurisdiction) != (new.currency, new.jurisdiction):
        raise ChangeNotOffered
    refuse_channel({offer_id: new}, channel)
    if not has_plan(subscription, offer_id):
        refuse = refuse_too_many if is_binding else foresee_too_many
        wanted = [(offer_id, 1)]
        refuse(member_id=subscription.member_id, terms={offer_id: new}, wanted=wanted, now=now)
    return Change(subscription, newest_period(subscription.id), before, after)


def quote(change: Change, *, lots: Sequence[Lot] | None = None, now: datetime) -> Quote:
    """Decide on a change at once; `lots` of the period where they are locked.

    Raises:
        RenewalUnderWay: the next period is being charged.
        ChangeNotNow: no period is paid that could be shared out.
        ChangeOnlyAtEnd: with the reason.
    """
    subscription, period = change.subscription, change.period
    _refuse_not_now(subscription, period, now)
    _refuse_unlike(change)
    found = find_lots(subscription, period) if lots is None else lots
    days = policy.days_of(
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        now=now,
        time_zone=subscription.time_zone,
        is_today_gone=is_today_gone(found, now=now),
    )
    if days.left == 0:
        raise ChangeOnlyAtEnd(why="last_day")
    if any(lot.frozen_at is not None for lot in found):
        raise ChangeOnlyAtEnd(why="disputed")
    held = policy.total(held_in(found, now=now))
    payers = payers_of(subscription, period)
    proration = policy.prorate(
        held=held,
        before=terms_of(change.before, price=cost_of(period, change.before)),
        after=terms_of(change.after),
        days=days,
        returnable=sum(payer.returnable.left for payer in payers),
    )
    if policy.is_for_nothing(proration, terms_of(change.after)):
        raise ChangeOnlyAtEnd(why="no_cups")
    if proration.amount >= 0:
        vat = vat_in(proration.amount, plan=change.after, subscription=subscription, now=now)
        return Quote(change, days, held, proration, proration.amount - vat, vat)
    return _coming_back(change, days, held, proration, payers, now=now)


def _coming_back(
    change: Change,
    days: Days,
    held: Held,
    proration: Proration,
    payers: Sequence[Payer],
    *,
    now: datetime,
) -> Quote:
    parts = policy.going_back(
        -proration.amount,
        tax=partial(vat_in, plan=change.after, subscription=change.subscription, now=now),
        held=held,
        by=[payer.returnable for payer in payers],
        cups=proration.leaving,
    )
    back = policy.total(parts)
    return Quote(
        change,
        days,
        held,
        replace(proration, amount=-back.gross),
        -back.net,
        -back.vat,
        list(zip(payers, parts, strict=True)),
    )


def terms_of(plan: Plan, *, price: int | None = None) -> Terms:
    """Of a plan's terms, those that are shared out by days."""
    version = plan.version
    is_counted = version.cups > 0 and not version.is_unlimited
    return Terms(version.price if price is None else price, version.cups if is_counted else None)


def _plan_on_sale(offer_id: UUID, now: datetime) -> Plan:
    offer = db.session.get(Offer, offer_id)
    if offer is None or offer.kind != "plan":
        raise NotFound
    version = current_versions([offer_id], now=now).get(offer_id)
    found = {} if version is None else plans_of([version.id])
    if not found:
        raise NotOnSale(offer_id=str(offer_id))
    (plan,) = found.values()
    return plan


def _refuse_not_now(subscription: Subscription, period: Period, now: datetime) -> None:
    if subscription.status == "active" and (period.status == "due" or period.ends_at <= now):
        raise RenewalUnderWay
    is_paid = period.status == "paid" and period.starts_at <= now < period.ends_at
    if subscription.status != "active" or not is_paid:
        raise ChangeNotNow(state=subscription.status)


def _refuse_unlike(change: Change) -> None:
    """Only plans that are alike are shared out by the days of one period."""
    (old, old_schedule), (new, new_schedule) = change.before, change.after
    intervals = [(one.every_count, one.every_unit) for one in (old_schedule, new_schedule)]
    if intervals[0] != intervals[1]:
        raise ChangeOnlyAtEnd(why="interval")
    if (old.vat_code, old.vat_timing) != (new.vat_code, new.vat_timing):
        raise ChangeOnlyAtEnd(why="tax")
    if old_schedule.grant_count is not None or new_schedule.grant_count is not None:
        raise ChangeOnlyAtEnd(why="grants")
    if _is_prepaid(change):
        raise ChangeOnlyAtEnd(why="prepaid")


def _is_prepaid(change: Change) -> bool:
    lot = first_lot(change.subscription, change.period)
    if lot is None or lot.order_item_id is None:
        return False
    item = db.session.get(OrderItem, lot.order_item_id)
    return item is not None and item.gift_periods is not None


def is_made(subscription: Subscription, period: Period, to_version_id: UUID) -> bool:
    """Whether the last change within a period has led there, and the subscription still is."""
    made = changes_of(period)
    is_there = subscription.offer_version_id == to_version_id
    return is_there and bool(made) and made[0].to_version_id == to_version_id
