"""What the tick looks for all the time is found by an index."""

from sqlalchemy import Select, select, text

from kernel.db import db
from kernel.transaction import transaction
from subs.models import Period, Subscription
from tests.club import Club


def plan_of(statement: Select[object]) -> str:
    """How PostgreSQL would run it on a table that is too large to read whole."""
    plain = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    with transaction():
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        return "\n".join(db.session.scalars(text(f"EXPLAIN {plain}")))


def test_what_is_due_is_found_by_its_index(club: Club):
    due = select(Subscription.id).where(Subscription.due_at <= club.now)

    assert "ix_subscription_due" in plan_of(due)


def test_what_has_ended_is_found_by_its_index(club: Club):
    ended = select(Period.id).where(Period.ends_at <= club.now, Period.status == "paid")

    assert "ix_period_ends" in plan_of(ended)


def test_the_periods_of_a_subscription_are_found_by_their_number(club: Club):
    mine = club.subscribe()
    newest = select(Period.id).where(Period.subscription_id == mine)

    assert "uq_period_numbered" in plan_of(newest.order_by(Period.number.desc()).limit(1))
