"""The worked examples in the books: every account of every store, to the dollar, by plain SQL.

What has a verb goes through it; the others go through `ledger.post`. E4 is in `test_estimating`.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import text

import ledger
import redemption
from kernel.db import db
from kernel.ids import new_id
from kernel.money import without_vat
from kernel.transaction import snapshot, transaction
from ledger import Event, policy, reverse
from ledger.policy import Returned
from ledger.proof import check_month
from ledger.reports import roll_forward, settlement_matrix
from ledger.service import settling
from ledger.service.fold import fold_some
from tests.service.ledger.plain import FEBRUARY, JANUARY, balances, entries, noon
from tests.service.ledger.test_closing import close
from tests.world import small_world
from vouchers.models import Lot
from vouchers.service.expiry import expire_some
from vouchers.service.lot import issue_lot

END_OF_JANUARY = date(2026, 1, 31)
PACK = ("2131", 952, 48)
PLAN = ("2132", 475, 24)


@pytest.fixture
def now():
    return noon(1, 5)


@pytest.fixture
def world(app, now):
    world = small_world(now)
    world.add_offer("ten and one", price=1000)
    world.add_offer("monthly", kind="plan", cups=10, bonus_cups=0, price=499, expiry_mode="lapse")
    world.add_offer("twenty", kind="plan", cups=11, bonus_cups=0, price=899, expiry_mode="lapse")
    return world


@pytest.fixture(autouse=True)
def _stays_sound(world):
    """Whatever an example booked, both its months stand every check."""
    yield
    with transaction():
        while fold_some():
            pass
        assert (check_month(JANUARY), check_month(FEBRUARY)) == ([], [])


def sell(world, offer, money, *, store="A", at=None, ends_at=None):
    """Sell a lot as a paid order does; answers it."""
    account, net, vat = money
    with transaction():
        return issue_lot(
            member_id=new_id(),
            offer_version_id=world.offers[offer][1],
            store_id=world.stores[store],
            source="order_item",
            source_id=new_id(),
            account=account,
            net=net,
            vat=vat,
            sold_at=at or world.now,
            ends_at=ends_at,
        )


def book(kind, pairs, *, at, member_id=None):
    with transaction():
        return ledger.post(
            Event(member_id or new_id(), kind, new_id(), pairs, at, at.date(), "TWD")
        )


def of(lot):
    """Where the cups of a lot stand in the books."""
    return {
        "store_id": lot.store_id,
        "account": lot.account,
        "offer_id": lot.offer_id,
        "lot_id": lot.id,
    }


def held(world, *stores, until=date(9999, 1, 1)):
    return tuple(balances(world.stores[store], until=until) for store in stores)


def collected(world, lot, days):
    """Cups collected on days at stores: `(store, cups, moment)`."""
    tills = {store: world.add_till(store) for store in {store for store, *_ in days}}
    return [world.take(tills[store], lot.member_id, cups, now=at) for store, cups, at in days]


def example_2(world):
    lot = sell(world, "ten and one", PACK)
    days = [("A", 3, noon(1, 10)), ("B", 2, noon(1, 20)), ("C", 1, noon(2, 3))]
    return lot, collected(world, lot, days)


def test_e1_a_pack_is_sold(world):
    sell(world, "ten and one", PACK)
    assert held(world, "A") == ({"1111": 1_000, "2131": -952, "2194": -48},)


def test_e2_cups_are_collected_at_three_stores_and_one_is_settled(world):
    example_2(world)
    assert held(world, "A", "B", "C", until=END_OF_JANUARY) == (
        {"1111": 1_000, "2131": -519, "2171": -173, "2194": -48, "4111": -260},
        {"1171": 173, "4111": -173},
        {},
    )
    with transaction():
        settling.pay(
            payer_id=world.stores["A"],
            payee_id=world.stores["B"],
            amount=173,
            currency="TWD",
            paid_on=date(2026, 2, 10),
            reference="January",
            by_id=new_id(),
            now=noon(2, 10),
        )
    assert held(world, "A", "B", "C") == (
        {"1111": 827, "2131": -433, "2171": -86, "2194": -48, "4111": -260},
        {"1111": 173, "4111": -173},
        {"1171": 86, "4111": -86},
    )


def test_e2_the_settlement_says_what_is_paid_and_what_is_open(world):
    test_e2_cups_are_collected_at_three_stores_and_one_is_settled(world)
    a, b, c = (world.stores[store] for store in "ABC")
    with snapshot():
        told = [
            {(row.sold_at_id, row.made_at_id): row.amount for row in settlement_matrix(month)}
            for month in (JANUARY, FEBRUARY)
        ]
        still = [settling.find_owed(payer_id=a, payee_id=payee, currency="TWD") for payee in (b, c)]
    assert (told[0][a, b], told[1][a, c], still) == (173, 86, [0, 86])


def test_e3_what_is_left_is_refunded_with_a_fee(world):
    lot, _ = example_2(world)
    back = Returned(net=433, vat=22, cups=5, fee_net=12, fee_vat=1)
    book("refund", policy.refund(back, **of(lot)), at=noon(2, 15), member_id=lot.member_id)
    book("payout", policy.payout(store_id=lot.store_id, amount=back.payable), at=noon(2, 16))
    assert held(world, "A") == (
        {"1111": 558, "2171": -259, "2194": -27, "4111": -260, "4114": -12},
    )
    with snapshot():
        rows = [roll_forward(month, store_id=lot.store_id) for month in (JANUARY, FEBRUARY)]
    assert [
        (row.opening, row.sold, row.redeemed, row.refunded, row.closing) for (row,) in rows
    ] == [
        (0, 952, 433, 0, 519),
        (519, 0, 86, 433, 0),
    ]


def test_e5_a_plan_is_sold_collected_at_two_stores_and_the_rest_lapses(world):
    lot = sell(world, "monthly", PLAN, store="W", ends_at=noon(2, 4))
    collected(world, lot, [("A", 4, noon(1, 10)), ("B", 3, noon(1, 20))])
    with transaction():
        expire_some(limit=9, now=noon(2, 4))
    assert held(world, "W", "A", "B") == (
        {"1111": 499, "2171": -333, "2194": -24, "4113": -142},
        {"1171": 190, "4111": -190},
        {"1171": 143, "4111": -143},
    )


def test_e6_a_plan_is_changed_and_its_rest_moves_to_the_new_lot(world):
    old = sell(world, "monthly", PLAN, store="W")
    collected(world, old, [("W", 4, noon(1, 10))])
    new_offer, new_lot = world.offers["twenty"][0], new_id()
    into = of(old) | {"offer_id": new_offer, "lot_id": new_lot}
    paid = policy.sale(**into, net=190, vat=10, cups=5)
    book("sale", paid, at=noon(1, 20), member_id=old.member_id)
    moved = policy.give(**of(old), amount=285, cups=6) + policy.take(**into, amount=285, cups=6)
    book("transfer", moved, at=noon(1, 20), member_id=old.member_id)
    assert held(world, "W") == ({"1111": 699, "2132": -475, "2194": -34, "4111": -190},)
    made = policy.hand_over(
        sold_at_id=old.store_id,
        made_at_id=old.store_id,
        account="2132",
        amount=policy.recognised(net=475, units=11, used=9),
        cups=9,
        offer_id=new_offer,
        lot_id=new_lot,
    )
    book("redemption", made, at=noon(1, 25), member_id=old.member_id)
    book("lapse", policy.lapse(**into, amount=86, cups=2), at=noon(2, 4), member_id=old.member_id)
    assert held(world, "W") == ({"1111": 699, "2194": -34, "4111": -579, "4113": -86},)
    with snapshot():
        rows = roll_forward(FEBRUARY, store_id=old.store_id)
        assert sum(row.closing for row in rows) == sum(row.cups_closing for row in rows) == 0


def disputed(world):
    lot = sell(world, "ten and one", PACK)
    collected(world, lot, [("A", 6, noon(1, 10))])
    opened = policy.dispute_opened(store_id=lot.store_id, gross=1_000)
    book("dispute_opened", opened, at=noon(1, 20), member_id=lot.member_id)
    return lot


def test_e7_a_dispute_is_opened_and_won(world):
    lot = disputed(world)
    earned = {"2131": -433, "2194": -48, "4111": -519}
    assert held(world, "A") == ({"1172": 1_000, **earned},)
    won = policy.dispute_won(store_id=lot.store_id, gross=1_000)
    book("dispute_won", won, at=noon(2, 20), member_id=lot.member_id)
    assert held(world, "A") == ({"1111": 1_000, **earned},)


def test_e7_a_dispute_is_lost(world):
    lot = disputed(world)
    lost = policy.dispute_lost(**of(lot), gross=1_000, net=433, vat=22, cups=5)
    book("dispute_lost", lost, at=noon(2, 20), member_id=lot.member_id)
    assert held(world, "A") == ({"2194": -26, "4111": -519, "6221": 545},)


_JANUARY = (
    {"1111": 1_000, "2131": -519, "2171": -173, "2194": -48, "4111": -260},
    {"1171": 173, "4111": -173},
)


def close_january():
    """Close it as soon as it may be, and answer what finance reads of it then."""
    close(JANUARY, now=datetime(2026, 2, 1, 12, 0, 1, tzinfo=UTC))
    return january()


def january():
    with snapshot():
        return repr([roll_forward(JANUARY), settlement_matrix(JANUARY)])


def cups_of(lot):
    with transaction():
        kept = db.session.get_one(Lot, (lot.member_id, lot.id))
        return kept.used, kept.net_recognised


def test_e8_a_void_after_the_closing_is_booked_when_it_is_known(world):
    lot = sell(world, "ten and one", PACK)
    collected(world, lot, [("A", 3, noon(1, 10)), ("B", 2, noon(1, 20))])
    told = close_january()
    with transaction():
        entry_id = db.session.execute(
            text("SELECT entry_id FROM redemption WHERE store_id = :store_id"),
            {"store_id": world.stores["B"]},
        ).scalar_one()
        reverse(
            member_id=lot.member_id,
            entry_id=entry_id,
            event_at=noon(2, 5),
            known_on=date(2026, 2, 5),
        )
    assert entries("void") == [
        ("2026-01-20", "2026-02-05", "2171", "2131", 173),
        ("2026-01-20", "2026-02-05", "4111", "1171", 173),
    ]
    assert held(world, "A", "B", until=END_OF_JANUARY) == _JANUARY
    assert held(world, "A", "B") == (
        {"1111": 1_000, "2131": -692, "2194": -48, "4111": -260},
        {},
    )
    assert january() == told


def test_e8_the_tills_own_void_after_the_closing_gives_cups_and_money_back(world):
    lot = sell(world, "ten and one", PACK)
    collected(world, lot, [("A", 3, noon(1, 10))])
    handed_at = datetime(2026, 1, 31, 14, tzinfo=UTC)  # ten at night in Taipei
    (taken,) = collected(world, lot, [("B", 2, handed_at)])
    told = close_january()
    assert cups_of(lot) == (5, 433)
    with transaction():
        redemption.void(
            redemption_id=UUID(taken.id),
            store_id=world.stores["B"],
            staff_id=new_id(),
            role="manager",
            now=handed_at + timedelta(hours=23),
        )
    assert [row[:2] for row in entries("void")] == [("2026-01-31", "2026-02-01")] * 2
    assert cups_of(lot) == (3, 260)
    assert held(world, "A", "B", until=END_OF_JANUARY) == _JANUARY
    assert held(world, "B") == ({},)
    assert january() == told


@pytest.mark.parametrize(("is_membership", "income"), [(False, "4111"), (True, "4112")])
def test_e9_a_plan_without_a_count_is_earned_by_the_day(world, is_membership, income):
    store_id, offer_id, lot_id = world.stores["W"], world.offers["monthly"][0], new_id()
    sold = policy.sale(
        store_id=store_id, account="2132", net=475, vat=24, cups=0, offer_id=offer_id, lot_id=lot_id
    )
    book("sale", sold, at=noon(1, 5))
    so_far = [policy.earned(net=475, days=30, passed=day) for day in range(31)]
    for day, (before, by_now) in enumerate(pairwise(so_far)):
        earned = policy.earning(
            store_id=store_id,
            amount=by_now - before,
            offer_id=offer_id,
            lot_id=lot_id,
            is_membership=is_membership,
        )
        book("earning", earned, at=noon(1, 5) + timedelta(days=day))
    assert held(world, "W", until=date(2026, 1, 19)) == (
        {"1111": 499, "2132": -237, "2194": -24, income: -238},
    )
    assert held(world, "W") == ({"1111": 499, "2194": -24, income: -475},)


def bonus(world):
    """10+1 for 500, whose bonus cup ends after 60 days: two lots, 445 and 31."""
    money = without_vat(500, basis_points=500)
    paid, free = policy.allocated(money.net, weights=[10 * 60, 42])
    lots = [{"lot_id": new_id(), "offer_id": world.offers["ten and one"][0]} for _ in range(2)]
    at = {"store_id": world.stores["A"], "account": "2131"}
    pairs = policy.sale(**at, **lots[0], net=paid, vat=money.vat, cups=10)
    pairs += policy.sale(**at, **lots[1], net=free, vat=0, cups=1)
    book("sale", pairs, at=noon(1, 5))
    return at | lots[1]


def test_e10_the_bonus_cup_is_revenue_when_it_is_collected(world):
    free = bonus(world)
    assert held(world, "A") == ({"1111": 500, "2131": -476, "2194": -24},)
    at = free["store_id"]
    named = {name: free[name] for name in ("account", "offer_id", "lot_id")}
    made = policy.hand_over(sold_at_id=at, made_at_id=at, amount=31, cups=1, **named)
    book("redemption", made, at=noon(2, 5))
    assert held(world, "A") == ({"1111": 500, "2131": -445, "2194": -24, "4111": -31},)


def test_e10_the_bonus_cup_is_breakage_when_it_ends(world):
    book("lapse", policy.lapse(**bonus(world), amount=31, cups=1), at=noon(2, 20))
    assert held(world, "A") == ({"1111": 500, "2131": -445, "2194": -24, "4113": -31},)
