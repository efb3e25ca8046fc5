"""What was served offline is booked as what is late: on its own day, while that is open."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

import redemption.jobs  # noqa: F401  its subscriber registers itself
from invoicing.models import Invoice
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from ledger.models import BookMonth, Entry
from redemption.models import Redemption
from tests.service.redemption.offline.field import Branch, bring, fill, items, left
from tests.service.redemption.tills import rows, sums
from tests.world import only

pytestmark = pytest.mark.usefixtures("books_hold")


@pytest.fixture
def now() -> datetime:
    """Noon in Taipei on the last day of a month."""
    return datetime(2026, 1, 31, 4, tzinfo=UTC)


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def dates():
    """On which day each redemption's entry belongs and is booked."""
    with transaction():
        found = db.session.scalars(
            select(Entry).where(Entry.kind == "redemption").order_by(Entry.id)
        )
        return [(one.occurred_on, one.book_date) for one in found]


def test_it_is_booked_on_the_day_on_which_it_was_served(world, alice):
    bring(world, Branch(world, "A").serve(fill(world, alice)), after=24 * 60)
    assert dates() == [(date(2026, 1, 31), date(2026, 1, 31))]


def test_after_its_month_was_left_it_is_booked_when_it_became_known(world, alice):
    served = Branch(world, "A").serve(fill(world, alice))
    with transaction():
        db.session.add(BookMonth(first_on=date(2026, 1, 1), state="soft", version=1))
    bring(world, served, after=24 * 60)
    assert dates() == [(date(2026, 1, 31), date(2026, 2, 1))]


def test_the_business_day_is_the_stores_own(world, alice):
    served = Branch(world, "A").serve(fill(world, alice), after=15 * 60)  # at three in the morning
    bring(world, served, after=20 * 60)
    assert [one.business_day for one in items()] == [date(2026, 1, 31)]
    assert [one.business_day for one in rows(Redemption)] == [date(2026, 1, 31)]


def test_the_store_that_sold_owes_the_one_that_served(world, alice):
    bring(world, Branch(world, "B").serve(fill(world, alice)))
    assert {account: sums()[account] for account in ("1171", "2171", "4111")} == {
        "1171": 43,
        "2171": -43,
        "4111": -43,
    }


def test_what_is_settled_anew_leaves_the_books_as_if_it_had_come_in_order(world, alice):
    a, b = Branch(world, "A"), Branch(world, "B")
    capsule = fill(world, alice, cups=2)
    first, second = a.serve(capsule, 2), b.serve(capsule, 2, after=5)
    bring(world, second)
    bring(world, first)
    assert sums() == {"1111": 500, "2131": -389, "2194": -24, "4111": -87}
    assert left(alice) == 9


def test_cups_that_nobody_counts_book_nothing(world):
    bob = world.add_member()
    world.add_offer("club", cups=0, bonus_cups=0, is_unlimited=True, kind="plan")
    world.add_days(bob, "club")
    bring(world, Branch(world, "A").serve(fill(world, bob, cups=2), cups=2))
    assert only(Redemption).entry_id is None
    assert dates() == []


def test_a_voucher_for_money_is_taxed_and_invoiced_when_it_becomes_known(world):
    bob = world.add_member()
    world.add_offer("cash", vat_timing="redemption")
    world.add_lot(bob, "cash", net=500, vat=0)
    bring(world, Branch(world, "A").serve(fill(world, bob, cups=2), cups=2))
    outbox.drain()
    assert sums()["2194"] == -4
    assert only(Invoice).gross == 91
