"""Days that have not been earned are given back whole; they are never given on."""

from uuid import UUID

import pytest
from sqlalchemy import select

import payments
import vouchers
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from redemption import void
from redemption.errors import InsufficientCups, LotFrozen
from subs.service.start import start
from tests.club import Club
from vouchers import NotGiftable, TooFewLeft, Wish
from vouchers.earning_jobs import earn_days
from vouchers.models import Lot, Refund, RefundLine
from vouchers.service.earning import earn_until
from vouchers.wallet import change_wallet


@pytest.fixture
def unlimited(club: Club) -> Club:
    """Ten of 31 days of an unlimited plan for 3,000 have passed; nobody has worked since."""
    club.add_plan("unlimited", price=3000, cups=0, is_unlimited=True)
    club.subscribe("unlimited", price=3000)
    club.pass_time(days=10)
    return club


def the_lot(club: Club) -> Lot:
    (lot,) = club.lots()
    return lot


def give_back(club: Club, lot_id: UUID) -> Refund:
    wish = Wish(club.member_id, lots=[{"lot_id": lot_id, "cups": 1}])
    with transaction():
        (made,) = vouchers.refund(wish, asked_by_id=club.member_id, now=club.now)
    return made


def earned(net: int, days: int) -> int:
    return (2 * net * days + 31) // 62


def test_what_is_given_back_is_the_rest_to_the_day(unlimited):
    made = give_back(unlimited, the_lot(unlimited).id)
    assert made.gross == 3000 - earned(2857, 10) - earned(143, 10)
    with transaction():
        line = db.session.scalars(select(RefundLine)).one()
    assert (line.cups, line.net, line.vat) == (0, 2857 - 922, 143 - 46)
    assert (the_lot(unlimited).is_open, the_lot(unlimited).net_recognised) == (False, 2857)


def test_it_is_given_back_once(unlimited):
    lot_id = the_lot(unlimited).id
    give_back(unlimited, lot_id)
    with pytest.raises(TooFewLeft):
        give_back(unlimited, lot_id)


def test_it_cannot_be_collected_from_any_more(unlimited):
    give_back(unlimited, the_lot(unlimited).id)
    with pytest.raises(InsufficientCups):
        unlimited.world.take(unlimited.world.add_till("A"), unlimited.member_id, now=unlimited.now)


def test_it_is_told_as_days(unlimited):
    give_back(unlimited, the_lot(unlimited).id)
    assert unlimited.notices()[-1] == "refund.days"


def test_within_the_days_of_withdrawal_an_order_brings_back_its_first_period(club):
    club.add_plan("unlimited", price=3000, cups=0, is_unlimited=True)
    item = club.buy("unlimited", price=3000)
    with transaction():
        lot_id = begin(club, item.id)
    club.pass_time(days=2)
    wish = Wish(club.member_id, order_id=item.order_id)
    with transaction():
        (made,) = vouchers.refund(wish, asked_by_id=club.member_id, now=club.now)
    assert (made.reason, made.fee) == ("withdrawal", 0)
    assert made.gross == 3000 - earned(2857, 2) - earned(143, 2)
    assert the_lot(club).id == lot_id


def test_a_day_on_which_cups_were_collected_is_not_given_back(unlimited):
    drink(unlimited)
    made = give_back(unlimited, the_lot(unlimited).id)
    assert made.gross == 3000 - earned(2857, 11) - earned(143, 11)


def test_a_preview_leaves_a_used_day_out_too(unlimited):
    drink(unlimited)
    wish = Wish(unlimited.member_id, lots=[{"lot_id": the_lot(unlimited).id, "cups": 1}])
    with transaction():
        (seen,) = vouchers.preview(wish, now=unlimited.now)
    assert seen.gross == give_back(unlimited, the_lot(unlimited).id).gross


def test_a_cup_that_was_undone_does_not_use_its_day(unlimited):
    till = unlimited.world.add_till("A")
    taken = unlimited.world.take(till, unlimited.member_id, now=unlimited.now)
    with transaction():
        void(
            redemption_id=UUID(taken.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=unlimited.now,
        )
    made = give_back(unlimited, the_lot(unlimited).id)
    assert made.gross == 3000 - earned(2857, 10) - earned(143, 10)


def test_cups_of_yesterday_do_not_use_today(unlimited):
    drink(unlimited)
    unlimited.pass_time(days=1)
    made = give_back(unlimited, the_lot(unlimited).id)
    assert made.gross == 3000 - earned(2857, 11) - earned(143, 11)


def test_a_used_day_is_earned_once(unlimited):
    drink(unlimited)
    with transaction():
        change_wallet(unlimited.member_id)
        for _ in range(2):
            earn_until([unlimited.member_id], now=unlimited.now)
    assert the_lot(unlimited).net_recognised == earned(2857, 11)
    unlimited.pass_time(days=1)
    earn_days()
    assert the_lot(unlimited).net_recognised == earned(2857, 11)


def test_a_day_of_which_all_is_used_leaves_nothing_to_withdraw(club):
    club.add_plan("daily", every="day", price=60, cups=0, is_unlimited=True)
    club.subscribe("daily", price=60)
    drink(club)
    with pytest.raises(TooFewLeft):
        give_back(club, the_lot(club).id)


def test_a_plan_of_cups_is_withdrawn_but_for_what_was_collected(club):
    item = club.buy()
    with transaction():
        begin(club, item.id)
    drink(club)
    wish = Wish(club.member_id, order_id=item.order_id)
    with transaction():
        (made,) = vouchers.refund(wish, asked_by_id=club.member_id, now=club.now)
    assert (made.reason, made.gross) == ("withdrawal", 499 - 48 - 2)


def drink(club: Club) -> None:
    club.world.take(club.world.add_till("A"), club.member_id, now=club.now)


def begin(club: Club, item_id: UUID) -> UUID:
    start(order_item_id=item_id, paid_at=club.now)
    return db.session.scalars(select(Lot.id)).one()


def test_days_are_not_given_to_a_friend(unlimited):
    with pytest.raises(NotGiftable), transaction():
        vouchers.give(
            giver_id=unlimited.member_id, lot_id=the_lot(unlimited).id, cups=1, now=unlimited.now
        )


def dispute(club: Club, status: str) -> None:
    """A bank disputes what was paid, or decides; what follows is drawn."""
    with transaction():
        paid = db.session.scalars(
            select(payments.Payment).where(payments.Payment.status == "succeeded")
        ).one()
    seen = club.bank.dispute(paid.provider_ref, status=status, amount=paid.amount, ref="dp_1")
    with transaction():
        payments.record_dispute(seen, now=club.now)
    outbox.drain()


def test_a_dispute_holds_the_days_back_and_losing_it_takes_the_rest(unlimited):
    dispute(unlimited, "open")
    assert the_lot(unlimited).net_recognised == 922
    with pytest.raises(LotFrozen):
        unlimited.world.take(unlimited.world.add_till("A"), unlimited.member_id, now=unlimited.now)
    unlimited.pass_time(days=5)
    earn_days()
    assert the_lot(unlimited).net_recognised == 922
    dispute(unlimited, "lost")
    assert (the_lot(unlimited).is_open, the_lot(unlimited).net_recognised) == (False, 2857)


def test_a_dispute_that_is_won_lets_the_days_go_on(unlimited):
    dispute(unlimited, "open")
    unlimited.pass_time(days=5)
    dispute(unlimited, "won")
    earn_days()
    assert the_lot(unlimited).net_recognised == earned(2857, 15)
