"""Renewals of the plain kind leave behind what all others do, though they are written in sets."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from sqlalchemy import Row, text

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from ledger.content import CONTENT_HASH
from subs import wording
from subs.models import Subscription
from subs.service import renewal
from subs.service.plain_renewals import take_up_plain
from tests.club import Club
from tests.fakes import DECLINED

LIKE_PLAIN = "another"
TOLD_OF = {
    "period": "SELECT * FROM period WHERE subscription_id = :id AND number = 2",
    "subscription": "SELECT * FROM subscription WHERE id = :id",
    "history": "SELECT * FROM subscription_event WHERE subscription_id = :id AND cause = 'renewed'",
    "payment": "SELECT * FROM payment WHERE purpose_id = :period",
    "lot": "SELECT * FROM lot WHERE source_id = :period",
    "entry": "SELECT entry.* FROM entry JOIN lot ON lot.id = entry.source_id"
    " WHERE lot.source_id = :period",
    "lines": "SELECT line.* FROM line JOIN lot ON lot.id = line.lot_id"
    " WHERE lot.source_id = :period ORDER BY line.ordinal",
    "invoice": "SELECT * FROM invoice WHERE source_id = :period",
    "invoice_line": "SELECT invoice_line.* FROM invoice_line"
    " JOIN invoice ON invoice.id = invoice_id WHERE source_id = :period",
    "document": "SELECT invoice_document.* FROM invoice_document"
    " JOIN invoice ON invoice.id = invoice_id WHERE source_id = :period",
}
# What differs between any two: whose and which it is, and what is drawn by lot or follows from ids.
OWN = {"ordinal", "random_code", "content_hash", "provider_ref", "created_at"}


def rows(club: Club, mine: UUID) -> dict[str, list[dict[str, Any]]]:
    """All that a renewal has left behind, but for ids."""
    of = {"id": mine, "period": club.periods(mine)[-1].id}
    with transaction():
        return {
            name: [_told(row) for row in db.session.execute(text(sql), of)]
            for name, sql in TOLD_OF.items()
        }


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        name: fact
        for name, fact in row._mapping.items()  # noqa: SLF001  its documented way to be a dict
        if name not in OWN and not isinstance(fact, UUID)
    }


def renewed_both_ways(club: Club) -> tuple[UUID, UUID]:
    """A plain plan, and one that only looks otherwise, renewed in one set at one moment."""
    club.add_plan(LIKE_PLAIN, intro_price=199, intro_periods=1, first_price=199)
    plain, general = club.subscribe(), club.subscribe(LIKE_PLAIN)
    began_together(plain, general)
    club.go_to(club.periods(general)[0].ends_at)
    with patch.object(clock, "common", return_value=clock.common()):
        club.renew()
    return plain, general


def began_together(one: UUID, other: UUID) -> None:
    """Let the second have begun at the moment of the first."""
    alike = (
        """UPDATE period SET starts_at = one.starts_at, ends_at = one.ends_at FROM period AS one
           WHERE one.subscription_id = :one AND period.subscription_id = :other""",
        """UPDATE subscription SET anchor_at = one.anchor_at, started_at = one.started_at,
               due_at = one.due_at
           FROM subscription AS one WHERE one.id = :one AND subscription.id = :other""",
    )
    with transaction():
        for statement in alike:
            db.session.execute(text(statement), {"one": one, "other": other})


def taken_up_plainly(club: Club) -> list[UUID]:
    """Which of those that are due go the plain way."""
    now = club.now
    with transaction():
        claimed = [one.subscription_id for one in renewal.claim(limit=10, now=now)]
        _, others = take_up_plain(claimed, now=now)
        return [one for one in claimed if one not in others]


def test_both_ways_leave_the_same_rows(club: Club):
    plain, general = renewed_both_ways(club)

    one, other = rows(club, plain), rows(club, general)

    assert [len(of) for of in one.values()] == [1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    assert str(one).replace("monthly", LIKE_PLAIN) == str(other)


def test_both_ways_tell_the_same(club: Club):
    renewed_both_ways(club)
    told = text("SELECT facts, is_notice FROM outbox WHERE facts ->> 'notice' = :name ORDER BY id")

    with transaction():
        one, other = db.session.execute(told, {"name": wording.RENEWED.name}).all()

    ends = [datetime.fromisoformat(row.facts["facts"]["ends_at"]) for row in (one, other)]
    assert one.facts["facts"].keys() == other.facts["facts"].keys()
    assert ends[0] == ends[1]
    assert one.is_notice == other.is_notice
    assert one.facts["facts"]["price"] == other.facts["facts"]["price"]


def test_what_is_booked_in_sets_is_sealed_as_every_entry_is(club: Club):
    renewed_both_ways(club)

    with transaction():
        wrong = db.session.scalar(
            text(f"SELECT count(*) FROM entry WHERE content_hash <> {CONTENT_HASH}")
        )

    assert wrong == 0


def test_an_active_plan_with_nothing_asked_for_is_plain(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)

    assert taken_up_plainly(club) == [mine]


@pytest.mark.parametrize(
    "wish",
    [
        {"cancel_at_end": True},
        {"card_id": None},
        {
            "pauses_at": datetime(2026, 3, 1, tzinfo=UTC),
            "resumes_at": datetime(2027, 1, 1, tzinfo=UTC),
        },
    ],
    ids=lambda wish: next(iter(wish)),
)
def test_what_somebody_has_asked_for_is_not_plain(club: Club, wish: dict[str, Any]):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    with transaction():
        subscription = db.session.get_one(Subscription, mine)
        for name, value in wish.items():
            setattr(subscription, name, value)

    assert taken_up_plainly(club) == []


@pytest.mark.parametrize(
    "terms",
    [
        {"price": 0},
        {"cups": 0},
        {"cups": 0, "is_unlimited": True},
        {"carry_over": "all"},
        {"benefits_in_grace": True},
        {"intro_price": 99, "intro_periods": 2, "first_price": 99},
        {"vat_timing": "redemption"},
    ],
    ids=",".join,
)
def test_other_terms_are_not_plain(club: Club, terms: dict[str, Any]):
    club.add_plan("other", **terms)
    mine = club.subscribe("other", price=terms.get("price", 499))
    club.go_to(club.periods(mine)[0].ends_at)

    assert taken_up_plainly(club) == []


def test_a_declined_one_of_a_set_does_not_keep_the_others_from_their_cups(club: Club):
    failing, paying = club.subscribe(card=DECLINED), club.subscribe()
    club.go_to(club.periods(paying)[0].ends_at)

    club.renew()

    assert club.subscription(failing).status == "past_due"
    assert club.periods(paying)[-1].status == "paid"
    assert len(club.lots()) == 3
