"""A member changes to another plan: at once within the period that is paid, or at its end.

What costs something now takes three steps: the change is written down as asked, and committed; its
payment is asked for; with the money the change is made. The news of the payment does that too, so
a crash in between leaves nothing undone. What is paid when the change cannot be made any more goes
back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import payments
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import again, transaction
from payments import Payment
from subs import change_notices, notices
from subs import change_policy as policy
from subs.change_errors import ChangeNeedsCard, ChangeNotNow, NoChangeAsked, SamePlan
from subs.change_queries import AskedChange, When, change_of, planned
from subs.errors import RenewalUnderWay
from subs.models import PlanChange, Subscription
from subs.queries import SoldPlan, Standing, get_standing
from subs.service import asked_change, history
from subs.service.asked_change import facts_of
from subs.service.change_applying import Applying, apply, can_take_over
from subs.service.change_quote import Change, Quote, change_to, is_made, quote, terms_of
from subs.service.living import lock_live
from subs.service.money_back import PURPOSE
from subs.service.period_lots import changes_of, held_in, lock_lots
from subs.service.rows import lock, newest_period, plan_of
from vouchers.errors import PaymentDeclined
from vouchers.models import Offer

GOOD_FOR = timedelta(days=1)
"""A change that waits to be paid is made at the price of the day on which it was asked for."""

_RESTING = ("trialing", "active", "paused")


@dataclass(frozen=True, slots=True)
class Changing:
    """What became of asking for a change. There is no `row` where it is to come at the end."""

    row: PlanChange | None
    shown: AskedChange

    @property
    def waiting(self) -> Payment | None:
        """Its payment, if that waits for its holder."""
        return self.shown.waiting


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would cost now, and when it would take effect; at the end it costs nothing."""

    plan: SoldPlan
    quote: Quote | None
    takes_effect_at: datetime


def preview(
    *,
    member_id: UUID,
    subscription_id: UUID,
    offer_id: UUID,
    at: When,
    channel: str = "app",
    now: datetime,
) -> Preview:
    """Say what a change would cost and give. Refuses what the verb would refuse.

    Raises: as `change_plan`.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    change = change_to(subscription, offer_id, channel=channel, is_binding=False, now=now)
    if at == "now":
        quoted = quote(change, now=now)
        _refuse_without_card(change, quoted.amount)
        return Preview(_sold(change), quoted, now)
    _refuse_at_end(change)
    return Preview(_sold(change), None, _next_at(change))


def change_plan(
    *,
    member_id: UUID,
    subscription_id: UUID,
    offer_id: UUID,
    at: When,
    channel: str = "app",
    now: datetime,
) -> Changing:
    """Change to another plan, at the terms at which it is sold now.

    Opens its own transactions, since the provider may be asked in between. Safe to repeat: the same
    change goes on with the payment that it has, and what is made is answered as it is. Another one
    takes the place of what was asked for before.

    Raises:
        NotFound: it is not the member's, or there is no such plan.
        SubscriptionEnded: nothing is left to change.
        NotOnSale, SamePlan, PlanEnds, ChangeNotOffered, ChannelNotSold, MemberLimit: see
            `change_to`.
        RenewalUnderWay: the next period is being charged at this moment.
        ChangeNotNow, ChangeOnlyAtEnd: see `quote`.
        ChangeNeedsCard: there is no card to charge.
        PaymentDeclined: the card was refused; nothing has changed.
    """
    if at == "end":
        return again(lambda: _plan_ahead(member_id, subscription_id, offer_id, channel, now))
    asked = again(lambda: _ask(member_id, subscription_id, offer_id, channel, now))
    if asked.row is None or asked.row.status != "asked" or asked.row.payment_id is None:
        return asked
    change_id, payment = asked.row.id, payments.charge(payment_id=asked.row.payment_id)
    settled = again(lambda: _settle(change_id, payment.id, now))
    if payment.settled_at is not None and payment.status not in payments.policy.PAID:
        raise PaymentDeclined(decline_code=payments.policy.told(payment.failure))
    return settled


def withdraw(*, member_id: UUID, subscription_id: UUID, now: datetime) -> Standing:
    """Take back a change that is to come, or that waits to be paid.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: it is too late.
        NoChangeAsked: there is none.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    is_given_up = asked_change.give_up(subscription, now=now)
    if subscription.next_version_id is not None:
        to = str(subscription.next_version_id)
        subscription.next_version_id = None
        history.remark(subscription, "change_withdrawn", at=now, to=to)
        version = plan_of(subscription.offer_version_id).version
        notices.tell([change_notices.change_withdrawn(subscription, version)], now=now)
    elif not is_given_up:
        raise NoChangeAsked
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def complete(*, change_id: UUID, payment_id: UUID, now: datetime) -> None:
    """A change was paid: make it, once. If it cannot be made any more, the money goes back."""
    row = db.session.get_one(PlanChange, change_id)
    subscription = lock(row.subscription_id)
    db.session.refresh(row)
    payment = payments.get_payment(payment_id)
    if row.status == "applied" and row.payment_id == payment.id:
        return
    applying = _still_possible(subscription, row, payment, now)
    if applying is None:
        _return(subscription, row, payment, now)
    else:
        apply(applying)


