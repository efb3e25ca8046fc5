"""What happened to a subscription is written down once, with its cause, and only added to."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from subs import list_history, personal
from subs.models import Subscription, SubscriptionEvent
from subs.service import history
from subs.states import TransitionError
from tests.club import Club
from tests.fakes import DECLINED


def told(club: Club, mine: UUID, **page: Any) -> list[SubscriptionEvent]:
    how = {"before": None, "limit": 50, **page}
    with transaction():
        return list(list_history(member_id=club.member_id, subscription_id=mine, **how))


def locked(mine: UUID) -> Subscription:
    return db.session.get_one(Subscription, mine, with_for_update=True)


def test_a_life_is_told_from_its_end_to_its_beginning_each_with_its_cause(club: Club):
    mine = club.subscribe(card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    club.mend_cards()
    club.pass_time(days=2, minutes=1)
    club.renew()
    club.cancel(mine, at="now", reason="moved")

    happened = told(club, mine)

    assert [(one.from_status, one.to_status, one.cause) for one in happened] == [
        ("active", "cancelled", "cancelled"),
        ("past_due", "active", "recovered"),
        ("active", "past_due", "renewal_failed"),
        (None, "active", "started"),
    ]
    assert happened[0].facts["reason"] == "moved"
    assert all(one.member_id == club.member_id for one in happened)


def test_it_is_read_page_by_page(club: Club):
    mine = club.subscribe()
    club.cancel(mine)
    club.cancel(mine, at="now")

    first = told(club, mine, limit=2)
    rest = told(club, mine, limit=2, before=first[-1].id)

    assert [one.cause for one in first] == ["cancelled", "cancel_asked"]
    assert [one.cause for one in rest] == ["started"]


def test_somebody_elses_is_not_there(club: Club):
    mine = club.subscribe()

    with pytest.raises(NotFound), transaction():
        list_history(member_id=new_id(), subscription_id=mine, before=None, limit=1)


def test_a_change_that_is_not_in_the_table_changes_and_writes_nothing(club: Club):
    mine = club.subscribe()

    with pytest.raises(TransitionError), transaction():
        history.move(locked(mine), "paused", cause="cancelled", at=club.now)

    assert club.subscription(mine).status == "active"
    assert club.causes(mine) == ["started"]


def test_a_set_is_written_in_one_statement(club: Club):
    mine = [club.subscribe() for _ in range(3)]

    with transaction():
        rows = [
            history.turned(locked(one), "past_due", cause="renewal_failed", at=club.now)
            for one in mine
        ]
        assert db.session.scalar(select(func.count()).select_from(SubscriptionEvent)) == 3
        history.write(rows)

    assert [club.causes(one) for one in mine] == [["started", "renewal_failed"]] * 3
    assert {club.subscription(one).status for one in mine} == {"past_due"}


def test_a_member_takes_the_history_along(club: Club):
    mine = club.subscribe()
    club.cancel(mine, reason="too_expensive")

    with transaction():
        rows = list(personal.subscription_events(club.member_id))
        others = list(personal.subscription_events(new_id()))

    assert [(row["subscription_id"], row["cause"]) for row in rows] == [
        (mine, "started"),
        (mine, "cancel_asked"),
    ]
    assert rows[1]["facts"]["reason"] == "too_expensive"
    assert others == []
