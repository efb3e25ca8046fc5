import pytest
from sqlalchemy import select

import invoicing
import vouchers
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from tests.service.vouchers.conftest import booked
from vouchers import (
    AskedLot,
    CupsFrozen,
    NothingToRefund,
    NotRefundable,
    Part,
    TooFewLeft,
    WholeRestOnly,
    gift_token,
)
from vouchers.models import Refund
from vouchers.service.gift_ending import end_some


def give(shop, giver, taker, cups):
    """Cups go to somebody else by a gift."""
    with transaction():
        gift_id = vouchers.give(giver_id=giver, cups=cups, now=shop.now).id
    if taker is not None:
        with transaction():
            vouchers.claim(member_id=taker, token=gift_token.make(gift_id), now=shop.now)
    return gift_id


def test_within_seven_days_all_that_is_unused_comes_back_without_a_fee(shop, member):
    order = shop.buy(member, twenty=1)
    shop.take(member, 5)
    shop.at(2026, 1, 12, 23, 59)
    (refund,) = shop.refund(member, order)
    assert (refund.reason, refund.basis, refund.fee, refund.payable) == (
        "withdrawal",
        "allocated",
        0,
        1_200,
    )


def test_on_the_eighth_day_the_terms_hold(shop, member):
    order = shop.buy(member, pack=1)
    shop.at(2026, 1, 13, 0, 0)
    (refund,) = shop.refund(member, order)
    assert (refund.reason, refund.fee, refund.payable) == ("request", 30, 970)


def test_terms_that_give_nothing_back_are_said(shop, member):
    order = shop.buy(member, final=1)
    shop.at(2026, 2, 1, 12)
    with pytest.raises(NotRefundable) as refusal:
        shop.refund(member, order)
    assert refusal.value.facts == {"why": "terms"}


def test_what_gives_nothing_back_is_left_out_of_a_whole_order(shop, member):
    order = shop.buy(member, final=1, five=1)
    shop.at(2026, 2, 1, 12)
    (refund,) = shop.refund(member, order)
    assert (refund.payable, shop.left(member)) == (240, 11)


def test_packs_of_two_rules_are_two_refunds_of_one_payment(shop, member):
    order = shop.buy(member, twenty=1, five=1)
    shop.at(2026, 2, 1, 12)
    refunds = shop.refund(member, order)
    shop.send_money()
    assert {(one.basis, one.payable) for one in refunds} == {
        ("list_price", 1600),
        ("allocated", 240),
    }
    assert shop.payment_of(order).repaid == 1840
    assert shop.held("A") == ({},)


def test_a_part_can_be_given_back_and_the_rest_later(shop, member):
    order = shop.buy(member, pack=1)
    shop.at(2026, 2, 1, 12)
    (first,) = shop.refund(member, order, lots=shop.named(member, 4))
    (rest,) = shop.refund(member, order)
    shop.send_money()
    assert (first.gross + rest.gross, shop.left(member)) == (1_000, 0)
    assert shop.payment_of(order).repaid == first.payable + rest.payable


def test_a_part_of_a_pack_at_list_price_is_refused(shop, member):
    order = shop.buy(member, twenty=1)
    shop.at(2026, 2, 1, 12)
    with pytest.raises(WholeRestOnly) as refusal:
        shop.refund(member, order, lots=shop.named(member, 4))
    assert refusal.value.facts["left"] == 20


def test_more_cups_than_are_left_are_refused(shop, member):
    order = shop.buy(member, pack=1)
    with pytest.raises(TooFewLeft):
        shop.refund(member, order, lots=shop.named(member, 12))


def test_the_same_lot_named_twice_counts_together(shop, member):
    order = shop.buy(member, pack=1)
    with pytest.raises(TooFewLeft):
        shop.refund(member, order, lots=shop.named(member, 6) * 2)


def test_bonus_cups_do_not_come_back_without_their_pack(shop, member):
    order = shop.buy(member, bonus=1)
    paid, bonus = shop.lots(member)
    with pytest.raises(NotRefundable) as refusal:
        shop.refund(member, order, lots=[AskedLot(lot_id=bonus.id, cups=1)])
    assert refusal.value.facts == {"why": "bonus"}
    (part,) = shop.refund(member, lots=[AskedLot(lot_id=paid.id, cups=9)])
    assert shop.left(member) == 2
    (rest,) = shop.refund(member, lots=[AskedLot(lot_id=paid.id, cups=1)])
    assert (shop.left(member), part.payable + rest.payable) == (0, 500)


