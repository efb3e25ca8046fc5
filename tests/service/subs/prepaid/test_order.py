"""Periods of a plan are bought to be given: one lot, invoiced at once, taken at no till."""

import pytest
from sqlalchemy import select

import payments
import vouchers
from invoicing.models import Invoice, InvoicedLine
from kernel.db import db
from kernel.errors import Refusal
from kernel.outbox import Outbox
from kernel.transaction import transaction
from redemption.errors import InsufficientCups
from subs.models import Subscription
from tests.service.subs.prepaid.house import THREE_MONTHS, Giving
from vouchers import TooFewToGive
from vouchers.models import Lot, Refund
from vouchers.refund_queries import get_refund
from vouchers.service.gift_ending import end_some
from vouchers.service.refund_wish import Wish


def seen(lot: Lot) -> tuple[int, int, tuple[int, int]]:
    return lot.units, lot.used, (lot.net, lot.vat)


def test_they_are_one_lot_without_an_end(giving: Giving):
    giving.order(3)
    (lot,) = giving.lots(giving.alice)
    assert seen(lot) == (3, 0, THREE_MONTHS)
    assert (lot.prepays_plan, lot.account, lot.expiry_mode, lot.due_at) == (
        True, "2132", "never", None,
    )  # fmt: skip


def test_two_gifts_of_three_periods_are_two_lots(giving: Giving):
    giving.order(3, quantity=2)
    assert [seen(lot) for lot in giving.lots(giving.alice)] == [(3, 0, THREE_MONTHS)] * 2


def test_no_plan_begins_for_who_buys_them(giving: Giving):
    giving.order(3)
    with transaction():
        assert db.session.scalars(select(Subscription)).all() == []


def test_they_are_sold_and_invoiced_with_the_order(giving: Giving):
    giving.order(3)
    assert sum(amount for _, _, amount, _ in giving.booked("sale")) == sum(THREE_MONTHS)
    with transaction():
        (invoice,) = db.session.scalars(select(Invoice))
        (line,) = db.session.scalars(select(InvoicedLine))
    assert (invoice.source, invoice.gross) == ("order", 1497)
    assert (line.quantity, line.gross) == (3, 1497)


def test_a_trial_and_a_first_price_are_not_given_away(giving: Giving):
    giving.club.add_plan("tried", first_price=0, needs_card=True, trial_days=7)
    order = giving.order(2, code="tried")
    assert order.total == 998


def test_a_plan_that_its_terms_do_not_let_be_given_is_not_sold_for_giving(giving: Giving):
    giving.club.add_plan("own", is_giftable=False)
    with pytest.raises(vouchers.NotForGiving) as refusal:
        giving.order(3, code="own")
    assert refusal.value.facts["why"] == "terms"


def test_no_till_takes_them(giving: Giving):
    giving.order(3)
    till = giving.club.world.add_till("A")
    with pytest.raises(InsufficientCups):
        giving.club.world.take(till, giving.alice, now=giving.club.now)


def test_they_leave_only_if_their_lot_is_named(giving: Giving):
    giving.order(3)
    offer_id = giving.club.world.offers["monthly"][0]
    with transaction(), pytest.raises(TooFewToGive):
        vouchers.give(giver_id=giving.alice, offer_id=offer_id, cups=1, now=giving.club.now)


def test_a_gift_that_comes_back_is_as_it_was(giving: Giving):
    giving.order(3)
    (lot,) = giving.lots(giving.alice)
    gift = giving.give(lot, 2)
    with transaction():
        vouchers.withdraw(giver_id=giving.alice, gift_id=gift.id, now=giving.club.now)
    assert [seen(one) for one in giving.lots(giving.alice)] == [(3, 0, THREE_MONTHS)]


def test_unused_periods_are_given_back_to_who_paid(giving: Giving):
    giving.club.add_plan("listed", refund_basis="list_price", list_price=60)
    order = giving.order(3, code="listed")
    giving.club.pass_time(days=30)
    (lot,) = giving.lots(giving.alice)
    wish = Wish(giving.alice, None, [{"lot_id": lot.id, "cups": 2}])
    with transaction():
        (refund,) = vouchers.refund(wish, asked_by_id=giving.alice, now=giving.club.now)
    assert (refund.payer_id, refund.purpose_id) == (giving.alice, order.id)
    assert (refund.basis, refund.payable) == ("allocated", 998)
    with transaction():
        (line,) = get_refund(refund.id).lines
    assert (line.cups, line.unit) == (2, "period")


def test_frozen_periods_begin_nothing(giving: Giving):
    giving.order(1)
    with transaction():
        (lot,) = db.session.scalars(select(Lot))
        lot.frozen_at = giving.club.now
    with pytest.raises(Refusal, match="nothing-prepaid"):
        giving.begin(by=giving.alice)
    with transaction():
        (lot,) = db.session.scalars(select(Lot))
        lot.frozen_at = None


def test_the_buyers_card_is_not_kept_for_renewals(giving: Giving):
    giving.order(1)
    with transaction():
        assert payments.list_cards(member_id=giving.alice) == []


def test_nobodys_gift_of_periods_goes_back_to_who_paid_where_its_terms_say_so(giving: Giving):
    giving.club.add_plan("repaid", gift_unclaimed="refund")
    order = giving.order(3, code="repaid")
    giving.give(giving.lots(giving.alice)[0], 2)
    giving.club.pass_time(days=8)
    with transaction():
        end_some(limit=9, now=giving.club.now)
    with transaction():
        (refund,) = db.session.scalars(select(Refund))
    assert (refund.purpose_id, refund.payable) == (order.id, 998)


def test_its_giver_and_claimer_hear_of_periods(giving: Giving):
    giving.hand_over(3)
    with transaction():
        told = db.session.scalars(select(Outbox.facts).where(Outbox.topic == "member.notice")).all()
    counted = [one["facts"]["cups"] for one in told if one["notice"].startswith("gift.")]
    assert counted == [{"count": 3, "unit": "period"}] * 2


def test_the_receipt_says_that_they_are_to_be_given(giving: Giving):
    order = giving.order(3)
    with transaction():
        receipt = vouchers.get_receipt(member_id=giving.alice, order_id=order.id, language="en")
        (line,) = receipt.lines
        assert (line.ordered.item.gift_periods, receipt.net, receipt.vat) == (3, *THREE_MONTHS)
        assert len(receipt.invoices) == 1
