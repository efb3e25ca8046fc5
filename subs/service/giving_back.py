"""A plan is cancelled at once: by its terms, the part of the paid period that is left goes back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

import chain
import ledger
from kernel.db import db
from ledger.service.estimating import estimated_offers
from subs import change_policy as policy
from subs.change_policy import Held
from subs.models import Period, Subscription
from subs.service import asked_change
from subs.service.money_back import give_back, payers_of
from subs.service.period_lots import changes_of, empty, held_in, lock_lots
from subs.service.rows import Plan, newest_period, plan_of
from vouchers.models import Lot


def give_back_rest(subscription: Subscription, *, now: datetime) -> int:
    """Give back what is left of the paid period, by the plan's terms; answers how much, gross.

    In the transaction of a cancelling at once, which has locked the subscription; locks its wallet.
    Where the terms give nothing back (`cancel_refund`), or the period was a trial, free or prepaid
    by somebody, its cups stay good until its end. Else they end now: those that the amount does not
    stand for lapse. What a bank holds back is not given back as well. A change of plan that waits
    to be paid is given up.
    """
    asked_change.give_up(subscription, now=now)
    period = newest_period(subscription.id)
    plan = plan_of(subscription.offer_version_id)
    if plan.schedule.cancel_refund != "prorated" or period.status != "paid":
        return 0
    if not period.starts_at <= now < period.ends_at:
        return 0
    lots = lock_lots(subscription, period, now=now)
    if any(lot.frozen_at is not None for lot in lots):
        return 0
    return _give_back(subscription, period, plan, lots, now=now)


def _give_back(
    subscription: Subscription, period: Period, plan: Plan, lots: Sequence[Lot], *, now: datetime
) -> int:
    payers = payers_of(subscription, period)
    held = held_in(lots, now=now)
    together = policy.total(held)
    days = policy.days_of(
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        now=now,
        time_zone=subscription.time_zone,
    )
    returnable = [payer.returnable for payer in payers]
    amount = policy.rest_of(
        cost_of(period, plan),
        held=together,
        days=days,
        returnable=sum(one.left for one in returnable),
        is_counted=plan.version.cups > 0,
    )
    parts = policy.going_back(
        amount,
        tax=partial(vat_in, plan=plan, subscription=subscription, now=now),
        held=together,
        by=returnable,
        cups=policy.cups_for(amount, together),
    )
    amount = policy.total(parts).gross
    if amount == 0:
        return 0
    left = give_back(subscription, lots, held, list(zip(payers, parts, strict=True)), now=now)
    lapse(lots, left, now=now)
    empty(lots)
    db.session.flush()
    return amount


def cost_of(period: Period, plan: Plan) -> int:
    """What the plan of a period costs for all of it: since a change, the price of the new one."""
    return plan.version.price if changes_of(period) else period.price


def vat_in(amount: int, *, plan: Plan, subscription: Subscription, now: datetime) -> int:
    """The VAT in an amount, at the rate of the day; none where cups are taxed at the till."""
    if plan.version.vat_timing == "redemption":
        return 0
    on = chain.local_date(subscription.store_id, now)
    return ledger.taxed(amount, code=plan.version.vat_code, on=on).vat


def lapse(lots: Sequence[Lot], left: Sequence[Held], *, now: datetime) -> None:
    """Book what is left in lots as lapsed; for days that nobody counts, as earned."""
    ledger.post_all(list(_lapses(lots, left, now)))


def _lapses(lots: Sequence[Lot], left: Sequence[Held], now: datetime) -> Iterator[ledger.Event]:
    for lot, rest in zip(lots, left, strict=True):
        if not rest.cups and not rest.net:
            continue
        today = chain.local_date(lot.store_id, now)
        yield ledger.Event(
            member_id=lot.member_id,
            kind="lapse",
            source_id=lot.id,
            pairs=ledger.policy.lapse(
                store_id=lot.store_id,
                account=lot.account,
                amount=rest.net,
                cups=rest.cups,
                offer_id=lot.offer_id,
                lot_id=lot.id,
                is_estimated=lot.offer_id in estimated_offers(today),
            ),
            event_at=now,
            occurred_on=today,
            currency=lot.currency,
        )
