"""Which cups are given, until when; and that their money adds up however they are given on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.gift_errors import GivenCupsFrozen, NotGiftable, OfferNotNamed, TooFewToGive
from vouchers.gift_policy import Giveable, Pick, ends_at, first_due_at, picks
from vouchers.models import Lot
from vouchers.slices import put_back, take_out

NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
OFFER = UUID(int=1)

MOMENTS = st.integers(1, 40).map(lambda days: NOW + timedelta(days=days))
LOTS = st.lists(
    st.builds(
        Giveable,
        lot_id=st.uuids(),
        offer_id=st.just(OFFER),
        left=st.integers(1, 20),
        sold_at=MOMENTS,
        ends_at=st.none() | MOMENTS,
        is_frozen=st.booleans(),
        is_giftable=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda lot: lot.lot_id,
)


def lot(number, **other):
    usual = {
        "offer_id": OFFER,
        "left": 5,
        "sold_at": NOW,
        "ends_at": None,
        "is_frozen": False,
        "is_giftable": True,
    }
    return Giveable(lot_id=UUID(int=number), **{**usual, **other})


def test_what_ends_soonest_is_given_first_then_the_oldest_then_by_id():
    held = [
        lot(4),
        lot(3),
        lot(2, sold_at=NOW - timedelta(days=1)),
        lot(5, ends_at=NOW + timedelta(days=9)),
        lot(6, ends_at=NOW + timedelta(days=8)),
    ]
    assert [pick.lot_id.int for pick in picks(held, 25)] == [6, 5, 2, 3, 4]


def test_the_last_lot_gives_a_part():
    assert picks([lot(1), lot(2)], 7) == [Pick(UUID(int=1), 5), Pick(UUID(int=2), 2)]


@pytest.mark.parametrize(
    ("held", "refusal"),
    [
        ([], TooFewToGive),
        ([lot(1)], TooFewToGive),
        ([lot(1, left=9, is_frozen=True)], GivenCupsFrozen),
        ([lot(1), lot(2, is_frozen=True)], GivenCupsFrozen),
        ([lot(1, is_giftable=False)], NotGiftable),
        ([lot(1), lot(2, is_giftable=False)], NotGiftable),
        ([lot(1, left=9), lot(2, left=9, offer_id=UUID(int=2))], OfferNotNamed),
    ],
)
def test_what_cannot_be_given_is_refused(held, refusal):
    with pytest.raises(refusal):
        picks(held, 6)


def test_cups_that_may_not_be_given_do_not_ask_for_the_offer():
    held = [lot(1), lot(2, offer_id=UUID(int=2), is_giftable=False)]
    assert picks(held, 5) == [Pick(UUID(int=1), 5)]


@given(LOTS, st.integers(1, 100))
def test_a_gift_is_exactly_as_large_as_wanted_and_of_free_cups_only(held, cups):
    free = {lot.lot_id: lot.left for lot in held if lot.is_giftable and not lot.is_frozen}
    if sum(free.values()) < cups:
        with pytest.raises((TooFewToGive, NotGiftable, GivenCupsFrozen)):
            picks(held, cups)
        return
    picked = picks(held, cups)
    assert sum(pick.cups for pick in picked) == cups
    assert all(0 < pick.cups <= free[pick.lot_id] for pick in picked)
    assert len({pick.lot_id for pick in picked}) == len(picked)


@given(st.integers(1, 30), st.lists(st.none() | MOMENTS, max_size=5))
def test_a_gift_never_outlives_its_cups(days, lots_end_at):
    ends = ends_at(given_at=NOW, days=days, lots_end_at=lots_end_at)
    assert NOW < ends <= NOW + timedelta(days=days)
    assert all(end is None or ends <= end for end in lots_end_at)
    due_at = first_due_at(given_at=NOW, ends_at=ends)
    assert NOW < due_at <= ends
    assert due_at in {ends, ends - timedelta(days=1)}


def a_lot(units, net, vat):
    return Lot(units=units, used=0, net=net, vat=vat, net_recognised=0, vat_gone=0, is_open=True)


@given(st.data())
def test_slices_add_up_over_chains_to_the_dollar(data):
    """Whatever is given on, comes back or is collected: each dollar is somewhere, once."""
    units, net = data.draw(st.integers(1, 60)), data.draw(st.integers(0, 5_000))
    vat = data.draw(st.integers(0, 300))
    lots, under_way, gone = [a_lot(units, net, vat)], [], []
    for _ in range(data.draw(st.integers(0, 25))):
        act = data.draw(st.sampled_from(["give", "claim", "return", "collect"]))
        held = [lot for lot in lots if lot.used < lot.units]
        if act in {"give", "collect"} and held:
            chosen = data.draw(st.sampled_from(held))
            leaving = take_out(chosen, data.draw(st.integers(1, chosen.units - chosen.used)))
            (under_way if act == "give" else gone).append((chosen, leaving))
        elif act in {"claim", "return"} and under_way:
            at = data.draw(st.integers(0, len(under_way) - 1))
            came_from, part = under_way.pop(at)
            if act == "claim":
                lots.append(a_lot(part.cups, part.net, part.vat))
            else:
                put_back(came_from, part)
    apart = [part for _, part in (*under_way, *gone)]
    assert sum(p.cups for p in apart) + sum(lot.units - lot.used for lot in lots) == units
    assert sum(p.net for p in apart) + sum(lot.net - lot.net_recognised for lot in lots) == net
    assert sum(p.vat for p in apart) + sum(lot.vat - lot.vat_gone for lot in lots) == vat
    for lot in lots:
        assert 0 <= lot.net_recognised <= lot.net
        assert 0 <= lot.vat_gone <= lot.vat
        assert lot.is_open == (lot.used < lot.units)
        assert lot.is_open or (lot.net_recognised, lot.vat_gone) == (lot.net, lot.vat)
