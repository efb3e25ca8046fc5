"""Renewal rates: how many of the periods that ended in a month were followed by a paid one."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, exists, select, text

import chain
from kernel.db import db
from kernel.due import is_due
from kernel.queue import Duty
from kernel.turns import take_turn
from subs.models import Period, RenewalRate

_FRESH_FOR = timedelta(hours=1)
_TURN = b"renewal_rate"

# A cohort is the paid periods that ended in one month, in the chain's time zone, of one version
# of a plan. It matures with the grace of its last period, and not before the month is over.
_COUNT = text("""
INSERT INTO renewal_rate
    (month_on, offer_version_id, due, on_time, renewed, matures_at, computed_at)
SELECT month_on, offer_version_id,
    count(*),
    count(*) FILTER (WHERE is_renewed AND attempts = 1),
    count(*) FILTER (WHERE is_renewed),
    greatest(max(grace_ends_at), (month_on + interval '1 month') AT TIME ZONE :time_zone),
    :now
FROM (
    SELECT date_trunc('month', ended.ends_at AT TIME ZONE :time_zone)::date AS month_on,
        subscription.offer_version_id,
        ended.ends_at + plan_schedule.grace_days * interval '24 hours' AS grace_ends_at,
        coalesce(next.paid_at <= ended.ends_at + plan_schedule.grace_days * interval '24 hours',
            false) AS is_renewed,
        next.attempts
    FROM period AS ended
    JOIN subscription ON subscription.id = ended.subscription_id
    JOIN plan_schedule ON plan_schedule.offer_version_id = subscription.offer_version_id
    LEFT JOIN period AS next
        ON next.subscription_id = ended.subscription_id AND next.number = ended.number + 1
    WHERE ended.status = 'paid' AND ended.ends_at <= :now
) AS ending
GROUP BY month_on, offer_version_id
""")


def uncounted_periods(now: datetime) -> Select[UUID]:
    """The periods that have ended, when the rates are missing or an hour old."""
    is_fresh = exists().where(RenewalRate.computed_at > now - _FRESH_FOR)
    return select(Period.id).where(Period.ends_at <= now, Period.status == "paid", ~is_fresh)


DUTY = Duty("subs.jobs.refresh_renewal_rates", "nightly", uncounted_periods)


def refresh(*, now: datetime) -> None:
    """Count all cohorts anew, in one statement, from nothing but the periods.

    So the same periods always give the same numbers. One at a time: whoever comes second finds
    it done.
    """
    take_turn(_TURN)
    if not is_due(DUTY, now):
        return
    db.session.execute(delete(RenewalRate))
    time_zone = chain.online_store().time_zone
    db.session.execute(_COUNT, {"now": now, "time_zone": time_zone})
