"""A member takes a saved card back."""

from uuid import UUID

from sqlalchemy import select, update

import payments
from kernel.db import db
from subs.errors import CardInUse
from subs.models import Subscription


def forget_card(*, member_id: UUID, card_id: UUID) -> None:
    """Forget a saved card that renews nothing any more, in the caller's transaction.

    A subscription that takes the card at this very moment keeps it: the database refuses then.

    Raises:
        NotFound: the member has no such card.
        CardInUse: a subscription is renewed with it.
    """
    theirs = (Subscription.member_id == member_id, Subscription.card_id == card_id)
    using = select(Subscription.id).where(*theirs, Subscription.ended_at.is_(None)).limit(1)
    in_use = db.session.scalar(using)
    if in_use is not None:
        raise CardInUse(subscription_id=str(in_use))
    ended = update(Subscription).where(*theirs, Subscription.ended_at.is_not(None))
    db.session.execute(ended.values(card_id=None))
    payments.forget_card(member_id=member_id, card_id=card_id)
