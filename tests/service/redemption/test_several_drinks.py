"""Several drinks in one scan: one code, one redemption, one entry; all of them or none."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from kernel.db import db
from kernel.idempotency import KeyReused
from kernel.transaction import snapshot, transaction
from ledger.models import Entry, Line
from redemption.errors import InsufficientCups, ProductMismatch, TopUpDue, UnknownProduct
from redemption.history import list_history
from redemption.models import Redemption, RedemptionLine, TurnedAway
from redemption.service.redeem import redeem
from tests.service.redemption.tills import price
from tests.world import only
from vouchers.models import Lot, Wallet


@pytest.fixture
def both(world):
    """Alice holds 11 cups that are good for a latte and for a mocha."""
    world.add_offer("both", product=("latte", "mocha"))
    world.till, world.alice = world.add_till("A"), world.add_member()
    world.add_lot(world.alice, "both")
    return world


def lines():
    with transaction():
        rows = db.session.execute(
            select(RedemptionLine.product_id, RedemptionLine.cups, RedemptionLine.amount)
        )
        return {row.product_id: (row.cups, row.amount) for row in rows}


def test_both_come_from_one_lot_in_one_redemption_and_one_entry(both):
    redeemed = both.take(both.till, both.alice, drinks={"latte": 3, "mocha": 2})
    assert lines() == {both.products["latte"]: (3, 130), both.products["mocha"]: (2, 86)}
    assert (only(Redemption).cups, only(Lot).used, only(Lot).net_recognised) == (5, 5, 216)
    assert only(Wallet).version == 1
    with transaction():
        mine = select(func.count()).where(Entry.kind == "redemption")
        assert db.session.scalar(mine) == 1
        booked = select(Line.qty, Line.amount).where(Line.debit == "2131").order_by(Line.ordinal)
        assert [tuple(row) for row in db.session.execute(booked)] == [(3, 130), (2, 86)]
    assert [(item["cups"], item["left"]) for item in redeemed.items] == [(3, 6), (2, 6)]
    assert redeemed.cups == 5


def test_each_takes_from_what_is_good_for_it(both):
    both.add_offer("mochas", product="mocha")
    both.add_lot(both.alice, "mochas")
    redeemed = both.take(both.till, both.alice, drinks={"latte": 11, "mocha": 4})
    taken = [(one["offer"], one["cups"]) for one in redeemed.taken]
    assert taken == [("both", 11), ("mochas", 4)]
    assert [item["left"] for item in redeemed.items] == [0, 7]


def test_a_retry_hears_of_all_of_them_again(both):
    scan = both.scan(
        both.till,
        both.code(both.add_credential(both.alice)),
        drinks={"latte": 1, "mocha": 1},
    )
    first, again = redeem(scan=scan, now=both.now), redeem(scan=scan, now=both.now)
    assert again.is_replayed
    assert again.as_json() == first.as_json()
    assert only(Lot).used == 2


def test_the_same_key_for_another_drink_is_another_request(both):
    code = both.code(both.add_credential(both.alice))
    asked = {"key": "k" * 16, "drinks": {"latte": 1, "mocha": 1}}
    redeem(scan=both.scan(both.till, code, **asked, fingerprint=b"1"), now=both.now)
    with pytest.raises(KeyReused):
        redeem(scan=both.scan(both.till, code, **asked, fingerprint=b"2"), now=both.now)


def test_too_few_for_all_of_them_hands_over_none(both):
    with pytest.raises(InsufficientCups) as refusal:
        both.take(both.till, both.alice, drinks={"latte": 6, "mocha": 6})
    assert refusal.value.facts == {"held": 11, "wanted": 12}
    assert only(Lot).used == 0
    assert (only(TurnedAway).product_id, only(TurnedAway).cups) == (None, 12)


def test_the_one_that_cannot_be_had_is_named_also_in_the_store_s_day(both):
    tea_id = both.add_product("tea")
    with pytest.raises(ProductMismatch) as refusal:
        both.take(both.till, both.alice, drinks={"latte": 1, "tea": 1})
    assert refusal.value.facts == {"product_id": str(tea_id)}
    assert (only(TurnedAway).product_id, only(TurnedAway).reason) == (tea_id, "product-mismatch")


def test_one_that_is_not_sold_refuses_all(both):
    both.products["nothing"] = uuid4()
    with pytest.raises(UnknownProduct):
        both.take(both.till, both.alice, drinks={"latte": 1, "nothing": 1})


def test_what_is_paid_besides_is_one_sum_and_stands_with_the_drink_that_costs_it(both):
    both.add_offer("forty", product=None, covers_up_to=40, allows_top_up=True)
    bob = both.add_member()
    both.add_lot(bob, "forty")
    price(both.products["latte"], 40)
    price(both.products["mocha"], 60)
    drinks = {"latte": 1, "mocha": 2}
    with pytest.raises(TopUpDue) as refusal:
        both.take(both.till, bob, drinks=drinks)
    assert refusal.value.facts == {"due": 40, "collected": 0, "currency": "TWD"}
    redeemed = both.take(both.till, bob, drinks=drinks, top_up=40)
    assert [item["top_up"]["amount"] for item in redeemed.items] == [0, 40]
    assert only(Redemption).top_up == 40
    with transaction():
        paid = select(RedemptionLine.top_up).order_by(RedemptionLine.top_up)
        assert db.session.scalars(paid).all() == [0, 40]


def test_the_wallet_s_history_tells_one_event_with_all_its_drinks(both):
    both.take(both.till, both.alice, drinks={"latte": 3, "mocha": 2})
    with snapshot():
        newest, *_ = list_history(member_id=both.alice, limit=5, after=None)
    assert (newest.kind, newest.cups, newest.left) == ("redemption", -5, 6)
    assert [drink.code for drink in newest.drinks] == ["latte", "mocha"]
    assert sum(part.cups for part in newest.parts) == -5
    assert sum(part.amount for part in newest.parts) == -216
