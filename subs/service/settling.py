"""Periods are paid: in sets, with all that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import chain
import ledger
from chain.policy import local_day
from kernel.db import db
from kernel.money import Taxed
from subs import notices, policy
from subs.models import Period, Subscription
from subs.policy import Every
from subs.service import history
from subs.service.benefits import Settled, grant_all
from subs.service.carrying import Ended
from subs.service.ending import close_period
from subs.service.rows import Plan
from vouchers.slices import Prepaid

_CAUSES = {"trialing": "trial_converted", "past_due": "recovered", "paused": "resumed"}
_NEWS = {
    "trialing": notices.converted,
    "past_due": notices.recovered,
    "paused": notices.resumed,
    "active": notices.renewed,
}


@dataclass(frozen=True, slots=True)
class Settling:
    """A due period of a live subscription, and what pays for it: what is `prepaid`, or money."""

    subscription: Subscription
    period: Period
    plan: Plan
    paid_at: datetime
    prepaid: Prepaid | None = None


def settle_all(settling: Sequence[Settling], *, now: datetime) -> None:
    """Mark periods paid, grant what they give, and say when the next renewals are due.

    Under the locks of the subscriptions; takes those of the wallets, by their ids. The number of
    statements does not grow with the set.
    """
    if not settling:
        return
    taxes = _Taxes(settling)
    events = []
    for one in settling:
        _pay(one, taxes.of(one))
        events.append(_turn(one, now=now))
    db.session.flush()
    ended = grant_all(
        [
            Settled(one.subscription, one.period, one.plan, one.paid_at, prepaid=one.prepaid)
            for one in settling
        ],
        now=now,
    )
    history.write(events)
    told = (
        _news(one, event["from_status"], ended.get(one.period.id))
        for one, event in zip(settling, events, strict=True)
    )
    notices.tell(told, now=now)


def _pay(settling: Settling, taxed: Taxed) -> None:
    subscription, period, plan = settling.subscription, settling.period, settling.plan
    if policy.is_moved(
        back_dates=plan.schedule.back_dates,
        failed_attempts=period.attempts,
        starts_at=period.starts_at,
        paid_at=settling.paid_at,
    ):
        _move(subscription, period, plan, to=settling.paid_at)
    close_period(period, "paid")
    period.attempts += 1
    period.price, period.net, period.vat = taxed.net + taxed.vat, taxed.net, taxed.vat
    period.paid_at = settling.paid_at
    subscription.leased_until = None
    is_charged = period.price > 0 and settling.prepaid is None
    subscription.due_at = period.ends_at
    if is_charged:
        subscription.due_at = policy.next_renewal_at(
            ends_at=period.ends_at, charged_at=settling.paid_at, time_zone=subscription.time_zone
        )


def _move(subscription: Subscription, period: Period, plan: Plan, *, to: datetime) -> None:
    """The period begins when it is paid, and those that follow with it."""
    subscription.anchor_at, subscription.anchor_number = to, period.number
    span = policy.period_span(
        anchor_at=to,
        anchor_number=period.number,
        time_zone=subscription.time_zone,
        every=Every(plan.schedule.every_count, plan.schedule.every_unit),
        number=period.number,
    )
    period.starts_at, period.ends_at = span.starts_at, span.ends_at


def _turn(settling: Settling, *, now: datetime) -> history.Told:
    subscription = settling.subscription
    facts = {"number": settling.period.number, "price": settling.period.price}
    cause = _CAUSES.get(subscription.status)
    if cause is None:
        return history.remarked(subscription, "renewed", at=now, **facts)
    subscription.pauses_at = subscription.resumes_at = None
    return history.turned(subscription, "active", cause=cause, at=now, **facts)


def _news(settling: Settling, before: str, ended: Ended | None) -> notices.Told:
    facts = (settling.subscription, settling.period, settling.plan.version)
    if settling.prepaid is not None:
        told = notices.renewed(*facts, is_prepaid=True)
    else:
        told = _NEWS[before](*facts)
    return told if ended is None else notices.less(told, ended=ended.count, most=ended.most)


class _Taxes:
    """What periods cost, taken apart at the rates of their days: one look at each rate."""

    def __init__(self, settling: Sequence[Settling]) -> None:
        self._zones = {
            store_id: chain.get_store(store_id).time_zone
            for store_id in {one.subscription.store_id for one in settling}
        }
        self._known: dict[tuple[str, date, int], Taxed] = {}

    def of(self, settling: Settling) -> Taxed:
        if settling.prepaid is not None:
            return Taxed(settling.prepaid.part.net, settling.prepaid.part.vat)
        version, price = settling.plan.version, settling.period.price
        if version.vat_timing == "redemption":
            return Taxed(price, 0)
        on = local_day(settling.paid_at, time_zone=self._zones[settling.subscription.store_id])
        key = (version.vat_code, on, price)
        if key not in self._known:
            self._known[key] = ledger.taxed(price, code=version.vat_code, on=on)
        return self._known[key]
