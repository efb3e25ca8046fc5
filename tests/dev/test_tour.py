"""What the tour expects: the worked examples of the books, and a word for every number off."""

from datetime import date

import pytest

from dev.tour import comparison
from dev.tour.client import Answer
from dev.tour.expected import Books, Lot, net_of
from dev.tour.reading import NOTHING, Reading, read_file
from dev.tour.store_day import StoreDay, Sum
from dev.tour.story import Off, Story

_JANUARY, _FEBRUARY = "2026-01-05T12:00:00+08:00", "2026-02-03T12:00:00+08:00"
_EMPTY = Reading({}, {})


def test_a_pack_carries_what_the_first_example_says() -> None:
    lot = Lot("pack", "A", net_of(1_000), 11)

    assert lot.shares() == [87, 86, 87, 86, 87, 86, 87, 86, 87, 86, 87]
    assert [lot.take(3), lot.take(2), lot.take(1)] == [260, 173, 86]


def test_a_plan_carries_what_the_fifth_example_says() -> None:
    books = Books()
    lot = books.sell(offer="plan", store="W", price=499, cups=10, at=_JANUARY)

    amounts = [books.redeem(lot, cups, made_at=store, at=_JANUARY) for store, cups in _COLLECTED]

    assert amounts == [190, 143]
    assert books.lapse(lot, at=_FEBRUARY) == 142
    assert books.owed["2026-01", "W", "A"] == {"cups": 4, "money": 190}
    assert books.owed["2026-01", "W", "B"] == {"cups": 3, "money": 143}


_COLLECTED = (("A", 4), ("B", 3))


def test_a_void_leaves_nothing_owed() -> None:
    books = Books()
    lot = books.sell(offer="pack", store="A", price=500, cups=11, at=_JANUARY)

    amount = books.redeem(lot, 1, made_at="B", at=_JANUARY)
    books.void(lot, 1, amount, made_at="B", at=_JANUARY)

    assert (lot.left, lot.recognised) == (11, 0)
    assert books.owed["2026-01", "A", "B"] == {"cups": 0, "money": 0}


def test_a_gift_carries_what_left_the_lot_and_brings_it_back() -> None:
    books = Books()
    lot = books.sell(offer="pack", store="A", price=500, cups=11, at=_JANUARY)
    books.redeem(lot, 6, made_at="A", at=_JANUARY)

    claimed = books.give(lot, 3)
    withdrawn = books.give(lot, 1)
    books.take_back(lot, withdrawn)

    assert (claimed.cups, claimed.net, withdrawn.net) == (3, 129, 44)
    assert (lot.left, lot.net - lot.recognised) == (2, 476 - 260 - 129)


def test_a_cup_of_a_gift_is_owed_by_the_store_that_sold_it_to_the_giver() -> None:
    books = Books()
    gift = books.give(books.sell(offer="pack", store="A", price=500, cups=11, at=_JANUARY), 3)

    amount = books.redeem(gift, 1, made_at="B", at=_JANUARY)

    assert (amount, books.owed_by("A", to="B")) == (43, 43)


def test_unused_cups_bring_back_what_they_carry() -> None:
    lot = Lot("pack", "A", net_of(240), 5, 240)
    lot.take(2)

    assert lot.back_as_carried() == 144


@pytest.mark.parametrize(("collected", "back"), [(0, 1_600), (5, 1_050), (15, 0)])
def test_collected_cups_can_count_at_list_price(collected: int, back: int) -> None:
    lot = Lot("pack", "W", net_of(1_600), 20, 1_600)
    lot.take(collected)

    assert lot.back_at_list_price(110) == back


def test_what_is_given_back_leaves_the_books_with_its_net() -> None:
    books = Books()
    lot = books.sell(offer="pack", store="A", price=240, cups=5, at=_JANUARY)
    books.redeem(lot, 2, made_at="A", at=_JANUARY)

    net = books.refund(lot, at=_FEBRUARY)

    assert (net, lot.left) == (137, 0)
    assert books.moved["2026-02", "A", "pack"]["refunded"] == {"cups": 3, "money": 137}


def test_parts_of_a_hand_over_give_back_the_whole_by_the_dollar() -> None:
    day = StoreDay("B", date(2026, 1, 5), _EMPTY)
    lot = day.books.sell(offer="pack", store="A", price=500, cups=11, at=_JANUARY)
    day.hand_over("one", lot, "latte", 3, clerk="1002", at=_JANUARY, top_up=100)

    parts = [day.undo("one", "latte", 1) for _ in range(3)]

    assert parts == [43, 44, 43]
    assert day.total() == Sum(3, 3, 0, 0)
    assert (lot.left, lot.recognised) == (11, 0)
    assert day.books.owed["2026-01", "A", "B"] == {"cups": 0, "money": 0}


