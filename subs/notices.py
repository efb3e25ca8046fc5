"""What a member is told about a subscription: one message for each thing that happens to it.

A verb makes what is to be told with the rows as they have become, and `tell` promises it in the
same transaction. When it is about to be sent, `subs.telling` looks whether it is true still, so
that no "it failed" comes after the "it is paid". The words are in `subs.wording`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, literal, select

import members
from kernel.config import config
from kernel.db import db
from kernel.wording import Count, Fact, Money
from subs import wording
from subs.models import Period, PlanSchedule, Subscription
from vouchers.models import OfferVersion

BEFORE_TRIAL_ENDS = timedelta(days=3)
BEFORE_PREPAID_ENDS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Told:
    """A notice to a member, and its facts."""

    member_id: UUID
    notice: members.Notice
    facts: Mapping[str, Fact]


def tell(told: Iterable[Told], *, now: datetime) -> None:
    """Promise the notices, if and when the open transaction commits."""
    for one in told:
        members.notify(one.member_id, one.notice, now=now, **one.facts)


def renewed(
    subscription: Subscription, period: Period, version: OfferVersion, *, is_prepaid: bool = False
) -> Told:
    """A period was paid; `is_prepaid` by whoever gave the plan, so that nothing was charged."""
    if is_prepaid:
        return _gone_on(subscription, period, version)
    return _charged(wording.RENEWED, subscription, period, version)


def converted(subscription: Subscription, period: Period, version: OfferVersion) -> Told:
    """The first period after a trial was paid."""
    return _charged(wording.CONVERTED, subscription, period, version)


def recovered(subscription: Subscription, period: Period, version: OfferVersion) -> Told:
    """A renewal that had failed is paid after all."""
    return _charged(wording.RECOVERED, subscription, period, version)


def resumed(subscription: Subscription, period: Period, version: OfferVersion) -> Told:
    """The first period after a pause was paid."""
    return _charged(wording.RESUMED, subscription, period, version)


def less(told: Told, *, ended: Count, most: Count) -> Told:
    """The same, where not everything that was left goes along into the new period."""
    facts = {**told.facts, "ended": ended, "most": most}
    return Told(told.member_id, wording.LESS[told.notice.name], facts)


def renewal_failed(subscription: Subscription, period: Period, version: OfferVersion) -> Told:
    """An attempt failed: it is tried again at a time, or another card is needed by one."""
    facts = _facts(version, period_id=period.id, attempts=period.attempts)
    if period.retry_at is None:
        facts |= {"lapses_at": period.lapses_at}
        return Told(subscription.member_id, wording.CARD_WANTED, facts)
    facts |= {"retry_at": period.retry_at}
    return Told(subscription.member_id, wording.RENEWAL_FAILED, facts)


def authentication_wanted(
    subscription: Subscription, period: Period, version: OfferVersion
) -> Told:
    """The bank wants its cardholder for a period's payment, which waits for that."""
    facts = _facts(version, period_id=period.id, attempts=period.attempts, link=_link(subscription))
    return Told(subscription.member_id, wording.AUTHENTICATION_WANTED, facts)


def lapsed(subscription: Subscription, version: OfferVersion) -> Told:
    """Nothing more is tried: the plan is over, unpaid."""
    return _of_ended(wording.LAPSED, subscription, version)


def trial_not_continued(subscription: Subscription, version: OfferVersion) -> Told:
    """A trial is over, and there is no card with which to go on."""
    return _of_ended(wording.TRIAL_NOT_CONTINUED, subscription, version)


def gift_used_up(subscription: Subscription, version: OfferVersion) -> Told:
    """The last period that somebody gave is over, and there is no card with which to go on."""
    return _of_ended(wording.GIFT_USED_UP, subscription, version)


def cancel_asked(
    subscription: Subscription, version: OfferVersion, *, paid_until: datetime
) -> Told:
    """The member cancelled for the end of what is paid."""
    facts = _facts(version, subscription_id=subscription.id, ends_at=paid_until)
    return Told(subscription.member_id, wording.CANCEL_ASKED, facts)


def kept(subscription: Subscription, version: OfferVersion) -> Told:
    """The member took the cancelling back."""
    facts = _facts(version, subscription_id=subscription.id)
    return Told(subscription.member_id, wording.KEPT, facts)


def ended(subscription: Subscription, version: OfferVersion, *, given_back: int = 0) -> Told:
    """A cancelling has taken effect; `given_back` is what the member gets for the rest, gross."""
    if given_back == 0:
        return _of_ended(wording.ENDED, subscription, version)
    told = _of_ended(wording.ENDED_WITH_REFUND, subscription, version)
    amount = Money(given_back, version.currency)
    return Told(told.member_id, told.notice, {**told.facts, "amount": amount})