def give_up_unpaid(*, change_id: UUID, payment_id: UUID, is_told: bool, now: datetime) -> None:
    """A change was not paid: nothing changes. Once, whoever hears of it first."""
    row = db.session.get_one(PlanChange, change_id)
    subscription = lock(row.subscription_id)
    db.session.refresh(row)
    if row.status != "asked" or row.payment_id != payment_id:
        return
    asked_change.fail(row, now=now)
    history.remark(subscription, "change_declined", at=now, **facts_of(row))
    if is_told:
        version = plan_of(row.to_version_id).version
        told = change_notices.change_not_paid(subscription, version, amount=row.amount)
        notices.tell([told], now=now)


def _plan_ahead(
    member_id: UUID, subscription_id: UUID, offer_id: UUID, channel: str, now: datetime
) -> Changing:
    with transaction():
        subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
        change = change_to(subscription, offer_id, channel=channel, now=now)
        _refuse_at_end(change)
        asked_change.give_up(subscription, now=now)
        version = change.after.version
        if subscription.next_version_id != version.id:
            subscription.next_version_id = version.id
            begins_at = _next_at(change)
            facts = {"to": str(version.id), "begins_at": begins_at.isoformat()}
            history.remark(subscription, "change_asked", at=now, **facts)
            told = change_notices.change_planned(subscription, version, begins_at=begins_at)
            notices.tell([told], now=now)
        return _changing(subscription, None)


def _ask(
    member_id: UUID, subscription_id: UUID, offer_id: UUID, channel: str, now: datetime
) -> Changing:
    """Make the change, if it costs nothing now; else write down that it is to be paid for."""
    with transaction():
        subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
        try:
            change = change_to(subscription, offer_id, channel=channel, now=now)
        except SamePlan:
            return _made_before(subscription)
        lots = lock_lots(subscription, change.period, now=now)
        quoted = quote(change, lots=lots, now=now)
        _refuse_without_card(change, quoted.amount)
        asked = asked_change.find(subscription.id)
        if asked is not None and _is_same(asked, quoted):
            return _changing(subscription, asked)
        asked_change.give_up(subscription, now=now)
        row = _row(quoted, now)
        if row.amount > 0:
            _begin_payment(subscription, row, now)
            history.remark(subscription, "change_asked", at=now, **facts_of(row))
        else:
            apply(Applying(change, row, lots, quoted.proration, now, now, quoted.back))
        return _changing(subscription, row)


def _made_before(subscription: Subscription) -> Changing:
    """Who asks again for what was just made is answered; who is on these terms anyway is not."""
    period = newest_period(subscription.id)
    if not is_made(subscription, period, subscription.offer_version_id):
        raise SamePlan
    return _changing(subscription, changes_of(period)[0])


def _is_same(asked: PlanChange, quoted: Quote) -> bool:
    here = (asked.period_id, asked.to_version_id, asked.days_left, asked.amount)
    return here == (
        quoted.change.period.id,
        quoted.change.after.version.id,
        quoted.days.left,
        quoted.amount,
    )


