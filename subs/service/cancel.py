"""A member cancels, or changes their mind."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from subs.models import Subscription
from subs.queries import Standing, get_standing
from subs.service import history, turns
from subs.service.ending import end
from subs.service.giving_back import give_back_rest
from subs.service.living import lock_live
from subs.service.rows import newest_period

When = Literal["end", "now"]

_PAID_FOR = ("trialing", "active")


def cancel(
    *,
    member_id: UUID,
    subscription_id: UUID,
    at: When = "end",
    reason: str | None = None,
    now: datetime,
) -> Standing:
    """Cancel at the end of the period that is paid, or (`now`) at once.

    At once too where nothing is paid: past due, or resting. What is left of a paid period that ends
    at once goes back by the plan's terms; where they give nothing back, its cups stay good until
    its end. What is charged at this moment is seen through where the plan ends later, and returned
    where it ends at once. Cancelling again before the end has come may name another reason, which
    is noted but not told, or bring the end forward; else it changes nothing.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: there is nothing left to cancel.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    before = subscription.cancel_reason
    subscription.cancel_reason = reason or before
    if at == "now" or subscription.status not in _PAID_FOR:
        _end_at_once(subscription, now)
    elif not subscription.cancel_at_end:
        _end_later(subscription, now)
    elif subscription.cancel_reason != before:
        _note_asked(subscription, now)
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def keep(*, member_id: UUID, subscription_id: UUID, now: datetime) -> Standing:
    """Undo a cancelling whose end has not come; keeping what was not cancelled changes nothing.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: it is too late.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    if subscription.cancel_at_end:
        subscription.cancel_at_end, subscription.cancel_reason = False, None
        history.remark(subscription, "cancel_withdrawn", at=now)
        turns.tell_turn(subscription, now=now)
    return get_standing(member_id=member_id, subscription_id=subscription_id)


def _end_later(subscription: Subscription, now: datetime) -> None:
    subscription.cancel_at_end = True
    _note_asked(subscription, now)
    turns.tell_turn(subscription, now=now)


def _note_asked(subscription: Subscription, now: datetime) -> None:
    paid_until = newest_period(subscription.id).ends_at
    facts = {"reason": subscription.cancel_reason, "ends_at": paid_until.isoformat()}
    history.remark(subscription, "cancel_asked", at=now, **facts)


def _end_at_once(subscription: Subscription, now: datetime) -> None:
    """Give back what the terms say of the rest, then end it."""
    given_back = give_back_rest(subscription, now=now)
    newest = newest_period(subscription.id)
    unpaid = newest if newest.status == "due" else None
    end(subscription, unpaid, ended_at=now, now=now, given_back=given_back)
