"""A member's own subscription, while there is something to do with it."""

from uuid import UUID

from subs.errors import SubscriptionEnded
from subs.models import Subscription
from subs.service.rows import lock_own


def lock_live(*, member_id: UUID, subscription_id: UUID) -> Subscription:
    """Lock a member's subscription that has not ended.

    Raises:
        NotFound: there is none, or it is somebody else's.
        SubscriptionEnded: it is over.
    """
    subscription = lock_own(member_id=member_id, subscription_id=subscription_id)
    if subscription.ended_at is not None:
        raise SubscriptionEnded(ended_as=subscription.status)
    return subscription