def test_nothing_comes_back_twice(shop, member):
    order = shop.buy(member, pack=1)
    shop.refund(member, order)
    with pytest.raises(NothingToRefund):
        shop.refund(member, order)


@pytest.mark.parametrize("lots", [None, "theirs"])
def test_somebody_elses_order_is_not_found(shop, member, lots):
    order = shop.buy(member, pack=1)
    stranger = shop.world.add_member()
    named = lots and shop.named(member, 1)
    with pytest.raises(NotFound):
        shop.refund(stranger, order, lots=named)
    with pytest.raises(NotFound):
        shop.refund(stranger, lots=shop.named(member, 1))


def test_an_order_that_is_not_paid_has_nothing_to_give_back(shop, member):
    with pytest.raises(NothingToRefund):
        shop.refund(member, shop.place(member, pack=1))


def test_a_lot_that_nobody_paid_for_here_is_refused(shop, member):
    lot_id = shop.world.add_lot(member, "pack")
    with pytest.raises(NotRefundable) as refusal:
        shop.refund(member, lots=[AskedLot(lot_id=lot_id, cups=1)])
    assert refusal.value.facts == {"why": "unpaid"}
    assert shop.left(member) == 11


def test_cups_that_lapse_at_their_end_do_not_come_back_after_it(shop, member):
    shop.buy(member, bonus=1)
    shop.take(member, 10)
    shop.at(2026, 6, 1, 12)
    with pytest.raises(NothingToRefund):
        shop.refund(member, lots=shop.named(member, 0))


def test_whoever_was_given_cups_gives_them_back_and_the_payer_has_the_money(shop, member):
    order = shop.buy(member, pack=1)
    friend = shop.world.add_member()
    give(shop, member, friend, 3)
    shop.at(2026, 2, 1, 12)
    shop.take(friend, 1)
    (refund,) = shop.refund(friend, lots=shop.named(friend, 2))
    shop.send_money()
    assert (refund.payer_id, refund.asked_by_id, refund.purpose_id) == (member, friend, order.id)
    assert (shop.left(member), shop.left(friend)) == (8, 0)
    assert [one.member_id for one in shop.repayments(refund)] == [member]
    assert booked(friend, "refund")[0][:2] == ("2131", "2133")


def test_the_buyer_gives_back_only_what_is_in_their_own_wallet(shop, member):
    order = shop.buy(member, pack=1)
    friend = shop.world.add_member()
    give(shop, member, friend, 3)
    (refund,) = shop.refund(member, order)
    assert (shop.left(friend), sum(line.cups for line in shop.lines(refund))) == (3, 8)


def test_an_open_gift_is_not_touched(shop, member):
    order = shop.buy(member, pack=1)
    gift_id = give(shop, member, None, 3)
    shop.refund(member, order)
    assert shop.gift(gift_id).status == "open"


def test_giving_cups_away_does_not_hide_what_was_collected(shop, member):
    order = shop.buy(member, twenty=1)
    friend = shop.world.add_member()
    shop.take(member, 15)
    give(shop, member, friend, 5)
    shop.at(2026, 2, 1, 12)
    (refund,) = shop.refund(friend, lots=shop.named(friend, 5))
    assert (refund.payable, refund.status, refund.purpose_id) == (0, "paid", order.id)


def test_a_pack_at_list_price_that_two_hold_comes_back_by_shares(shop, member):
    order = shop.buy(member, twenty=1)
    friend = shop.world.add_member()
    shop.take(member, 5)
    give(shop, member, friend, 5)
    shop.at(2026, 2, 1, 12)
    (mine,) = shop.refund(member, order)
    (theirs,) = shop.refund(friend, lots=shop.named(friend, 5))
    assert (mine.payable, theirs.payable) == (700, 350)


def test_an_unclaimed_gift_goes_back_to_the_payer_as_money(shop, member):
    shop.buy(member, twenty=1)
    shop.take(member, 5)
    gift_id = give(shop, member, None, 5)
    shop.at(2026, 6, 1, 12)
    with transaction():
        end_some(limit=9, now=shop.now)
    shop.send_money()
    with transaction():
        (refund,) = db.session.scalars(select(Refund))
    assert (refund.reason, refund.payable, refund.fee) == ("gift_unclaimed", 350, 0)
    assert (shop.gift(gift_id).status, shop.left(member)) == ("refunded", 10)
    assert booked(member, "refund")[0] == ("2134", "2133", 381, 5)


