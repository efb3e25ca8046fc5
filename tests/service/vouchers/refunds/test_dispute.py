"""A bank takes the money back: the cups are held back, and stay or are gone."""

from itertools import permutations

import pytest
from sqlalchemy import select

import invoicing
import payments
import vouchers
from kernel.db import db
from kernel.errors import Conflict
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import NothingLeft
from payments.models import Dispute
from payments.service.record import record
from redemption.errors import LotFrozen
from redemption.models import Redemption
from redemption.service.void import void
from tests.fakes import WANTS_HOLDER
from tests.service.vouchers.conftest import pay
from tests.service.vouchers.refunds.test_refund import give
from vouchers.models import Lot
from vouchers.service.dispute import follow_dispute


@pytest.fixture
def order(shop, member):
    placed = shop.buy(member, pack=1)
    shop.at(2026, 1, 10, 12)
    shop.take(member, 6)
    return placed


@pytest.fixture
def friend(shop):
    return shop.world.add_member()


def decided(shop, order, dispute, status):
    return shop.dispute(
        shop.payment_of(order), ref=dispute.provider_ref, status=status, amount=dispute.amount
    )


def lose(shop, order, **facts):
    return decided(shop, order, shop.dispute(shop.payment_of(order), **facts), "lost")


def followed(dispute):
    with transaction():
        return db.session.get_one(Dispute, dispute.id).followed


def test_while_it_is_open_no_cup_is_handed_over(shop, member, order):
    shop.dispute(shop.payment_of(order))
    with pytest.raises(LotFrozen):
        shop.take(member, 1)


def test_cups_that_were_given_on_are_frozen_too(shop, member, friend, order):
    give(shop, member, friend, 2)
    dispute = shop.dispute(shop.payment_of(order))
    assert (shop.left(member), shop.left(friend)) == (0, 0)
    decided(shop, order, dispute, "won")
    assert (shop.left(member), shop.left(friend)) == (3, 2)


def test_an_open_gift_is_frozen_and_can_be_taken_once_it_is_won(shop, member, friend, order):
    gift_id = give(shop, member, None, 2)
    dispute = shop.dispute(shop.payment_of(order))
    token = vouchers.gift_token.make(gift_id)
    with pytest.raises(Conflict), transaction():
        vouchers.claim(member_id=friend, token=token, now=shop.now)
    decided(shop, order, dispute, "won")
    with transaction():
        vouchers.claim(member_id=friend, token=token, now=shop.now)
    assert shop.left(friend) == 2


def test_a_gift_of_two_disputed_orders_is_free_when_both_are_won(shop, member, order):
    other = shop.buy(member, pack=1)
    gift_id = give(shop, member, None, 9)
    first, second = (shop.dispute(shop.payment_of(one)) for one in (order, other))
    decided(shop, order, first, "won")
    assert shop.gift(gift_id).frozen_at is not None
    decided(shop, other, second, "won")
    assert shop.gift(gift_id).frozen_at is None


def test_lost_cups_leave_every_wallet_and_every_open_gift(shop, member, friend, order):
    give(shop, member, friend, 2)
    gift_id = give(shop, member, None, 1)
    lose(shop, order)
    assert [lot.is_open for lot in (*shop.lots(member), *shop.lots(friend))] == [False, False]
    assert shop.gift(gift_id).status == "lost"
    assert shop.held("A") == ({"2194": -26, "4111": -519, "6221": 545},)


def test_what_a_lost_gift_had_of_another_order_goes_back_to_its_giver(shop, member, order):
    shop.buy(member, pack=1)
    gift_id = give(shop, member, None, 9)
    lose(shop, order)
    assert (shop.gift(gift_id).status, shop.left(member)) == ("lost", 11)


@pytest.mark.parametrize("news", [*permutations(["open", "lost"]), ("lost", "lost", "open")])
def test_news_in_any_order_ends_the_same(shop, member, order, news):
    ref = "dp_1"
    for status in news:
        shop.dispute(shop.payment_of(order), ref=ref, status=status, hears=False)
    shop.hear()
    assert shop.held("A") == ({"2194": -26, "4111": -519, "6221": 545},)


@pytest.mark.parametrize("news", [("won",), ("open", "won"), ("won", "open")])
def test_won_in_any_order_ends_the_same(shop, member, order, news):
    for status in news:
        shop.dispute(shop.payment_of(order), ref="dp_1", status=status)
    assert (shop.left(member), shop.held("A")[0]["1111"]) == (5, 1_000)


def test_news_that_comes_again_changes_nothing(shop, member, order):
    dispute = lose(shop, order)
    before = shop.held("A")
    for _ in range(2):
        with transaction():
            follow_dispute(dispute_id=dispute.id, now=shop.now)
    assert (shop.held("A"), followed(dispute)) == (before, "lost")


def test_an_appeal_that_is_won_after_all_gives_everything_back(shop, member, friend, order):
    give(shop, member, friend, 2)
    give(shop, member, None, 1)
    dispute = lose(shop, order)
    decided(shop, order, dispute, "won")
    assert (shop.left(member), shop.left(friend)) == (3, 2)
    assert shop.held("A") == ({"1111": 1_000, "2131": -433, "2194": -48, "4111": -519},)


