"""A member has another card charged."""

from datetime import datetime
from uuid import UUID

import payments
from kernel import queue
from kernel.transaction import after_commit, again, transaction
from payments.models import Card
from subs import notices
from subs.models import Subscription
from subs.queries import Standing, get_standing
from subs.service import history, renewal
from subs.service.living import lock_live
from subs.service.outcome import retry_at_once
from subs.service.rows import newest_period, plan_of


def change_card(
    *, member_id: UUID, subscription_id: UUID, payment_method: str, now: datetime
) -> Standing:
    """Save a card with the provider and renew with it; a past due plan is tried with it at once.

    Opens its own transactions, since the provider is asked in between. Safe to repeat.

    Raises:
        NotFound: it is not the member's.
        SubscriptionEnded: nothing will be charged any more.
        CardDeclined: the issuer refuses the card.
        CardNeedsAuthentication: its holder must authenticate first.
        Unavailable: the provider is silent; nothing has changed.
    """
    open_payment_id = again(lambda: _waiting_payment(member_id, subscription_id))
    card = payments.save_card(member_id=member_id, payment_method=payment_method, now=now)
    if open_payment_id is not None:
        payments.cancel(payment_id=open_payment_id)
    return again(lambda: _use(member_id, subscription_id, card, now))


def _waiting_payment(member_id: UUID, subscription_id: UUID) -> UUID | None:
    """The payment that waits for the member to authenticate it with the old card."""
    with transaction():
        lock_live(member_id=member_id, subscription_id=subscription_id)
        newest = newest_period(subscription_id)
        return None if newest.asked_at is None else newest.payment_id


def _use(member_id: UUID, subscription_id: UUID, card: Card, now: datetime) -> Standing:
    with transaction():
        subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
        if subscription.card_id != card.id:
            _change(subscription, card, now)
        _try_at_once(subscription, now)
        return get_standing(member_id=member_id, subscription_id=subscription_id)


def _change(subscription: Subscription, card: Card, now: datetime) -> None:
    """Note the other card. What is past due is about to be tried: the outcome is told then."""
    subscription.card_id = card.id
    history.remark(subscription, "card_changed", at=now)
    if subscription.status != "past_due":
        version = plan_of(subscription.offer_version_id).version
        notices.tell([notices.card_changed(subscription, version)], now=now)


def _try_at_once(subscription: Subscription, now: datetime) -> None:
    newest = newest_period(subscription.id)
    is_unheard = newest.payment_id is not None and newest.asked_at is None
    if subscription.status == "past_due" and not is_unheard:
        retry_at_once(subscription, newest, now=now)
        after_commit(lambda: queue.ring(renewal.DUTY))
