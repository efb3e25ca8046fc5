"""What a member is told who cancels and keeps a plan in turns.

A cancelling and its being taken back are told at once. Who goes on turning within the hour is told
when it is over how it stands then, and not of each turn: two notices wait, of which one will be
true. So nobody hears more than three times an hour, and the last they hear is so.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, func, select

from kernel.db import db
from kernel.outbox import Outbox
from members.notices import TOPIC
from subs import notices, wording
from subs.models import Subscription, SubscriptionEvent
from subs.service.rows import newest_period, plan_of

QUIET = timedelta(hours=1)

_TOLD_AT_ONCE = 2
_TURNS = ("cancel_asked", "cancel_withdrawn")
_NOTICES = (wording.CANCEL_ASKED.name, wording.KEPT.name)


def tell_turn(subscription: Subscription, *, now: datetime) -> None:
    """Tell whether the plan ends or goes on, at once or in an hour; the turn is in the history."""
    version = plan_of(subscription.offer_version_id).version
    paid_until = newest_period(subscription.id).ends_at
    ends = notices.cancel_asked(subscription, version, paid_until=paid_until)
    goes_on = notices.kept(subscription, version)
    if _turns(subscription, now) <= _TOLD_AT_ONCE:
        notices.tell([ends if subscription.cancel_at_end else goes_on], now=now)
    elif not _is_promised(subscription.member_id, subscription.id, now):
        notices.tell([ends, goes_on], now=now + QUIET)


def _turns(subscription: Subscription, now: datetime) -> int:
    """How often the member has turned within the last hour."""
    lately = select(func.count()).where(
        SubscriptionEvent.subscription_id == subscription.id,
        SubscriptionEvent.cause.in_(_TURNS),
        SubscriptionEvent.at > now - QUIET,
    )
    return db.session.scalars(lately).one()


def _is_promised(member_id: UUID, subscription_id: UUID, now: datetime) -> bool:
    waiting = exists().where(
        Outbox.member_id == member_id,
        Outbox.is_open,
        Outbox.is_notice,
        Outbox.topic == TOPIC,
        Outbox.due_at > now,
        Outbox.facts["notice"].astext.in_(_NOTICES),
        Outbox.facts["facts"]["subscription_id"].astext == str(subscription_id),
    )
    return bool(db.session.scalar(select(waiting)))
