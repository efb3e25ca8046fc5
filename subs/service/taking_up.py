"""What is due about subscriptions is done, all but the charges: those are answered, to be asked.

Decided in `subs.policy`, one by one; written in sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import payments
from kernel.db import db
from payments import Wanted
from subs import notices, policy
from subs.models import Period, Subscription
from subs.policy import Every, Pause, Step, Unpaid
from subs.service import history
from subs.service.consequences import Consequences
from subs.service.ending import cancel_in, give_up_payment, lapse_in
from subs.service.new_periods import write_periods
from subs.service.next_terms import NextTerms
from subs.service.outcome import ask_again, next_look_at, record_failure
from subs.service.plain_renewals import take_up_plain
from subs.service.prepaying import Prepayments
from subs.service.renewal import PURPOSE, Case, Claim, cases_of, locked
from subs.service.rows import Plan, Renewing, new_period, plan_of
from subs.service.settling import Settling, settle_all

_LOOK_AGAIN = timedelta(seconds=60)


def take_up(claims: Sequence[Claim], *, now: datetime) -> list[payments.Asking]:
    """Do what is due about locked and leased subscriptions; answer what is to be asked for.

    Plain renewals go their own way. Of the others: 1. Decide about each. 2. Write what is to be
    charged, with its own key. 3. Settle what costs nothing, or was paid before. 4. Write what
    follows: history, notices, cups that end.
    """
    claimed = [one.subscription_id for one in claims]
    if not claimed:
        return []
    plain, rest = take_up_plain(claimed, now=now)
    return [*plain, *(_take_up(locked(rest), now) if rest else ())]


def _take_up(found: Sequence[Subscription], now: datetime) -> list[payments.Asking]:
    taking = _TakingUp(found, now)
    for case in cases_of(found):
        taking.decide(case)
    return taking.write()


@dataclass(slots=True)
class _Charge:
    """A period that is to be charged; `is_new` if it was made just now."""

    subscription: Subscription
    period: Period
    plan: Plan
    is_new: bool


@dataclass
class _TakingUp:
    """A set of subscriptions on the way to what is due about them."""

    found: Sequence[Subscription]
    now: datetime
    follows: Consequences = field(default_factory=Consequences)
    charges: list[_Charge] = field(default_factory=list)
    settling: list[Settling] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.terms = NextTerms(self.found)
        self.prepayments = Prepayments(self.found)

    def decide(self, case: Case) -> None:
        """Do what comes first about one subscription; it keeps its lease where it is charged."""
        step = _step(case, self.now)
        subscription, unpaid = case.subscription, case.unpaid
        if step in (Step.END, Step.LAPSE) and case.is_paid:
            _look_again(subscription, self.now)  # the news of it is on its way
            return
        paid_until = _paid_until(case)
        match step:
            case Step.END:
                cancel_in(self.follows, subscription, unpaid, ended_at=paid_until, now=self.now)
            case Step.LAPSE:
                lapse_in(
                    self.follows, subscription, unpaid, cause="not_paid", ended_at=self.now,
                    now=self.now,
                )  # fmt: skip
            case Step.PAUSE:
                self._pause(subscription)
            case Step.WAIT:
                subscription.leased_until = None
                subscription.due_at = _waits_until(case)
            case Step.RENEW if unpaid is None:
                self._renew(case, paid_until)
            case Step.RENEW:
                self._retry(case, unpaid)

    def write(self) -> list[payments.Asking]:
        """Write all of it; answer what is to be asked for."""
        asked = self._begin()
        settle_all(self.settling, now=self.now)
        self.follows.write(now=self.now)
        return asked

    def _pause(self, subscription: Subscription) -> None:
        assert subscription.resumes_at is not None  # a pause has two ends
        subscription.due_at, subscription.leased_until = subscription.resumes_at, None
        until = subscription.resumes_at.isoformat()
        self.follows.events.append(
            history.turned(subscription, "paused", cause="paused", at=self.now, resumes_at=until)
        )
        version = plan_of(subscription.offer_version_id).version
        self.follows.told.append(notices.paused(subscription, version))

    def _renew(self, case: Case, paid_until: datetime) -> None:
        """Make the next period, on its terms, unless there is nobody to pay for it."""
        subscription, number = case.subscription, case.newest.number + 1
        starts_at = paid_until
        if subscription.status == "paused" and subscription.resumes_at is not None:
            starts_at = subscription.resumes_at
            subscription.anchor_at, subscription.anchor_number = starts_at, number
        missed_at, starts_at = starts_at, self._catch_up(subscription, starts_at)
        plan = self.terms.of(subscription, starts_at=starts_at)
        price = self.terms.price_after(subscription, case.newest, starts_at=starts_at)
        prepaid = self.prepayments.take(subscription, plan) if price else None
        is_paid = price == 0 or prepaid is not None
        if not is_paid and subscription.card_id is None:
            cause = self.prepayments.ends_because(subscription)
            if cause is not None:
                lapse_in(
                    self.follows, subscription, None, cause=cause, ended_at=paid_until,
                    now=self.now,
                )  # fmt: skip
                return
        self.terms.turn(
            self.follows, subscription, starts_at=starts_at, number=number, now=self.now
        )
        if missed_at < starts_at:
            self._let_go(subscription, missed_at, starts_at, number)
        period = new_period(subscription, plan, number=number, price=price, now=self.now)
        if is_paid:
            db.session.add(period)
            self.settling.append(Settling(subscription, period, plan, self.now, prepaid))
        elif subscription.card_id is not None:
            self.charges.append(_Charge(subscription, period, plan, is_new=True))
        else:
            db.session.add(period)
            record_failure(
                self.follows, Renewing(subscription, period, plan), is_final=True, now=self.now
            )

    def _catch_up(self, subscription: Subscription, starts_at: datetime) -> datetime:
        """When the next period begins: of a daily plan, the one that is today."""
        schedule = self.terms.of(subscription, starts_at=starts_at).schedule
        every = Every(schedule.every_count, schedule.every_unit)
        return policy.today_of(
            starts_at, every=every, time_zone=subscription.time_zone, now=self.now
        )

    def _let_go(
        self, subscription: Subscription, missed_at: datetime, starts_at: datetime, number: int
    ) -> None:
        """Days that nobody served are over; the calendar goes on at the same time of day."""
        subscription.anchor_at, subscription.anchor_number = starts_at, number
        let_go = {"from": missed_at.isoformat(), "to": starts_at.isoformat(), "number": number}
        event = history.remarked(subscription, "days_let_go", at=self.now, **let_go)
        self.follows.events.append(event)

    def _retry(self, case: Case, period: Period) -> None:
        """Go on with the payment whose outcome is not known, or begin another: never both."""
        subscription, waiting = case.subscription, case.waiting
        renewing = Renewing(subscription, period, plan_of(period.offer_version_id))
        if waiting is not None:
            if waiting.card_id == subscription.card_id:
                ask_again(self.follows, renewing, now=self.now)
            else:
                give_up_payment(subscription, period, now=self.now)
                _look_again(subscription, self.now)
            return
        if case.is_unheard:
            _look_again(subscription, self.now)
            return
        if period.asked_at is not None:
            period.payment_id = period.asked_at = None
        if subscription.card_id is None and period.payment_id is None:
            record_failure(self.follows, renewing, is_final=True, now=self.now)
            return
        self.charges.append(_Charge(subscription, period, renewing.plan, is_new=False))

    def _begin(self) -> list[payments.Asking]:
        """The payments first: a period names the one whose outcome is not known."""
        begun = payments.begin_all(
            purpose=PURPOSE, wanted=[_wanted(one) for one in self.charges], now=self.now
        )
        for one, payment in zip(self.charges, begun, strict=True):
            one.period.payment_id = payment.payment_id
        write_periods([one.period for one in self.charges if one.is_new])
        return [payment.asking for payment in begun if payment.asking is not None]


def _step(case: Case, now: datetime) -> Step:
    subscription, unpaid = case.subscription, case.unpaid
    return policy.next_step(
        now=now,
        paid_until=_paid_until(case),
        cancel_at_end=subscription.cancel_at_end,
        unpaid=None if unpaid is None else _standing(unpaid),
        pause=_pause_of(subscription),
    )


def _standing(unpaid: Period) -> Unpaid:
    is_under_way = unpaid.payment_id is not None and unpaid.asked_at is None
    return Unpaid(unpaid.retry_at, unpaid.lapses_at, is_under_way)


def _pause_of(subscription: Subscription) -> Pause | None:
    if subscription.pauses_at is None or subscription.resumes_at is None:
        return None
    has_begun = subscription.status == "paused"
    return Pause(subscription.pauses_at, subscription.resumes_at, has_begun)


def _paid_until(case: Case) -> datetime:
    return case.newest.ends_at if case.unpaid is None else case.unpaid.starts_at


def _waits_until(case: Case) -> datetime:
    if case.unpaid is not None:
        return next_look_at(case.unpaid)
    if case.subscription.status == "paused" and case.subscription.resumes_at is not None:
        return case.subscription.resumes_at
    return case.newest.ends_at


def _look_again(subscription: Subscription, now: datetime) -> None:
    subscription.due_at, subscription.leased_until = now + _LOOK_AGAIN, None


def _wanted(charge: _Charge) -> Wanted:
    subscription, period = charge.subscription, charge.period
    assert subscription.card_id is not None
    return Wanted(
        member_id=subscription.member_id,
        purpose_id=period.id,
        amount=period.price,
        currency=charge.plan.version.currency,
        card_id=subscription.card_id,
        is_first=charge.is_new,
    )
