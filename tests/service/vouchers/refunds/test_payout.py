"""What becomes of the money of a refund."""

from datetime import date

import pytest
from sqlalchemy import select, update

import vouchers
from kernel.config import config
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments import repaying
from tests.service.vouchers.conftest import booked
from vouchers import RefundNotFailed
from vouchers.models import Lot
from vouchers.service import payout

PAID = [("2133", "1111", 1_000, 0)]


@pytest.fixture
def refund(shop, member):
    order = shop.buy(member, pack=1)
    (made,) = shop.refund(member, order)
    return made


@pytest.fixture
def alerted(monkeypatch):
    """Have alerts sent to somebody."""

    def alert_to(phone):
        monkeypatch.setenv("ALERT_TO", phone)
        config.cache_clear()

    yield alert_to
    monkeypatch.undo()
    config.cache_clear()


def retry(shop, refund):
    with transaction():
        return vouchers.retry(refund_id=refund.id, now=shop.now)


def settle(shop, refund):
    with transaction():
        return vouchers.settle_otherwise(
            refund_id=refund.id, by_id=new_id(), reference="BT-1", now=shop.now
        )


def test_it_is_owed_until_the_provider_says_that_it_arrived(shop, refund):
    shop.bank.repays_slowly = True
    shop.send_money()
    assert (shop.read(refund).status, shop.held("A")[0]["2133"]) == ("owed", -1_000)


def test_what_arrived_is_booked_once_however_often_it_is_heard(shop, member, refund):
    shop.send_money()
    for _ in range(3):
        with transaction():
            payout.follow(refund_id=refund.id, now=shop.now)
    assert (shop.read(refund).status, booked(member, "payout")) == ("paid", PAID)


def test_what_the_provider_cannot_bring_is_still_owed_and_somebody_is_alerted(
    shop, refund, alerted
):
    alerted("+886912345678")
    shop.bank.repays_slowly = True
    shop.send_money()
    shop.bounce(refund, hears=False)
    with transaction():
        payout.follow(refund_id=refund.id, now=shop.now)
    assert (shop.read(refund).status, shop.held("A")[0]["2133"]) == ("failed", -1_000)
    with transaction():
        texts = [
            row.facts["text"]
            for row in db.session.scalars(select(Outbox).where(Outbox.topic == "alert.raised"))
        ]
    assert texts == [f"Refund {refund.id} failed: expired_or_canceled_card"]


def test_what_comes_back_after_it_had_arrived_is_owed_again(shop, member, refund):
    shop.send_money()
    shop.at(2026, 1, 25, 12)
    shop.bounce(refund)
    assert (shop.read(refund).status, shop.read(refund).paid_at) == ("failed", None)
    assert booked(member, "void") == [("1111", "2133", 1_000, 0)]
    assert shop.held("A")[0] == {"1111": 1_000, "2133": -1_000}


def test_news_in_the_wrong_order_ends_the_same(shop, member, refund):
    repaying.repay_due()
    shop.bounce(refund, hears=False)
    with transaction():  # the newer news is read first
        rows = update(Outbox).where(Outbox.topic == "refund.repaid")
        db.session.execute(rows.values(due_at=shop.now.replace(year=2027)))
    shop.hear()
    shop.at(2027, 3, 1, 12)
    shop.hear()
    assert shop.read(refund).status == "failed"
    assert shop.held("A")[0]["2133"] == -1_000


def test_finance_has_it_tried_again(shop, member, refund):
    shop.send_money()
    shop.bounce(refund)
    assert retry(shop, refund).status == "owed"
    shop.send_money()
    assert (shop.read(refund).status, booked(member, "payout")) == ("paid", PAID * 2)
    assert shop.held("A") == ({},)
    assert [one.status for one in shop.repayments(refund)] == ["failed", "succeeded"]


def test_news_of_the_first_attempt_does_not_touch_the_second(shop, refund):
    shop.send_money()
    shop.bounce(refund)
    retry(shop, refund)
    with transaction():
        payout.follow(refund_id=refund.id, now=shop.now)
    assert shop.read(refund).status == "owed"


def test_finance_pays_it_in_another_way_and_says_how(shop, refund):
    shop.send_money()
    shop.bounce(refund)
    shop.at(2026, 2, 2, 12)
    settle(shop, refund)
    done = shop.read(refund)
    assert (done.status, done.settled_reference, done.settled_by_id is None) == (
        "paid",
        "BT-1",
        False,
    )
    assert shop.held("A") == ({},)
    assert shop.held("A", until=date(2026, 2, 1))[0]["2133"] == -1_000


def test_late_news_does_not_undo_what_finance_paid(shop, refund):
    shop.send_money()
    shop.bounce(refund)
    settle(shop, refund)
    with transaction():
        payout.follow(refund_id=refund.id, now=shop.now)
    assert shop.read(refund).status == "paid"


@pytest.mark.parametrize("verb", [retry, settle])
@pytest.mark.parametrize("arrived", [False, True])
def test_what_did_not_fail_is_left_alone(shop, refund, verb, arrived):
    if arrived:
        shop.send_money()
    with pytest.raises(RefundNotFailed):
        verb(shop, refund)


def test_what_could_not_even_begin_is_begun_by_the_retry_or_stays_failed(shop, member):
    shop.world.add_lot(member, "pack")
    with transaction():
        vouchers.change_wallet(member)
        (lot,) = db.session.scalars(select(Lot))
        (refund,) = vouchers.refund_lots([vouchers.Part(lot, 11)], reason="expiry", now=shop.now)
    with pytest.raises(RefundNotFailed):
        retry(shop, refund)
    settle(shop, refund)
    assert shop.held("A") == ({},)


def test_a_refund_that_is_not_there_is_not_found(shop):
    with pytest.raises(NotFound), transaction():
        vouchers.retry(refund_id=new_id(), now=shop.now)
