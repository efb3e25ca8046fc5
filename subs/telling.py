"""Whether what a member was to be told is true still, asked when it is about to be sent.

Each is asked in a transaction of its own, with the facts of the notice.
"""

from sqlalchemy import exists, select

import payments
from kernel.db import db
from kernel.wording import Money
from members import Facts
from subs.models import Period, Subscription
from vouchers.models import Lot, OfferVersion


def is_live(facts: Facts) -> bool:
    """The plan has not ended."""
    return _one(facts).ended_at is None


def is_unpaid_still(facts: Facts) -> bool:
    """The period waits to be paid, and nothing was tried since or is being tried."""
    period = _period(facts)
    return (
        period.status == "due"
        and period.payment_id is None
        and period.attempts == facts["attempts"]
    )


def is_asked_still(facts: Facts) -> bool:
    """The payment waits for its cardholder, who was not asked again since.

    The payment itself is looked at: the news that it is paid may be on its way.
    """
    period = _period(facts)
    if period.asked_at is None or period.payment_id is None:
        return False
    payment = payments.get_payment(period.payment_id)
    return payment.status == "requires_action" and period.attempts == facts["attempts"]


def is_to_end(facts: Facts) -> bool:
    """The plan was cancelled, and its end has not come."""
    one = _one(facts)
    return one.ended_at is None and one.cancel_at_end


def is_kept(facts: Facts) -> bool:
    """The plan goes on."""
    one = _one(facts)
    return one.ended_at is None and not one.cancel_at_end


def is_to_pause(facts: Facts) -> bool:
    """The pause is to come, with these dates."""
    one = _one(facts)
    dates = (facts["pauses_at"], facts["resumes_at"])
    return one.status == "active" and (one.pauses_at, one.resumes_at) == dates


def is_not_to_pause(facts: Facts) -> bool:
    """No pause is to come."""
    one = _one(facts)
    return one.ended_at is None and one.pauses_at is None


def is_paused_still(facts: Facts) -> bool:
    """The plan rests until then."""
    one = _one(facts)
    return one.status == "paused" and one.resumes_at == facts["resumes_at"]


def is_trial_to_be_charged(facts: Facts) -> bool:
    """The trial will be over, and there is a card that is charged then."""
    one = _one(facts)
    return _is_trial_to_go_on(one) and one.card_id is not None


def is_trial_without_card(facts: Facts) -> bool:
    """The trial will be over, and there is no card with which to go on."""
    one = _one(facts)
    return _is_trial_to_go_on(one) and one.card_id is None


def is_prepaid_to_be_charged(facts: Facts) -> bool:
    """The last prepaid period runs, and a card is charged this price when it is over."""
    one = _one(facts)
    if one.card_id is None or not _is_last_prepaid(one, facts):
        return False
    version = db.session.get_one(OfferVersion, one.offer_version_id)
    price: object = facts["price"]
    return one.next_version_id is None and price == Money(version.price, version.currency)


def is_prepaid_without_card(facts: Facts) -> bool:
    """The last prepaid period runs, and there is no card with which to go on."""
    one = _one(facts)
    return one.card_id is None and _is_last_prepaid(one, facts)


def _is_last_prepaid(one: Subscription, facts: Facts) -> bool:
    """It runs, nothing else is asked for at its end, and no other one is in the wallet."""
    if one.status != "active" or one.cancel_at_end or one.pauses_at is not None:
        return False
    newest = select(Period.id).where(Period.subscription_id == one.id)
    is_running = newest.order_by(Period.number.desc()).limit(1)
    if db.session.scalar(is_running) != facts["period_id"]:
        return False
    of_it = select(OfferVersion.offer_id).where(OfferVersion.id == one.offer_version_id)
    left = exists().where(
        Lot.member_id == one.member_id,
        Lot.is_open,
        Lot.prepays_plan,
        Lot.frozen_at.is_(None),
        Lot.offer_id == of_it.scalar_subquery(),
    )
    return not db.session.scalar(select(left))


def _is_trial_to_go_on(one: Subscription) -> bool:
    return one.status == "trialing" and not one.cancel_at_end


def _one(facts: Facts) -> Subscription:
    return db.session.get_one(Subscription, facts["subscription_id"])


def _period(facts: Facts) -> Period:
    return db.session.get_one(Period, facts["period_id"])