def disputed(subscription: Subscription, version: OfferVersion) -> Told:
    """A bank took a payment back for good, so the plan is over."""
    return _of_ended(wording.DISPUTED, subscription, version)


def pause_asked(subscription: Subscription, version: OfferVersion) -> Told:
    """The member will pause from the end of what is paid."""
    assert subscription.pauses_at is not None
    facts = _of_pause(subscription, version)
    facts["pauses_at"] = subscription.pauses_at
    return Told(subscription.member_id, wording.PAUSE_ASKED, facts)


def pause_withdrawn(subscription: Subscription, version: OfferVersion) -> Told:
    """The member will not pause after all."""
    facts = _facts(version, subscription_id=subscription.id)
    return Told(subscription.member_id, wording.PAUSE_WITHDRAWN, facts)


def paused(subscription: Subscription, version: OfferVersion) -> Told:
    """A pause has begun."""
    return Told(subscription.member_id, wording.PAUSED, _of_pause(subscription, version))


def card_changed(subscription: Subscription, version: OfferVersion) -> Told:
    """Another card is charged from now on."""
    return Told(subscription.member_id, wording.CARD_CHANGED, _facts(version))


def late_payment_returned(
    subscription: Subscription, version: OfferVersion, *, amount: int
) -> Told:
    """Money came for a plan that is over, and goes back."""
    facts = _facts(version, amount=Money(amount, version.currency))
    return Told(subscription.member_id, wording.LATE_PAYMENT_RETURNED, facts)


def promise_trial_end(subscription_id: UUID, *, ends_at: datetime, now: datetime) -> None:
    """Promise that a trial's end is told three days before it, at once where it is shorter.

    Two notices wait for that day: of which one is true then (there is a card, or there is none)
    that one is sent. The subscription's row must be there.
    """
    at = max(now, ends_at - BEFORE_TRIAL_ENDS)
    price = func.coalesce(PlanSchedule.intro_price, OfferVersion.price)
    found = (
        select(
            Subscription.member_id,
            Subscription.id.label("subscription_id"),
            OfferVersion.name.label("plan"),
            literal(ends_at).label("ends_at"),
            func.jsonb_build_object("amount", price, "currency", OfferVersion.currency).label(
                "price"
            ),
        )
        .join(OfferVersion, OfferVersion.id == Subscription.offer_version_id)
        .join(PlanSchedule, PlanSchedule.offer_version_id == OfferVersion.id)
        .where(Subscription.id == subscription_id)
    )
    for notice in (wording.TRIAL_ENDS_PAID, wording.TRIAL_ENDS_WITHOUT_CARD):
        db.session.execute(members.notices_to(notice, found, now=at))


def promise_prepaid_end(
    subscription: Subscription, period: Period, version: OfferVersion, *, now: datetime
) -> None:
    """Promise that the end of prepaid periods is told a week before, at once if that is over.

    Two notices wait for that day, as of a trial; neither is sent while another one is left.
    """
    facts = _facts(
        version, subscription_id=subscription.id, period_id=period.id, ends_at=period.ends_at
    )
    price = Money(version.price, version.currency)
    told = [
        Told(subscription.member_id, wording.PREPAID_ENDS_PAID, {**facts, "price": price}),
        Told(subscription.member_id, wording.PREPAID_ENDS, facts),
    ]
    tell(told, now=max(now, period.ends_at - BEFORE_PREPAID_ENDS))


def _charged(
    notice: members.Notice, subscription: Subscription, period: Period, version: OfferVersion
) -> Told:
    """Of a period that cost something; of one that cost nothing no charge is spoken of."""
    if period.price == 0:
        return _gone_on(subscription, period, version)
    price = Money(period.price, version.currency)
    facts = _facts(version, price=price, ends_at=period.ends_at)
    return Told(subscription.member_id, notice, facts)


def _gone_on(subscription: Subscription, period: Period, version: OfferVersion) -> Told:
    facts = _facts(version, subscription_id=subscription.id, ends_at=period.ends_at)
    return Told(subscription.member_id, wording.GOES_ON, facts)


def _of_ended(notice: members.Notice, subscription: Subscription, version: OfferVersion) -> Told:
    assert subscription.ended_at is not None
    return Told(subscription.member_id, notice, _facts(version, ended_at=subscription.ended_at))


def _of_pause(subscription: Subscription, version: OfferVersion) -> dict[str, Fact]:
    assert subscription.resumes_at is not None
    return _facts(version, subscription_id=subscription.id, resumes_at=subscription.resumes_at)


def _facts(version: OfferVersion, **facts: Fact) -> dict[str, Fact]:
    return {"plan": version.name, **facts}


def _link(subscription: Subscription) -> str:
    """The address that opens this plan in the chain's app. It tells nothing and lets nobody in."""
    return f"{config().public_origin}/s/{subscription.id}"
