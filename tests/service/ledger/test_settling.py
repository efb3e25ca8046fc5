"""Stores pay one another what they owe, and no more."""

from datetime import date, timedelta

import pytest

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.errors import PeriodInvalid, SettlementExceedsDebt
from ledger.models import SettlementPayment
from ledger.service import settling
from ledger.service.fold import fold_some
from tests.service.ledger.plain import JANUARY, balances, entries, noon, put
from tests.together import together
from tests.world import small_world

CHIEF = new_id()


@pytest.fixture
def now():
    return noon(1, 5)


@pytest.fixture
def world(app, now):
    """A sold eleven cups for 1,000; B made two of them: A owes B 173."""
    world = small_world(now)
    alice = world.add_member()
    world.add_lot(alice, "eleven", net=952, vat=48)
    world.take(world.add_till("A"), alice, 3, now=noon(1, 10))
    world.take(world.add_till("B"), alice, 2, now=noon(1, 20))
    return world


def pay(world, amount, *, payer="A", payee="B", paid_on=date(2026, 2, 10), now=None):
    return settling.pay(
        payer_id=world.stores[payer],
        payee_id=world.stores[payee],
        amount=amount,
        currency="TWD",
        paid_on=paid_on,
        reference="transfer 7",
        by_id=CHIEF,
        now=now or noon(2, 10),
    )


def owed(world):
    with transaction():
        return settling.find_owed(
            payer_id=world.stores["A"], payee_id=world.stores["B"], currency="TWD"
        )


def test_a_payment_is_booked_by_both_stores(world):
    with transaction():
        payment = pay(world, 173)
    assert entries("settlement") == [
        ("2026-02-10", "2026-02-10", "2171", "1111", 173),
        ("2026-02-10", "2026-02-10", "1111", "1171", 173),
    ]
    a, b = (balances(world.stores[store]) for store in "AB")
    assert (a.get("2171"), a["1111"], b.get("1171"), b["1111"]) == (None, 827, None, 173)
    with transaction():
        kept = db.session.get_one(SettlementPayment, payment.id)
    assert (kept.reference, kept.recorded_by_id, kept.entry_id) == (
        "transfer 7",
        CHIEF,
        payment.entry_id,
    )


def test_a_payment_may_be_a_part(world):
    with transaction():
        pay(world, 100)
    assert owed(world) == 73


def test_more_than_is_owed_is_refused_with_what_is_owed(world):
    with transaction():
        pay(world, 100)
    with pytest.raises(SettlementExceedsDebt) as refusal, transaction():
        pay(world, 74)
    assert refusal.value.facts == {"owed": 73, "currency": "TWD"}


def test_what_is_owed_does_not_depend_on_the_fold(world):
    before = owed(world)
    with transaction():
        fold_some()
    assert (before, owed(world)) == (173, 173)


def test_who_is_owed_does_not_owe(world):
    with pytest.raises(SettlementExceedsDebt) as refusal, transaction():
        pay(world, 1, payer="B", payee="A")
    assert refusal.value.facts == {"owed": 0, "currency": "TWD"}


def test_a_debt_is_not_paid_twice_by_two_at_once(world, app):
    answers = together(app, [lambda: pay(world, 173)] * 4)
    assert sum(isinstance(answer, SettlementExceedsDebt) for answer in answers) == 3
    assert owed(world) == 0


def test_a_day_in_a_closed_month_is_booked_today_with_both_dates(world):
    put(JANUARY, "closed")
    with transaction():
        pay(world, 173, paid_on=date(2026, 1, 30))
    assert entries("settlement")[0][:2] == ("2026-01-30", "2026-02-10")


def test_a_day_in_an_open_month_is_booked_on_it(world):
    with transaction():
        pay(world, 173, paid_on=date(2026, 1, 30))
    assert entries("settlement")[0][:2] == ("2026-01-30", "2026-01-30")


@pytest.mark.parametrize("paid_on", [date(2026, 2, 11), date(2025, 12, 31), date(206, 1, 30)])
def test_a_day_to_come_or_before_the_books_is_refused(world, paid_on):
    with pytest.raises(PeriodInvalid), transaction():
        pay(world, 173, paid_on=paid_on)


def test_a_store_that_is_not_there_is_refused(world):
    world.stores["X"] = new_id()
    with pytest.raises(NotFound), transaction():
        pay(world, 173, payee="X")


def test_payments_are_listed_in_their_order(world):
    with transaction():
        first = pay(world, 100)
        second = pay(world, 73, now=noon(2, 10) + timedelta(minutes=1))
    with transaction():
        assert [one.id for one in settling.list_payments(limit=9)] == [first.id, second.id]
        assert [one.id for one in settling.list_payments(after=first.id, limit=9)] == [second.id]
