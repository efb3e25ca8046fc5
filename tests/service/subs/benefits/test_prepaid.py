"""A period that somebody had paid before: its money moves, nothing is sold or invoiced again."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import func, select

from invoicing import Invoice
from kernel.db import db
from kernel.transaction import transaction
from subs.service.benefits import Settled, grant_all
from tests.service.subs.benefits.house import House, at
from vouchers.models import Lot
from vouchers.slices import Prepaid, take_out
from vouchers.wallet import change_wallet

JANUARY = (at(1, 15), at(2, 15))


def prepay(house: House, code: str, *, periods: int, net: int, vat: int) -> UUID:
    """Periods of a plan that Bob has paid for and given to the member."""
    return house.world.add_lot(
        house.member_id,
        code,
        store="B",
        units=periods,
        net=net,
        vat=vat,
        account="2132",
        prepays_plan=True,
        buyer_id=house.world.add_member(),
    )


def begin(house: House, code: str, lot_id: UUID) -> None:
    """The plan begins with a period out of the lot."""
    mine = house.subscribe(code, begins_at=JANUARY[0])
    with transaction():
        change_wallet(house.member_id)
        lot = db.session.get_one(Lot, (house.member_id, lot_id))
        paid = Prepaid(lot, take_out(lot, 1))
        one = house.settled(mine, 1, *JANUARY, price=paid.part.gross)
        grant_all(
            [Settled(one.subscription, one.period, one.plan, one.paid_at, prepaid=paid)],
            now=one.paid_at,
        )


def test_its_cups_carry_what_was_paid_for_it(house):
    house.add_plan()
    lot_id = prepay(house, "monthly", periods=3, net=1426, vat=71)
    begin(house, "monthly", lot_id)
    old, new = sorted(house.lots(), key=lambda lot: not lot.prepays_plan)
    assert (old.used, old.net_recognised, old.vat_gone) == (1, 475, 24)
    assert (new.units, new.net, new.vat, new.account) == (10, 475, 24, "2132")
    assert (new.store_id, new.buyer_id, new.order_item_id) == (
        old.store_id,
        old.buyer_id,
        old.order_item_id,
    )


def test_its_money_moves_and_is_not_sold_or_invoiced_again(house):
    house.add_plan()
    begin(house, "monthly", prepay(house, "monthly", periods=3, net=1426, vat=71))
    assert house.entries("transfer") == [
        (
            "transfer",
            date(2026, 1, 15),
            [
                ("2132", "2134", 475, 0),
                ("2134", "2132", 475, 0),
                ("2132", "1111", 0, 1),
                ("1111", "2132", 0, 10),
            ],
        )
    ]
    assert len(house.entries("sale")) == 1
    with transaction():
        assert db.session.scalar(select(func.count()).select_from(Invoice)) == 0


@pytest.mark.parametrize("is_unlimited", [True, False])
def test_a_prepaid_period_without_cups_is_earned_by_the_day(house, is_unlimited):
    house.add_plan("club", cups=0, is_unlimited=is_unlimited)
    begin(house, "club", prepay(house, "club", periods=2, net=950, vat=48))
    by_day = next(lot for lot in house.lots() if not lot.prepays_plan)
    assert (by_day.units, by_day.net, by_day.earns_days) == (0, 475, 31)
