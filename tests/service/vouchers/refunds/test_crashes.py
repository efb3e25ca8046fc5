"""A process dies anywhere between asking for a refund and the money's arrival: all of it, once."""

from datetime import timedelta

import pytest

from kernel import clock
from kernel.db import db
from payments import repaying
from tests.fakes import Crash
from tests.service.vouchers.conftest import booked
from tests.service.vouchers.test_crashes import dying_at
from vouchers import NothingToRefund
from vouchers.models import Refund

pytestmark = pytest.mark.faults

_MORE_THAN_ENOUGH = 200


def refunds_of(order):
    try:
        return db.session.query(Refund).filter_by(purpose_id=order.id).all()
    finally:
        db.session.rollback()


def assert_done_once(shop, order):
    (refund,) = refunds_of(order)
    (repayment,) = shop.repayments(refund)
    assert shop.bank.given_back.count(repayment.id) == 1
    assert (refund.status, shop.payment_of(order).repaid) == ("paid", 1_000)
    assert booked(order.member_id, "payout") == [("2133", "1111", 1_000, 0)]
    assert shop.left(order.member_id) == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_statement_of_a_refund_and_a_retry_refund_once(shop, when):
    for number in range(1, _MORE_THAN_ENOUGH):
        order = shop.buy(shop.world.add_member(), pack=1)
        with dying_at(number, when) as has_died:
            try:
                shop.refund(order.member_id, order)
            except Crash:
                db.session.remove()
        if has_died():
            assert refunds_of(order) == []
            assert shop.left(order.member_id) == 11
            shop.refund(order.member_id, order)
        with pytest.raises(NothingToRefund):
            shop.refund(order.member_id, order)
        shop.send_money()
        assert_done_once(shop, order)
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_statement_of_repaying_is_made_good_by_the_next_look(shop, when):
    for number in range(1, _MORE_THAN_ENOUGH):
        order = shop.buy(shop.world.add_member(), pack=1)
        shop.refund(order.member_id, order)
        with dying_at(number, when) as has_died:
            try:
                shop.send_money()
            except Crash:
                db.session.remove()
        clock.advance(timedelta(minutes=5))
        repaying.repay_due()
        shop.hear()
        assert_done_once(shop, order)
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_statement_of_following_a_dispute_and_the_next_look_book_once(shop, when):
    for number in range(1, _MORE_THAN_ENOUGH):
        member = shop.world.add_member()
        order = shop.buy(member, pack=1)
        paid = shop.payment_of(order)
        shop.dispute(paid, status="lost", hears=False)
        with dying_at(number, when) as has_died:
            try:
                shop.hear()
            except Crash:
                db.session.remove()
        clock.advance(timedelta(minutes=5))
        shop.hear()
        assert booked(member, "dispute_opened") == [("1172", "1111", 1_000, 0)]
        assert booked(member, "dispute_lost") == [
            ("2131", "1172", 952, 11),
            ("2194", "1172", 48, 0),
        ]
        if not has_died():
            assert number > 10
            return
    raise AssertionError("there are more statements than were tried")
