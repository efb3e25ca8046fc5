"""A paid period of a plan with cups puts them into the wallet, once, until it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import event, func, select

from invoicing import Invoice
from kernel.db import db
from kernel.transaction import transaction
from subs.service.benefits import grant_all
from tests.service.subs.benefits.house import at
from vouchers.service.expiry import expire_some

JANUARY = (at(1, 15), at(2, 15))
FEBRUARY = (at(2, 15), at(3, 15))
MARCH = (at(3, 15), at(4, 15))


@contextmanager
def counting() -> Iterator[list[str]]:
    """Collect what is sent to the database meanwhile."""
    sent: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", count)


def test_a_paid_period_is_a_lot_that_ends_with_it(house):
    house.add_plan()
    house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY)
    (lot,) = house.lots()
    assert (lot.units, lot.net, lot.vat, lot.account) == (10, 475, 24, "2132")
    assert (lot.source, lot.expiry_mode, lot.ends_at) == ("period", "lapse", JANUARY[1])
    assert house.entries("sale") == [
        ("sale", date(2026, 1, 15), [("1111", "2132", 475, 10), ("1111", "2194", 24, 0)])
    ]


def test_a_period_is_granted_once_however_often_it_is_told(house):
    house.add_plan()
    mine = house.subscribe(begins_at=JANUARY[0])
    with transaction():
        one = house.settled(mine, 1, *JANUARY)
        grant_all([one], now=JANUARY[0])
        grant_all([one], now=JANUARY[0])
    assert len(house.lots()) == 1


def test_its_invoice_is_owed_once(house):
    house.add_plan()
    period = house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY)
    with transaction():
        (invoice,) = db.session.scalars(select(Invoice))
        assert (invoice.source, invoice.source_id, invoice.gross) == ("period", period.id, 499)


def test_a_period_paid_when_it_was_over_is_good_for_as_long_from_then_on(house):
    house.add_plan()
    house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY, paid_at=at(3, 1))
    (lot,) = house.lots()
    assert lot.ends_at == at(4, 1)


def test_cups_are_handed_over_and_the_rest_lapses(house):
    """E5."""
    house.add_plan()
    house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY)
    for store, cups in (("A", 4), ("B", 3)):
        house.world.take(house.world.add_till(store), house.member_id, cups, now=at(1, 20))
    with transaction():
        expire_some(limit=10, now=at(2, 15, 13))
    assert [lines for _, _, lines in house.entries("redemption", "lapse")] == [
        [("2132", "2171", 190, 4), ("1171", "4111", 190, 4)],
        [("2132", "2171", 143, 3), ("1171", "4111", 143, 3)],
        [("2132", "4113", 142, 3)],
    ]


def test_a_trial_gives_its_own_cups_which_carry_no_money(house):
    house.add_plan(trial_days=7, trial_cups=2)
    house.pay(house.subscribe(begins_at=at(1, 8)), 0, at(1, 8), JANUARY[0], price=0)
    (lot,) = house.lots()
    assert (lot.units, lot.net, lot.vat, lot.ends_at) == (2, 0, 0, JANUARY[0])
    assert house.entries("sale") == [("sale", date(2026, 1, 8), [("1111", "2132", 0, 2)])]
    with transaction():
        assert db.session.scalar(select(func.count()).select_from(Invoice)) == 0


def test_a_trial_without_cups_gives_none(house):
    house.add_plan(trial_days=7)
    house.pay(house.subscribe(begins_at=at(1, 8)), 0, at(1, 8), JANUARY[0], price=0)
    assert house.lots() == []


def test_a_price_of_an_introduction_is_what_its_cups_carry(house):
    house.add_plan(intro_price=99, intro_periods=1)
    house.pay(house.subscribe(begins_at=JANUARY[0]), 1, *JANUARY, price=99)
    (lot,) = house.lots()
    assert (lot.net, lot.vat) == (94, 5)


def test_many_periods_take_as_many_statements_as_one(house):
    house.add_plan(carry_over="capped", carry_over_cap=1)
    counts = []
    for many in (1, 40):
        begun = []
        for _ in range(many):
            house.member_id = house.world.add_member()
            begun.append(house.subscribe(begins_at=JANUARY[0]))
        with transaction():
            grant_all([house.settled(mine, 1, *JANUARY) for mine in begun], now=JANUARY[0])
        with transaction():
            settled = [house.settled(mine, 2, *FEBRUARY) for mine in begun]
            with counting() as statements:
                grant_all(settled, now=FEBRUARY[0])
        counts.append(len(statements))
    assert counts[0] == counts[1]