def test_a_day_adds_up_to_what_the_seller_owes() -> None:
    day = StoreDay("B", date(2026, 1, 5), _EMPTY)
    bought, own = (
        day.books.sell(offer="pack", store=store, price=500, cups=11, at=_JANUARY)
        for store in ("A", "B")
    )
    day.hand_over("one", bought, "latte", 2, clerk="1002", at=_JANUARY)
    day.hand_over("one", bought, "mocha", 1, clerk="1002", at=_JANUARY, top_up=10)
    day.hand_over("two", own, "latte", 1, clerk="2001", at=_JANUARY)
    day.undo("one", "latte", 1)

    assert day.by(lambda line: line.lot.store) == {"A": Sum(3, 1, 86, 10), "B": Sum(1, 0, 43, 0)}
    assert day.by(lambda line: line.clerk) == {"1002": Sum(3, 1, 86, 10), "2001": Sum(1, 0, 43, 0)}
    assert day.total() == Sum(4, 1, 129, 10)
    assert day.books.owed["2026-01", "A", "B"] == {"cups": 2, "money": 86}


def test_books_that_say_the_same_have_nothing_wrong_over_two_months() -> None:
    books = _sold_in_january_lapsed_in_february()
    sold = NOTHING | {"sold": 475, "cups_sold": 10, "closing": 475, "cups_closing": 10}
    lapsed = NOTHING | {"opening": 475, "cups_opening": 10, "lapsed": 475, "cups_lapsed": 10}
    seen = Reading({("2026-01", "W", "plan"): sold, ("2026-02", "W", "plan"): lapsed}, {})

    rows = comparison.roll_forward(_EMPTY, seen, books, ["2026-01", "2026-02"], ["plan"])

    assert [sentence for row in rows for sentence in row.wrong()] == []
    assert [row.added("lapsed") for row in rows] == [(0, 0), (10, 475)]


def test_every_number_that_is_off_is_named_with_what_was_expected_and_seen() -> None:
    books = _sold_in_january_lapsed_in_february()
    sold = NOTHING | {"sold": 474, "cups_sold": 10, "closing": 475, "cups_closing": 10}
    seen = Reading({("2026-01", "W", "plan"): sold}, {("2026-01", "W", "A"): (1, 48)})

    [row] = comparison.roll_forward(_EMPTY, seen, books, ["2026-01"], ["plan"])
    [debt] = comparison.settlement(_EMPTY, seen, books, ["2026-01"])

    assert list(row.wrong()) == ["2026-01 W plan, sold: expected 475, seen 474"]
    assert list(debt.wrong()) == [
        "2026-01, W owes A: expected 0 for 0 cups, seen 48 for 1 cups",
    ]


def test_only_what_was_added_since_the_first_reading_is_the_tours_own() -> None:
    books = Books()
    lot = books.sell(offer="pack", store="A", price=500, cups=11, at=_JANUARY)
    books.redeem(lot, 1, made_at="B", at=_JANUARY)
    before = Reading({}, {("2026-01", "A", "B"): (5, 200)})
    after = Reading({}, {("2026-01", "A", "B"): (6, 243)})

    [debt] = comparison.settlement(before, after, books, ["2026-01"])

    assert list(debt.wrong()) == []


def test_what_a_store_owes_another_is_summed_over_months() -> None:
    books = Books()
    lot = books.sell(offer="pack", store="A", price=500, cups=11, at=_JANUARY)
    for made_at, at in (("B", _JANUARY), ("C", _JANUARY), ("B", _FEBRUARY)):
        books.redeem(lot, 1, made_at=made_at, at=at)

    assert books.owed_by("A", to="B") == 43 + 43
    assert books.owed_by("B", to="A") == 0


def test_the_roll_forward_is_read_from_its_file() -> None:
    names = ",".join(["offer_code", "store_code", *NOTHING])
    text = f"\ufeff{names}\r\n" + ",".join(["plan", "W", *map(str, range(len(NOTHING)))]) + "\r\n"

    rows = read_file(Answer(200, {}, text.encode(), None), "2026-01")

    numbers = dict(zip(NOTHING, range(len(NOTHING)), strict=True))
    assert rows == {("2026-01", "W", "plan"): numbers}


def test_cups_in_wallets_and_in_gifts_are_one_row_of_their_offer() -> None:
    names = ",".join(["offer_code", "store_code", "account", *NOTHING])
    lines = [",".join(["pack", "A", account, *["1"] * len(NOTHING)]) for account in _ACCOUNTS]
    text = "\r\n".join([names, *lines])

    rows = read_file(Answer(200, {}, text.encode(), None), "2026-01")

    assert rows == {("2026-01", "A", "pack"): dict.fromkeys(NOTHING, 2)}


_ACCOUNTS = ("2131", "2134")


def test_a_check_that_fails_ends_the_tour_with_both_values() -> None:
    with pytest.raises(Off, match="cups left: expected 5, seen 4"):
        Story(steps=1).check("cups left", expected=5, seen=4)


def _sold_in_january_lapsed_in_february() -> Books:
    books = Books()
    lot = books.sell(offer="plan", store="W", price=499, cups=10, at=_JANUARY)
    books.lapse(lot, at=_FEBRUARY)
    return books