def test_an_end_date_gives_back_without_being_asked(shop, member):
    shop.buy(member, twenty=1)
    shop.take(member, 5)
    with transaction():
        vouchers.change_wallet(member)
        (lot,) = db.session.scalars(select(vouchers.models.Lot))
        (refund,) = vouchers.refund_lots([Part(lot, 15)], reason="expiry", now=shop.now)
    shop.send_money()
    assert (refund.reason, refund.payable, refund.asked_by_id) == ("expiry", 1_050, None)


def test_what_cannot_be_repaid_at_an_end_date_is_owed_all_the_same(shop, member):
    shop.world.add_lot(member, "pack")
    with transaction():
        vouchers.change_wallet(member)
        (lot,) = db.session.scalars(select(vouchers.models.Lot))
        (refund,) = vouchers.refund_lots([Part(lot, 11)], reason="expiry", now=shop.now)
    assert (shop.read(refund).status, shop.held("A")[0]["2133"]) == ("failed", -500)


def test_finance_gives_back_out_of_goodwill_whatever_the_terms(shop, member):
    order = shop.buy(member, final=1)
    shop.at(2026, 5, 1, 12)
    (refund,) = shop.goodwill(order)
    shop.send_money()
    assert (refund.reason, refund.fee, refund.payable) == ("goodwill", 0, 500)
    assert shop.held("A") == ({},)


def test_goodwill_reaches_cups_that_were_given_on(shop, member):
    order = shop.buy(member, pack=1)
    friend = shop.world.add_member()
    give(shop, member, friend, 3)
    (refund,) = shop.goodwill(order, shop.named(friend, 3))
    assert (refund.payer_id, shop.left(member), shop.left(friend)) == (member, 8, 0)


def test_goodwill_names_an_order(shop, member):
    with pytest.raises(NotFound), transaction():
        vouchers.refund(vouchers.Wish(None, new_id()), asked_by_id=new_id(), now=shop.now)
    with pytest.raises(NotFound), transaction():
        vouchers.refund(vouchers.Wish(None), asked_by_id=new_id(), now=shop.now)


def test_the_preview_says_what_the_refund_does(shop, member):
    order = shop.buy(member, twenty=1, pack=2)
    shop.at(2026, 2, 1, 12)
    shop.take(member, 7)
    before = [(one.reason, one.basis, one.gross, one.kept, one.fee, one.payable)
              for one in shop.preview(member, order)]  # fmt: skip
    assert (shop.left(member), len(before)) == (35, 2)
    done = [(one.reason, one.basis, one.gross, one.kept, one.fee, one.payable)
            for one in shop.refund(member, order)]  # fmt: skip
    assert before == done


def test_the_preview_refuses_what_the_refund_refuses(shop, member):
    order = shop.buy(member, final=1)
    shop.at(2026, 2, 1, 12)
    with pytest.raises(NotRefundable):
        shop.preview(member, order)


def test_the_invoice_is_taken_back_by_what_really_goes_back(shop, member):
    order = shop.buy(member, pack=1)
    shop.at(2026, 3, 1, 12)
    shop.take(member, 6)
    (refund,) = shop.refund(member, order)
    with transaction():
        invoice = invoicing.find_invoice(source="order", source_id=order.id)
        assert invoice is not None
        assert (invoice.gross, invoice.taken_back_gross) == (1_000, refund.payable)
        assert (invoice.taken_back_net, invoice.taken_back_vat) == (433 - 12, 22 - 1)


def test_the_payer_is_told(shop, member):
    order = shop.buy(member, pack=1)
    shop.refund(member, order)
    with transaction():
        rows = db.session.scalars(select(Outbox).where(Outbox.topic == "member.notice"))
        told = [row.facts for row in rows if row.facts["notice"] == "refund.made"]
    assert [one["to"] for one in told] == [str(member)]
    assert told[0]["facts"]["money"] == {"amount": 1_000, "currency": "TWD"}


def test_a_disputed_payment_holds_its_cups(shop, member):
    order = shop.buy(member, pack=1)
    shop.dispute(shop.payment_of(order))
    with pytest.raises(CupsFrozen):
        shop.refund(member, order)


def test_a_refund_of_nothing_is_paid_at_once(shop, member):
    order = shop.buy(member, twenty=1)
    shop.take(member, 19)
    shop.at(2026, 2, 1, 12)
    (refund,) = shop.refund(member, order)
    assert (refund.status, refund.paid_at) == ("paid", refund.refunded_at)
    assert (refund.payable, shop.repayments(refund)) == (0, [])
