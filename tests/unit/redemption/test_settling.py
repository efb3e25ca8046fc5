"""What each item takes: a function of the set of items, capsules and lots, and of nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from redemption.offline.settling import Place, Served, settle
from redemption.policy import Wanted
from tests.unit.redemption.test_policy import lot

NOON = datetime(2026, 1, 14, 4, tzinfo=UTC)
ONE, OTHER = b"1" * 8, b"2" * 8


def served(minute: int, *lots, cups: int = 1, serial: bytes = ONE, till: int = 1, price: int = 50):
    at = NOON + timedelta(minutes=minute)
    place = Place(at, UUID(int=till), minute + 1, bytes(32))
    wanted = Wanted(cups=cups, list_price=price, channel="counter")
    return Served(place, at, serial, wanted, lots)


def told(*items, **rights: int):
    """Outcome, cups taken, cups borne and reason of each, in the order in which they are given."""
    settled = settle(items, rights={ONE: rights.get("one", 2), OTHER: rights.get("other", 2)})
    ends = [settled[item.place] for item in items]
    return [
        (end.outcome, sum(pick.cups for pick in end.taken), end.cups_borne, end.reason)
        for end in ends
    ]


def test_a_capsule_gives_its_cups_and_the_chain_bears_what_is_beyond():
    held = lot(1)
    assert told(served(0, held, cups=1), served(1, held, cups=2)) == [
        ("applied", 1, 0, None),
        ("overdrawn", 1, 1, "capsule-used"),
    ]


def test_a_capsule_that_is_used_up_gives_none():
    assert told(served(0, lot(1)), one=0) == [("overdrawn", 0, 1, "capsule-used")]


def test_what_the_wallet_does_not_hold_is_borne():
    held = lot(1, units=3, used=2)
    assert told(served(0, held, cups=2)) == [("overdrawn", 1, 1, "insufficient-cups")]
    assert told(served(0)) == [("overdrawn", 0, 1, "insufficient-cups")]


def test_cups_that_do_not_fit_are_for_a_person():
    held = lot(1, accepts_product=False)
    assert told(served(0, held)) == [("review", 0, 0, "product-mismatch")]
    assert told(served(0, lot(1, is_frozen=True))) == [("review", 0, 0, "lot-frozen")]


def test_a_lot_that_an_earlier_item_has_emptied_is_not_held_any_more():
    """Else an item would end otherwise by whether the lot was read before or after it was empty."""
    latte = lot(1, units=1, net=43)
    mocha = lot(1, units=1, net=43, accepts_product=False)
    assert told(served(0, latte), served(1, mocha, serial=OTHER)) == [
        ("applied", 1, 0, None),
        ("overdrawn", 0, 1, "insufficient-cups"),
    ]


def test_a_cup_that_costs_a_top_up_is_for_a_person():
    held = lot(1, covers_up_to=40, allows_top_up=True)
    assert told(served(0, held)) == [("review", 0, 0, "top-up-due")]


def test_limits_do_not_refuse_what_was_served():
    held = lot(1, max_cups=None, cups_per_day=None, cups_today=9, last_at=NOON)
    assert told(served(0, held, cups=2)) == [("applied", 2, 0, None)]


def test_the_money_follows_the_cups_from_item_to_item():
    held = lot(1)
    items = [served(at, held, serial=bytes([at]) * 8) for at in range(11)]
    settled = settle(items, rights={item.serial: 1 for item in items})
    amounts = [settled[item.place].taken[0].amount for item in items]
    assert (sum(amounts), set(amounts)) == (476, {43, 44})


def test_cups_that_nobody_counts_never_run_out():
    held = lot(1, units=0, is_unlimited=True, net=0, vat=0)
    assert told(served(0, held, cups=2), served(1, held, cups=2, serial=OTHER)) == [
        ("applied", 2, 0, None),
        ("applied", 2, 0, None),
    ]


_ITEMS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(1, 3),
        st.integers(1, 2),
        st.sampled_from((ONE, OTHER)),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one[:2],
)


@given(drawn=_ITEMS, cups=st.integers(0, 4), seed=st.randoms(use_true_random=False))
def test_the_order_in_which_items_are_given_changes_nothing(drawn, cups, seed):
    held = (lot(1, units=cups or 1, used=0 if cups else 1), lot(2, units=1, accepts_product=False))
    items = [
        served(minute, *(held if fits else held[1:]), till=till, cups=many, serial=serial)
        for minute, till, many, serial, fits in drawn
    ]
    shuffled = list(items)
    seed.shuffle(shuffled)
    rights = {ONE: 2, OTHER: 1}
    assert settle(shuffled, rights=rights) == settle(items, rights=rights)


@given(drawn=_ITEMS, cups=st.integers(1, 4))
def test_no_capsule_and_no_lot_gives_more_than_it_has(drawn, cups):
    items = [
        served(minute, lot(1, units=cups), till=till, cups=many, serial=serial)
        for minute, till, many, serial, _ in drawn
    ]
    settled = settle(items, rights={ONE: 2, OTHER: 1})
    taken = {ONE: 0, OTHER: 0}
    for item in items:
        end = settled[item.place]
        given_out = sum(pick.cups for pick in end.taken)
        taken[item.serial] += given_out
        assert given_out + end.cups_borne == item.wanted.cups
    assert taken[ONE] <= 2
    assert taken[OTHER] <= 1
    assert sum(taken.values()) <= cups


@given(drawn=_ITEMS, late=st.integers(0, 7))
def test_an_item_that_comes_late_changes_nothing_before_it(drawn, late):
    items = [
        served(minute, lot(1, units=2), till=till, cups=many, serial=serial)
        for minute, till, many, serial, _ in drawn
    ]
    if not items:
        return
    rights = {ONE: 2, OTHER: 1}
    new = items[late % len(items)]
    before = settle([item for item in items if item is not new], rights=rights)
    after = settle(items, rights=rights)
    assert all(after[place] == end for place, end in before.items() if place < new.place)
