"""A member has a plan rest: from the end of what is paid until a day, or sooner again.

A pause that is asked for is two columns and a remark; the renewal (`subs.service.renewal`) makes it
begin and end. Every verb takes the subscription's row first, as the renewal does, so that either
the period is charged or the pause is noted, never both.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from kernel import queue
from kernel.transaction import after_commit
from subs import notices, pause_policy
from subs.change_errors import PlanEnds
from subs.errors import (
    NotPaused,
    PauseBegun,
    PauseDays,
    PauseNotNow,
    PauseNotOffered,
    RenewalUnderWay,
)
from subs.models import Subscription
from subs.pause_policy import Offered
from subs.queries import Standing, get_standing
from subs.service import history, renewal
from subs.service.living import lock_live
from subs.service.rows import newest_period, plan_of

_SOON = timedelta(minutes=1)


def pause(*, member_id: UUID, subscription_id: UUID, until: date, now: datetime) -> Standing:
    """Rest from the end of the period that is paid until a day, on which it goes on.

    The day is one of the subscription's time zone, at the time of day of that end. Asking again
    before the pause begins gives it another end.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: there is nothing left to pause.
        PauseNotOffered: the plan is not of that kind.
        PlanEnds: it was cancelled, and will not go on after a pause.
        PauseNotNow: it is in a trial, not paid, or paused already.
        RenewalUnderWay: the next period is being charged at this moment.
        PauseDays: not until that day.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    found = _offered(subscription, now)
    if not found.has(until):
        raise PauseDays(first_on=found.first_on.isoformat(), last_on=found.last_on.isoformat())
    dates = found.begins_at, found.resumes_at(until)
    if (subscription.pauses_at, subscription.resumes_at) != dates:
        subscription.pauses_at, subscription.resumes_at = dates
        history.remark(subscription, "pause_asked", at=now, **_dates(subscription))
        version = plan_of(subscription.offer_version_id).version
        notices.tell([notices.pause_asked(subscription, version)], now=now)
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def withdraw_pause(*, member_id: UUID, subscription_id: UUID, now: datetime) -> Standing:
    """Not rest after all. Where no pause is to come, nothing changes.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: it is too late.
        PauseBegun: the plan rests already; resuming ends that.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    if subscription.status == "paused":
        raise PauseBegun
    if subscription.pauses_at is not None:
        history.remark(subscription, "pause_withdrawn", at=now, **_dates(subscription))
        subscription.pauses_at = subscription.resumes_at = None
        version = plan_of(subscription.offer_version_id).version
        notices.tell([notices.pause_withdrawn(subscription, version)], now=now)
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def resume(*, member_id: UUID, subscription_id: UUID, now: datetime) -> Standing:
    """Go on now: the next period begins at this moment, and is charged at once.

    It rests until that is paid. Asking again, or just before it goes on anyway, changes nothing.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: what was cancelled does not go on.
        NotPaused: it does not rest.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    if subscription.status != "paused" or subscription.resumes_at is None:
        raise NotPaused(state=subscription.status)
    if subscription.resumes_at > now + _SOON:
        history.remark(subscription, "resume_asked", at=now, **_dates(subscription))
        subscription.resumes_at = subscription.due_at = now
        after_commit(lambda: queue.ring(renewal.DUTY))
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def _offered(subscription: Subscription, now: datetime) -> Offered:
    """Raises: PauseNotOffered, PlanEnds, PauseNotNow, RenewalUnderWay: none is, see `pause`."""
    most_days = plan_of(subscription.offer_version_id).schedule.most_pause_days
    if most_days == 0:
        raise PauseNotOffered
    if subscription.cancel_at_end:
        raise PlanEnds
    if subscription.status != "active":
        raise PauseNotNow(state=subscription.status)
    newest = newest_period(subscription.id)
    if newest.status == "due":
        raise RenewalUnderWay
    return pause_policy.offered(
        paid_until=newest.ends_at,
        now=now,
        time_zone=subscription.time_zone,
        most_days=most_days,
    )


def _dates(subscription: Subscription) -> dict[str, str]:
    moments = {"pauses_at": subscription.pauses_at, "resumes_at": subscription.resumes_at}
    return {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
