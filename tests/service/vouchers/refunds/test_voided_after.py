"""A redemption is undone after its lot was given away, paid back, or disputed: exactly, always."""

from uuid import UUID

import pytest
from sqlalchemy import select

import redemption
import vouchers
from api.refund_words import why
from invoicing.models import Invoice
from kernel.db import db
from kernel.transaction import transaction
from tests.service.vouchers.refunds.test_refund import give
from vouchers import Wish

pytestmark = pytest.mark.usefixtures("books_hold")


def undo(shop, redeemed, cups=None):
    store_id = UUID(redeemed.store_id)
    with transaction():
        return redemption.void(
            redemption_id=UUID(redeemed.id),
            store_id=store_id,
            staff_id=UUID(int=9),
            role="manager",
            items=cups and {shop.world.products["latte"]: cups},
            now=shop.now,
        )


def held(shop, member):
    return [(lot.units - lot.used, lot.net - lot.net_recognised) for lot in shop.lots(member)]


@pytest.mark.parametrize("cups", [None, 1])
def test_after_the_rest_was_given_away_the_cups_are_the_givers_again(shop, member, cups):
    shop.buy(member, five=1)
    whole = held(shop, member)
    redeemed = shop.take(member, 2)
    bob = shop.world.add_member()
    give(shop, member, bob, 3)
    undo(shop, redeemed, cups)
    back = cups or 2
    assert [cups for cups, _ in held(shop, member)] == [back]
    assert [cups for cups, _ in held(shop, bob)] == [3]
    if cups is None:
        assert held(shop, member)[0][1] + held(shop, bob)[0][1] == whole[0][1]


def test_while_the_rest_is_under_way_to_somebody_it_still_comes_back_to_its_lot(shop, member):
    shop.buy(member, five=1)
    redeemed = shop.take(member, 2)
    give(shop, member, None, 3)
    undo(shop, redeemed)
    assert [cups for cups, _ in held(shop, member)] == [2]


@pytest.mark.parametrize("cups", [None, 1])
def test_after_the_rest_was_paid_back_the_undone_cups_can_be_paid_back_too(shop, member, cups):
    order = shop.buy(member, five=1)
    redeemed = shop.take(member, 2)
    (first,) = shop.refund(member, order)
    shop.send_money()
    undo(shop, redeemed, cups)
    (second,) = shop.refund(member, order)
    assert first.payable + second.payable == (240 if cups is None else 4 * 48)
    assert [cups for cups, _ in held(shop, member)] == [0]


@pytest.mark.parametrize("parts", [[5], [1], [2, 3], [1, 1, 1, 1, 1], [4]])
def test_where_collected_cups_count_at_list_price_they_do_no_more_once_undone(shop, member, parts):
    """1,600 for 20, five used at 110: 1,050 comes back; of each that is undone 110, not its 80."""
    order = shop.buy(member, twenty=1)
    shop.at(2026, 1, 20, 12)
    redeemed = shop.take(member, 5)
    paid = [one.payable for one in shop.refund(member, order)]
    for cups in parts:
        undo(shop, redeemed, cups)
        paid += [one.payable for one in shop.refund(member, order)]
    assert paid == [1050, *(110 * cups for cups in parts)]
    shop.send_money()
    (invoice,) = invoices()
    assert invoice.taken_back_gross == sum(paid)
    if sum(parts) == 5:
        assert (invoice.taken_back_net, invoice.taken_back_vat) == (invoice.net, invoice.vat)
        assert shop.held("A")[0].get("4111", 0) == 0


def test_why_so_much_comes_back_is_said(shop, member):
    order = shop.buy(member, twenty=1)
    shop.at(2026, 1, 20, 12)
    redeemed = shop.take(member, 5)
    shop.refund(member, order)
    undo(shop, redeemed, 1)
    with transaction():
        (decision,) = vouchers.preview(Wish(member, order.id), now=shop.now)
        (line,) = vouchers.shown_decision(decision).lines
    assert (line.gross, line.kept, line.payable) == (80, -30, 110)
    assert "NT$30 comes back besides" in why(line, "en")
    assert "另退還 NT$30" in why(line, "zh-TW")


def invoices():
    with transaction():
        found = list(db.session.scalars(select(Invoice)))
        db.session.expunge_all()
        return found


def test_while_the_payment_is_disputed_the_undone_cups_are_frozen_with_the_others(shop, member):
    order = shop.buy(member, five=1)
    redeemed = shop.take(member, 2)
    shop.dispute(shop.payment_of(order))
    undo(shop, redeemed)
    (lot,) = shop.lots(member)
    assert (lot.units - lot.used, lot.frozen_at is None) == (5, False)


def test_cups_that_were_collected_from_a_gift_go_back_to_who_was_given_it(shop, member):
    shop.buy(member, five=1)
    bob = shop.world.add_member()
    give(shop, member, bob, 3)
    redeemed = shop.take(bob, 2)
    undo(shop, redeemed, 1)
    assert [cups for cups, _ in held(shop, bob)] == [2]
