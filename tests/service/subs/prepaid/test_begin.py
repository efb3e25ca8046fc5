"""A plan begins with a prepaid period, and goes on with others as long as there are any."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import payments
import vouchers
from invoicing.models import Invoice
from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from kernel.transaction import transaction
from subs import NothingPrepaid
from tests.fakes import GOOD
from tests.service.subs.prepaid.house import Giving
from tests.world import World
from vouchers.service.refund_wish import Wish


def test_who_was_given_periods_begins_the_plan_with_one(giving: Giving):
    held = giving.hand_over(3)
    begun = giving.begin()
    (period,) = giving.club.periods(begun.id)
    assert (begun.status, begun.card_id, begun.ordinal) == ("active", None, None)
    assert (begun.order_item_id, begun.store_id) == (held.order_item_id, held.store_id)
    assert (period.number, period.status, period.price, period.net) == (1, "paid", 499, 475)
    assert (period.starts_at, begun.due_at) == (begun.started_at, period.ends_at)
    assert giving.club.causes(begun.id) == ["gift_started"]


def test_its_cups_are_in_the_wallet_and_can_be_collected(giving: Giving):
    giving.hand_over(3)
    begun = giving.begin()
    till = giving.club.world.add_till("A")
    redeemed = giving.club.world.take(till, giving.bob, now=giving.club.now)
    prepaid, cups = giving.lots(giving.bob)
    assert (prepaid.used, cups.used, cups.units, redeemed.left) == (1, 1, 10, 9)
    assert (cups.subscription_id, cups.buyer_id) == (begun.id, giving.alice)


def test_nothing_is_sold_again_the_money_moves(giving: Giving):
    giving.hand_over(2)
    sold = giving.booked("sale")
    giving.begin()
    assert giving.booked("sale") == sold
    assert sum(amount for *_, amount, _ in giving.booked("transfer")[:1]) == 475


def test_the_periods_that_follow_are_taken_without_a_charge(giving: Giving):
    giving.hand_over(3)
    begun, charged = giving.begin(), giving.club.charges
    numbers = [giving.end_of(begun).number for _ in range(2)]
    assert (numbers, giving.club.charges) == ([2, 3], charged)
    assert [lot.used for lot in giving.lots(giving.bob) if lot.prepays_plan] == [3]


def test_without_a_card_it_ends_when_nothing_is_left(giving: Giving):
    giving.hand_over(1)
    begun, charged = giving.begin(), giving.club.charges
    giving.end_of(begun)
    ended = giving.club.subscription(begun.id)
    assert ended.status == "lapsed"
    assert giving.club.causes(begun.id)[-1] == "gift_used_up"
    assert giving.club.charges == charged


def test_with_a_card_it_goes_on_at_its_price(giving: Giving):
    giving.order(1)
    with transaction():
        card_id = giving.club.keep_card(GOOD)
    before = giving.club.charges
    begun = giving.begin(by=giving.alice, card_id=card_id)
    period = giving.end_of(begun)
    assert (period.number, period.status, period.price) == (2, "paid", 499)
    assert giving.club.charges - before == 1


def test_it_begins_on_the_terms_that_were_paid_for(giving: Giving, world: World):
    giving.hand_over(1)
    begun = giving.begin()
    assert begun.offer_version_id == world.offers["monthly"][1]


def test_one_period_begins_one_plan(giving: Giving):
    giving.hand_over(1)
    giving.begin()
    with pytest.raises(NothingPrepaid):
        giving.begin()


def test_two_periods_may_begin_two_plans_at_once(giving: Giving):
    giving.hand_over(2)
    assert giving.begin().id != giving.begin().id


def test_who_was_given_nothing_begins_nothing(giving: Giving):
    giving.order(1)
    with pytest.raises(NothingPrepaid):
        giving.begin()


def test_a_card_of_somebody_else_is_not_found_and_nothing_is_taken(giving: Giving):
    giving.hand_over(1)
    with transaction():
        card_id = giving.club.keep_card(GOOD)
    with pytest.raises(NotFound):
        giving.begin(card_id=card_id)
    (lot,) = giving.lots(giving.bob)
    assert (lot.used, lot.is_open) == (0, True)


def test_what_was_bought_first_is_taken_first(giving: Giving):
    giving.order(1)
    giving.club.pass_time(days=1)
    giving.order(1)
    giving.begin(by=giving.alice)
    first, second, _ = giving.lots(giving.alice)
    assert (first.used, second.used) == (1, 0)
    assert second.sold_at - first.sold_at >= timedelta(days=1)


def test_a_bank_that_takes_the_money_back_freezes_what_came_of_it(giving: Giving):
    order = giving.order(2)
    giving.claim(giving.give(giving.lots(giving.alice)[0], 2), by=giving.bob)
    begun = giving.begin()
    with transaction():
        paid = payments.find_paid(purpose="voucher_order", purpose_id=order.id)
        assert paid is not None
        seen = giving.club.bank.dispute(paid.provider_ref)
        payments.record_dispute(seen, now=giving.club.now)
    outbox.drain()
    assert [lot.frozen_at is not None for lot in giving.lots(giving.bob)] == [True, True]
    assert giving.end_of(begun).number == 1


def test_what_is_left_of_a_period_goes_back_to_who_gave_it(giving: Giving):
    order = giving.order(1)
    giving.claim(giving.give(giving.lots(giving.alice)[0], 1), by=giving.bob)
    giving.begin()
    giving.club.pass_time(days=10)
    (cups,) = [lot for lot in giving.lots(giving.bob) if not lot.prepays_plan]
    wish = Wish(giving.bob, None, [{"lot_id": cups.id, "cups": 4}])
    with transaction():
        (refund,) = vouchers.refund(wish, asked_by_id=giving.bob, now=giving.club.now)
    assert (refund.payer_id, refund.purpose_id) == (giving.alice, order.id)
    with transaction():
        (invoice,) = db.session.scalars(select(Invoice))
    assert (invoice.source, invoice.taken_back_gross) == ("order", refund.payable)
