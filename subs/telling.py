"""Whether what a member was to be told is true still, asked when it is about to be sent.

Each is asked in a transaction of its own, with the facts of the notice.
"""

from sqlalchemy import exists, select

import payments
from kernel.db import db
from kernel.wording import Money
from members import Facts
from subs.models import Period, Subscription
from subs.service.coming_terms import ComingTerms
from subs.service.rows import newest_period
from vouchers.models import Lot


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
    is_to_rest = one.status == "active" and not one.cancel_at_end
    return is_to_rest and (one.pauses_at, one.resumes_at) == dates


def is_not_to_pause(facts: Facts) -> bool:
    """The plan goes on, and no pause is to come."""
    return is_kept(facts) and _one(facts).pauses_at is None


def is_paused_still(facts: Facts) -> bool:
    """The plan rests until then."""
    one = _one(facts)
    return one.status == "paused" and one.resumes_at == facts["resumes_at"]


def is_trial_to_be_charged(facts: Facts) -> bool:
    """The trial will be over, and there is a card that is charged this price then."""
    one = _one(facts)
    return _is_trial_to_go_on(one, facts) and one.card_id is not None


def is_trial_without_card(facts: Facts) -> bool:
    """The trial will be over, and there is no card with which to go on for this price."""
    one = _one(facts)
    return _is_trial_to_go_on(one, facts) and one.card_id is None


def is_prepaid_to_be_charged(facts: Facts) -> bool:
    """The last prepaid period runs, and a card is charged this price when it is over."""
    one = _one(facts)
    is_charged = one.card_id is not None and _is_last_prepaid(one, facts)
    return is_charged and _price_after(one, newest_period(one.id)) == facts["price"]


def is_prepaid_without_card(facts: Facts) -> bool:
    """The last prepaid period runs, and there is no card with which to go on."""
    one = _one(facts)
    return one.card_id is None and _is_last_prepaid(one, facts)


def _is_last_prepaid(one: Subscription, facts: Facts) -> bool:
    """It runs, nothing else is asked for at its end, and no other one is in the wallet."""
    if one.status != "active" or one.cancel_at_end or one.pauses_at is not None:
        return False
    last = newest_period(one.id)
    return last.id == facts["period_id"] and not _is_prepaid_after(one, last)


def _is_trial_to_go_on(one: Subscription, facts: Facts) -> bool:
    """It is to end as it was told: nothing was asked for since that has another price, or none."""
    if one.status != "trialing" or one.cancel_at_end:
        return False
    trial = newest_period(one.id)
    return _price_after(one, trial) == facts["price"] and not _is_prepaid_after(one, trial)


def _price_after(one: Subscription, last: Period) -> object:
    """What the period after this one costs, by what was asked for and agreed on so far."""
    coming = ComingTerms([one])
    currency = coming.of(one, starts_at=last.ends_at).version.currency
    return Money(coming.price_after(one, last, starts_at=last.ends_at), currency)


def _is_prepaid_after(one: Subscription, last: Period) -> bool:
    """Whether the member holds a period of what follows, which somebody has paid for."""
    plan = ComingTerms([one]).of(one, starts_at=last.ends_at)
    left = exists().where(
        Lot.member_id == one.member_id,
        Lot.is_open,
        Lot.prepays_plan,
        Lot.frozen_at.is_(None),
        Lot.offer_id == plan.version.offer_id,
    )
    return bool(db.session.scalar(select(left)))


def _one(facts: Facts) -> Subscription:
    return db.session.get_one(Subscription, facts["subscription_id"])


def _period(facts: Facts) -> Period:
    return db.session.get_one(Period, facts["period_id"])
