"""A paid plan begins."""

from datetime import UTC, datetime

from sqlalchemy import select

from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from ledger.models import Entry, Line
from subs.service.start import start
from tests.club import Club
from tests.fakes import SLOW


def test_a_paid_plan_begins_with_its_first_period_paid_and_its_cups(club: Club):
    subscription = club.subscription(club.subscribe())

    (period,) = club.periods(subscription.id)
    (lot,) = club.lots()
    assert (subscription.status, subscription.due_at) == ("active", period.ends_at)
    assert (period.number, period.status, period.attempts) == (1, "paid", 1)
    assert period.starts_at == subscription.anchor_at
    assert period.ends_at.date() == datetime(2026, 2, 14, tzinfo=UTC).date()
    assert (lot.units, lot.source_id, lot.ends_at) == (10, period.id, period.ends_at)


def test_the_sale_of_a_period_is_booked_as_a_liability_of_the_selling_store(club: Club):
    club.subscribe()

    with transaction():
        lines = db.session.scalars(select(Line).order_by(Line.ordinal)).all()
        days = db.session.scalars(select(Entry.book_date)).all()
    assert [(line.debit, line.credit, line.amount, line.qty) for line in lines] == [
        ("1111", "2132", 475, 10),
        ("1111", "2194", 24, 0),
    ]
    assert {line.store_id for line in lines} == {club.world.stores["W"]}
    assert days == [datetime(2026, 1, 14, tzinfo=UTC).date()]


def test_each_of_a_quantity_is_a_subscription_of_its_own(club: Club):
    item = club.buy(quantity=3)

    with transaction():
        begun = start(order_item_id=item.id, paid_at=club.now)

    assert sorted(one.ordinal for one in begun) == [1, 2, 3]
    assert [lot.units for lot in club.lots()] == [10, 10, 10]


def test_beginning_again_changes_nothing(club: Club):
    item = club.buy(quantity=2)
    with transaction():
        start(order_item_id=item.id, paid_at=club.now)

    with transaction():
        again = start(order_item_id=item.id, paid_at=club.now)

    assert again == []
    assert len(club.lots()) == 2


def test_the_card_that_paid_is_the_one_that_renews(club: Club):
    subscription = club.subscription(club.subscribe(card=SLOW))

    with transaction():
        assert subscription.card_id == club.keep_card(SLOW)


def test_the_news_of_a_paid_plan_starts_it_once(club: Club):
    item = club.buy()
    paid_at = club.now
    with transaction():
        for _ in range(2):
            outbox.emit(
                "plan_item.paid",
                now=paid_at,
                member_id=club.member_id,
                order_id=item.order_id,
                order_item_id=item.id,
                paid_at=paid_at.isoformat(),
            )

    outbox.drain()

    (lot,) = club.lots()
    assert lot.sold_at == paid_at
