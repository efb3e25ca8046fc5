"""A subscription ends: its member cancelled, or nothing more can be tried."""

from datetime import datetime
from typing import Any
from uuid import UUID

from kernel import outbox
from subs import notices
from subs.models import Period, Subscription
from subs.service import history
from subs.service.consequences import Consequences
from subs.service.rows import newest_period, plan_of

GIVEN_UP = "subscription_period.given_up"


def end(
    subscription: Subscription,
    unpaid: Period | None,
    *,
    ended_at: datetime,
    now: datetime,
    given_back: int = 0,
) -> None:
    """A cancelling takes effect. A period that is due is not charged any more.

    The caller has locked the subscription. `given_back` is what the member gets for the rest of
    the paid period, gross.
    """
    found = Consequences()
    cancel_in(found, subscription, unpaid, ended_at=ended_at, now=now, given_back=given_back)
    found.write(now=now)


def cancel_in(
    found: Consequences,
    subscription: Subscription,
    unpaid: Period | None,
    *,
    ended_at: datetime,
    now: datetime,
    given_back: int = 0,
) -> None:
    """End a cancelled subscription of a set, see `end`."""
    facts: dict[str, Any] = {"reason": subscription.cancel_reason}
    if given_back:
        facts["given_back"] = given_back
    _stop(
        found,
        subscription,
        unpaid,
        to="cancelled",
        cause="cancelled",
        ended_at=ended_at,
        now=now,
        **facts,
    )
    version = plan_of(subscription.offer_version_id).version
    found.told.append(notices.ended(subscription, version, given_back=given_back))


def dispute_in(
    found: Consequences,
    subscription: Subscription,
    unpaid: Period | None,
    *,
    dispute_id: UUID,
    now: datetime,
) -> None:
    """A bank took a payment back for good: the subscription of a set ends at once."""
    _stop(
        found,
        subscription,
        unpaid,
        to="cancelled",
        cause="disputed",
        ended_at=now,
        now=now,
        dispute_id=str(dispute_id),
    )
    version = plan_of(subscription.offer_version_id).version
    found.told.append(notices.disputed(subscription, version))


def lapse_in(
    found: Consequences,
    subscription: Subscription,
    unpaid: Period | None,
    *,
    cause: str,
    ended_at: datetime,
    now: datetime,
) -> None:
    """Nothing more is tried, for this cause: the subscription of a set ends unpaid."""
    _stop(found, subscription, unpaid, to="lapsed", cause=cause, ended_at=ended_at, now=now)
    version = plan_of(subscription.offer_version_id).version
    found.told.append(_LAPSED[cause](subscription, version))


_LAPSED = {
    "not_paid": notices.lapsed,
    "trial_not_continued": notices.trial_not_continued,
    "gift_used_up": notices.gift_used_up,
}


def give_up_payment(subscription: Subscription, period: Period, *, now: datetime) -> None:
    """Have the open payment of a period cancelled at the provider: its money is not wanted."""
    if period.payment_id is not None:
        outbox.emit(
            GIVEN_UP, member_id=subscription.member_id, payment_id=period.payment_id, now=now
        )


def close_period(period: Period, status: str) -> None:
    """A period is not due any more: it is paid, or stays unpaid."""
    period.status = status
    period.payment_id = period.asked_at = period.retry_at = None


def _stop(
    found: Consequences,
    subscription: Subscription,
    unpaid: Period | None,
    *,
    to: str,
    cause: str,
    ended_at: datetime,
    now: datetime,
    **facts: Any,
) -> None:
    if unpaid is None:
        paid_until = newest_period(subscription.id).ends_at
    else:
        paid_until = unpaid.starts_at
        give_up_payment(subscription, unpaid, now=now)
        close_period(unpaid, "unpaid")
    subscription.due_at = subscription.leased_until = None
    subscription.pauses_at = subscription.resumes_at = subscription.next_version_id = None
    subscription.ended_at = ended_at
    found.events.append(history.turned(subscription, to, cause=cause, at=now, **facts))
    found.closed[subscription] = max(ended_at, paid_until)
