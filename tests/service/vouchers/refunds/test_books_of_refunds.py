"""E3, E7 and the refunds of wild offers, through the verbs: every account, to the dollar."""

from datetime import date

import pytest

from kernel.transaction import snapshot
from ledger.reports import roll_forward
from tests.service.ledger.plain import FEBRUARY, JANUARY


def example_2(shop, member):
    """Three cups at A, two at B, one at C: five are left (E2)."""
    order = shop.buy(member, pack=1)
    for day, cups, store in ((10, 3, "A"), (20, 2, "B")):
        shop.at(2026, 1, day, 12)
        shop.take(member, cups, store)
    shop.at(2026, 2, 3, 12)
    shop.take(member, 1, "C")
    return order


def test_e3_what_is_left_is_refunded_with_a_fee(shop, member):
    order = example_2(shop, member)
    shop.at(2026, 2, 15, 12)
    (refund,) = shop.refund(member, order)
    assert (refund.gross, refund.fee, refund.payable, refund.status) == (455, 13, 442, "owed")
    assert shop.held("A") == (
        {"1111": 1_000, "2133": -442, "2171": -259, "2194": -27, "4111": -260, "4114": -12},
    )
    shop.at(2026, 2, 16, 12)
    shop.send_money()
    assert shop.held("A") == ({"1111": 558, "2171": -259, "2194": -27, "4111": -260, "4114": -12},)
    assert shop.held("A", until=date(2026, 2, 15))[0]["2133"] == -442
    with snapshot():
        rows = [
            roll_forward(month, store_id=shop.world.stores["A"]) for month in (JANUARY, FEBRUARY)
        ]
    assert [
        (row.opening, row.sold, row.redeemed, row.refunded, row.closing) for (row,) in rows
    ] == [
        (0, 952, 433, 0, 519),
        (519, 0, 86, 433, 0),
    ]


def disputed(shop, member):
    """Six cups are collected, then the bank takes the money back (E7)."""
    order = shop.buy(member, pack=1)
    shop.at(2026, 1, 10, 12)
    shop.take(member, 6)
    shop.at(2026, 1, 20, 12)
    return order, shop.dispute(shop.payment_of(order))


EARNED = {"2131": -433, "2194": -48, "4111": -519}


def test_e7_a_dispute_is_opened_and_won(shop, member):
    order, dispute = disputed(shop, member)
    assert shop.left(member) == 0
    assert shop.held("A") == ({"1172": 1_000, **EARNED},)
    shop.at(2026, 2, 20, 12)
    shop.dispute(shop.payment_of(order), ref=dispute.provider_ref, status="won")
    assert shop.left(member) == 5
    assert shop.held("A") == ({"1111": 1_000, **EARNED},)


def test_e7_a_dispute_is_lost(shop, member):
    order, dispute = disputed(shop, member)
    shop.at(2026, 2, 20, 12)
    shop.dispute(shop.payment_of(order), ref=dispute.provider_ref, status="lost")
    assert shop.held("A") == ({"2194": -26, "4111": -519, "6221": 545},)
    assert shop.held("A", until=date(2026, 1, 31)) == ({"1172": 1_000, **EARNED},)
    assert [(lot.used, lot.is_open) for lot in shop.lots(member)] == [(11, False)]
    with snapshot():
        rows = [
            roll_forward(month, store_id=shop.world.stores["A"]) for month in (JANUARY, FEBRUARY)
        ]
    assert [
        (row.opening, row.sold, row.redeemed, row.charged_back, row.closing) for (row,) in rows
    ] == [
        (0, 952, 519, 0, 433),
        (433, 0, 0, 433, 0),
    ]


@pytest.mark.parametrize(("used", "back"), [(5, 1050), (15, 0), (0, 1600), (14, 60)])
def test_starbucks_collected_cups_count_at_list_price(shop, member, used, back):
    order = shop.buy(member, twenty=1)
    shop.at(2026, 1, 20, 12)
    if used:
        shop.take(member, used)
    (refund,) = shop.refund(member, order)
    shop.send_money()
    assert (refund.payable, refund.basis, shop.read(refund).status) == (back, "list_price", "paid")
    assert refund.gross - refund.kept == back
    (lot,) = shop.lots(member)
    assert (lot.is_open, lot.net_recognised, lot.vat_gone) == (False, lot.net, lot.vat)
    books = shop.held("A")[0]
    assert books.get("1111", 0) == 1600 - back
    assert books.get("4111", 0) + books.get("2194", 0) == back - 1600
    assert set(books) <= {"1111", "4111", "2194"}


def test_louisa_unused_cups_come_back_by_what_they_carry(shop, member):
    order = shop.buy(member, five=1)
    shop.at(2026, 1, 20, 12)
    shop.take(member, 2)
    (refund,) = shop.refund(member, order)
    shop.send_money()
    assert (refund.payable, refund.kept, refund.fee) == (144, 0, 0)
    assert shop.held("A") == ({"1111": 96, "2194": -4, "4111": -92},)


def test_a_pack_comes_back_with_its_bonus_cup_and_the_money_of_both(shop, member):
    order = shop.buy(member, bonus=1)
    assert [(lot.units, lot.net) for lot in shop.lots(member)] == [(10, 445), (1, 31)]
    shop.at(2026, 1, 20, 12)
    (refund,) = shop.refund(member, order)
    shop.send_money()
    assert (refund.payable, len(shop.lines(refund))) == (500, 2)
    assert shop.held("A") == ({},)


def test_a_cash_value_voucher_pays_the_vat_on_its_fee_only(shop, member):
    order = shop.buy(member, value=1)
    shop.at(2026, 1, 20, 12)
    (refund,) = shop.refund(member, order)
    shop.send_money()
    assert (refund.gross, refund.fee, refund.payable) == (1_000, 30, 970)
    assert shop.held("A") == ({"1111": 30, "2194": -1, "4114": -29},)
