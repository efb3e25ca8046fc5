"""A member cancels, or changes their mind."""

from datetime import datetime
from uuid import UUID

from subs.errors import SubscriptionEnded
from subs.models import Subscription
from subs.queries import Standing, get_standing
from subs.service.outcome import end
from subs.service.rows import lock_own, newest_period


def cancel(*, member_id: UUID, subscription_id: UUID, now: datetime) -> Standing:
    """Cancel at the end of the period that is paid; a past due subscription, at once.

    Cancelling again, while the end has not come, changes nothing.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: there is nothing left to cancel.
    """
    subscription = lock_own(member_id=member_id, subscription_id=subscription_id)
    _refuse_ended(subscription)
    subscription.cancel_at_end = True
    if subscription.status == "past_due":
        end(subscription, newest_period(subscription.id), ended_at=now, now=now)
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def keep(*, member_id: UUID, subscription_id: UUID) -> Standing:
    """Undo a cancelling whose end has not come; keeping what was not cancelled changes nothing.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: it is too late.
    """
    subscription = lock_own(member_id=member_id, subscription_id=subscription_id)
    _refuse_ended(subscription)
    subscription.cancel_at_end = False
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def _refuse_ended(subscription: Subscription) -> None:
    if subscription.ended_at is not None:
        raise SubscriptionEnded(ended_as=subscription.status)
