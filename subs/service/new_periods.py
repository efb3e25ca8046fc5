"""Periods that are due get written, in one statement for all of a set."""

from collections.abc import Sequence

from sqlalchemy import text

from kernel.db import db
from subs.models import Period

_WRITE = text("""
    INSERT INTO period (
        id, subscription_id, number, offer_version_id, starts_at, ends_at, status, price, attempts,
        payment_id, retry_at, lapses_at)
    SELECT id, subscription_id, number, offer_version_id, starts_at, ends_at, 'due', price, 0,
           payment_id, retry_at, lapses_at
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:subscriptions AS uuid[]), CAST(:numbers AS bigint[]),
        CAST(:versions AS uuid[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]),
        CAST(:prices AS bigint[]), CAST(:payments AS uuid[]), CAST(:retries AS timestamptz[]),
        CAST(:lapses AS timestamptz[])
    ) AS made (id, subscription_id, number, offer_version_id, starts_at, ends_at, price,
               payment_id, retry_at, lapses_at)
""")


def write_periods(made: Sequence[Period]) -> None:
    """Write periods that are due, and being charged."""
    if not made:
        return
    db.session.execute(
        _WRITE,
        {
            "ids": [one.id for one in made],
            "subscriptions": [one.subscription_id for one in made],
            "numbers": [one.number for one in made],
            "versions": [one.offer_version_id for one in made],
            "starts": [one.starts_at for one in made],
            "ends": [one.ends_at for one in made],
            "prices": [one.price for one in made],
            "payments": [one.payment_id for one in made],
            "retries": [one.retry_at for one in made],
            "lapses": [one.lapses_at for one in made],
        },
    )
