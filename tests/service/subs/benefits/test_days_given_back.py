"""Days that have not been earned are given back whole; they are never given on."""

from uuid import UUID

import pytest
from sqlalchemy import select

import payments
import vouchers
from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from redemption.errors import InsufficientCups, LotFrozen
from subs.service.start import start
from tests.club import Club
from vouchers import NotGiftable, TooFewLeft, Wish
from vouchers.earning_jobs import earn_days
from vouchers.models import Lot, Refund, RefundLine

pytestmark = pytest.mark.usefixtures("books_hold")


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