def _row(quoted: Quote, now: datetime) -> PlanChange:
    change = quoted.change
    row = PlanChange(
        id=new_id(),
        subscription_id=change.subscription.id,
        member_id=change.subscription.member_id,
        period_id=change.period.id,
        from_version_id=change.before.version.id,
        to_version_id=change.after.version.id,
        days=quoted.days.whole,
        days_left=quoted.days.left,
        amount=quoted.amount,
        net=quoted.net,
        vat=quoted.vat,
        currency=change.after.version.currency,
        status="asked",
        asked_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _begin_payment(subscription: Subscription, row: PlanChange, now: datetime) -> None:
    payment = payments.begin(
        member_id=row.member_id,
        purpose=PURPOSE,
        purpose_id=row.id,
        amount=row.amount,
        currency=row.currency,
        card_id=subscription.card_id,
        now=now,
    )
    row.payment_id = payment.id
    db.session.flush()


def _settle(change_id: UUID, payment_id: UUID, now: datetime) -> Changing:
    with transaction():
        payment = payments.get_payment(payment_id)
        if payment.status in payments.policy.PAID:
            complete(change_id=change_id, payment_id=payment_id, now=now)
        elif payment.settled_at is not None:
            give_up_unpaid(change_id=change_id, payment_id=payment_id, is_told=False, now=now)
        row = db.session.get_one(PlanChange, change_id)
        return Changing(row, change_of(row))


def _changing(subscription: Subscription, row: PlanChange | None) -> Changing:
    db.session.flush()
    if row is not None:
        return Changing(row, change_of(row))
    assert subscription.next_version_id is not None  # it was planned just now
    return Changing(None, planned(subscription, subscription.next_version_id))


def _still_possible(
    subscription: Subscription, row: PlanChange, payment: Payment, now: datetime
) -> Applying | None:
    """The change as it was paid for, if it can still be made: by the days for which it was."""
    paid_at = payment.settled_at or now
    if row.status != "asked" or subscription.ended_at is not None:
        return None
    period = newest_period(subscription.id)
    is_its_period = period.id == row.period_id and period.status == "paid" and now < period.ends_at
    is_of_it = subscription.offer_version_id == row.from_version_id
    if not is_its_period or not is_of_it or paid_at > row.asked_at + GOOD_FOR:
        return None
    change = Change(subscription, period, plan_of(row.from_version_id), plan_of(row.to_version_id))
    lots = lock_lots(subscription, period, now=now)
    proration = policy.prorate(
        held=policy.total(held_in(lots, now=now)),
        before=terms_of(change.before),
        after=terms_of(change.after),
        days=policy.Days(row.days, row.days_left),
        returnable=0,
        amount=row.amount,
    )
    applying = Applying(change, row, lots, proration, paid_at, now)
    return applying if can_take_over(applying) else None


def _return(subscription: Subscription, row: PlanChange, payment: Payment, now: datetime) -> None:
    if row.status == "asked":
        asked_change.fail(row, now=now)
    if payment.status not in payments.policy.PAID:
        return
    if (
        payment.status == "surplus"
        or payments.return_surplus(payment_id=payment.id, now=now) is None
    ):
        return
    facts = {**facts_of(row), "amount": payment.amount}
    history.remark(subscription, "late_payment_returned", at=now, **facts)
    version = plan_of(row.to_version_id).version
    told = change_notices.change_too_late(subscription, version, amount=payment.amount)
    notices.tell([told], now=now)


def _refuse_at_end(change: Change) -> None:
    """Raises: RenewalUnderWay, ChangeNotNow: nothing can be planned ahead."""
    subscription = change.subscription
    if subscription.status not in _RESTING:
        raise ChangeNotNow(state=subscription.status)
    if change.period.status == "due":
        raise RenewalUnderWay


def _sold(change: Change) -> SoldPlan:
    version = change.after.version
    return SoldPlan(db.session.get_one(Offer, version.offer_id).code, version)


def _refuse_without_card(change: Change, amount: int) -> None:
    if amount > 0 and change.subscription.card_id is None:
        raise ChangeNeedsCard


def _next_at(change: Change) -> datetime:
    """When the next period begins."""
    return change.subscription.resumes_at or change.period.ends_at