def test_what_was_won_can_still_be_lost(shop, member, order):
    dispute = shop.dispute(shop.payment_of(order))
    decided(shop, order, dispute, "won")
    decided(shop, order, dispute, "lost")
    assert shop.held("A") == ({"2194": -26, "4111": -519, "6221": 545},)


def test_of_a_part_no_more_cups_are_lost_than_it_covers(shop, member):
    order = shop.buy(member, pack=1)
    lose(shop, order, amount=300)
    (lot,) = shop.lots(member)
    assert (lot.used, lot.frozen_at, shop.left(member)) == (3, None, 8)
    books = shop.held("A")[0]
    assert (books["1111"], books["6221"]) == (700, 300 - 273)


def test_another_open_dispute_keeps_the_cups_frozen(shop, member, order):
    paid = shop.payment_of(order)
    first, second = shop.dispute(paid, amount=400), shop.dispute(paid, amount=600)
    decided(shop, order, first, "won")
    assert shop.left(member) == 0
    decided(shop, order, second, "won")
    assert shop.left(member) == 5


def test_what_was_refunded_before_is_not_lost_again(shop, member, order):
    shop.at(2026, 2, 1, 12)
    (refund,) = shop.refund(member, order)
    shop.send_money()
    lose(shop, order, amount=1_000 - refund.payable)
    books = shop.held("A")[0]
    assert (books["6221"], books.get("2131", 0), books.get("1111", 0)) == (558, 0, 0)


def test_a_void_after_a_lost_dispute_brings_the_cups_back_frozen(shop, member, order):
    lose(shop, order)
    with transaction():
        redemption_id = db.session.scalars(select(Redemption.id)).one()
    with transaction():
        void(
            redemption_id=redemption_id,
            store_id=shop.world.stores["A"],
            staff_id=new_id(),
            role="manager",
            now=shop.now,
        )
    (lot,) = shop.lots(member)
    assert (lot.units - lot.used, shop.left(member)) == (6, 0)


def test_cups_that_are_issued_while_it_is_open_come_frozen(shop, member):
    placed = shop.place(member, pack=1)
    pay(placed)
    shop.dispute(shop.payment_of(placed))
    assert (len(shop.lots(member)), shop.left(member)) == (1, 0)


def test_the_invoice_is_taken_back_by_what_the_lost_cups_carried(shop, order):
    lose(shop, order)
    with transaction():
        invoice = invoicing.find_invoice(source="order", source_id=order.id)
        assert invoice is not None
        assert (invoice.taken_back_net, invoice.taken_back_vat) == (433, 22)


def test_only_the_cups_of_the_disputed_payment_are_touched(shop, member, order):
    shop.buy(member, pack=1)
    lose(shop, order)
    assert shop.left(member) == 11


def test_money_that_came_twice_and_is_disputed_takes_no_cups(shop, member):
    order = shop.place(member, pack=1)
    first = pay(order, WANTS_HOLDER).payment
    shop.bank.refuse_authentication(first.provider_ref)
    payments.charge(payment_id=first.id)
    pay(order).outcome()
    shop.hear()
    shop.bank.authenticate(first.provider_ref)
    with transaction():
        record(payment_id=first.id, seen=shop.bank.intents[first.provider_ref], now=shop.now)
    shop.send_money()
    surplus = shop.dispute(first)
    assert shop.left(member) == 11
    shop.dispute(first, ref=surplus.provider_ref, status="lost")
    assert (shop.left(member), shop.held("A")[0]["6221"]) == (11, 1_000)


def test_a_plan_that_was_bought_is_lost_like_a_pack(shop, member, monthly):
    order = shop.buy(member, monthly=1)
    shop.hear()
    shop.take(member, 4)
    lose(shop, order)
    assert shop.held("A") == ({"2194": -10, "4111": -190, "6221": 200},)
    with transaction():
        assert not db.session.scalar(select(Lot.is_open))


def failed(shop, member, order):
    """What was unused is given back, and the provider cannot bring it."""
    (refund,) = shop.refund(member, order)
    shop.bank.repays_slowly = True
    shop.send_money()
    shop.bounce(refund)
    return refund


def test_a_refund_that_failed_is_with_its_payer_once_the_bank_took_all(shop, member, order):
    refund = failed(shop, member, order)
    lose(shop, order)
    assert shop.read(refund).status == "paid"
    assert shop.held("A") == ({"2194": -26, "4111": -519, "6221": 545},)


def test_it_is_owed_again_when_an_appeal_is_won_after_all(shop, member, order):
    refund = failed(shop, member, order)
    dispute = lose(shop, order)
    decided(shop, order, dispute, "won")
    assert (shop.read(refund).status, shop.held("A")[0]["2133"]) == ("failed", -455)


def test_a_refund_that_fails_after_the_loss_is_not_paid_otherwise(shop, member, order):
    (refund,) = shop.refund(member, order)
    shop.bank.repays_slowly = True
    shop.send_money()
    lose(shop, order)
    shop.bounce(refund)
    with transaction(), pytest.raises(NothingLeft):
        vouchers.settle_otherwise(
            refund_id=refund.id, by_id=new_id(), reference="BT-1", now=shop.now
        )


def test_what_an_appeal_brought_back_can_be_refunded(shop, member, order):
    """The invoice was taken back by the loss: finance is told that it has nothing left to give."""
    dispute = lose(shop, order)
    decided(shop, order, dispute, "won")
    (refund,) = shop.refund(member, order)
    assert refund.payable == 455
