"""Plans' cups come back, and are lost, like packs': of the first period and of renewals."""

from datetime import timedelta

import pytest

import payments
import vouchers
from kernel import clock, outbox
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import repaying
from payments.models import Payment
from subs.models import Period
from tests.service.ledger.plain import balances
from tests.service.vouchers.conftest import booked
from vouchers import AskedLot, Wish, gift_token
from vouchers.service.lot import issue_lot

PERIOD = "subscription_period"


@pytest.fixture
def renewal(shop, member, monthly):
    """A renewal that was paid by card: ten cups of a period of its own. Answers its payment."""
    period_id = new_id()
    with transaction():
        payment = payments.begin(
            member_id=member,
            purpose=PERIOD,
            purpose_id=period_id,
            amount=499,
            currency="TWD",
            payment_method="pm_card_visa",
            save_card=False,
            now=shop.now,
        )
    payments.charge(payment_id=payment.id)
    with transaction():
        rows = db.session.query(outbox.Outbox).filter_by(topic=f"{PERIOD}.paid")
        rows.delete()  # the period itself is not there
        issue_lot(
            member_id=member,
            offer_version_id=shop.world.offers["monthly"][1],
            store_id=shop.world.stores["A"],
            source="period",
            source_id=period_id,
            account="2132",
            net=475,
            vat=24,
            sold_at=shop.now,
            ends_at=shop.now + timedelta(days=30),
        )
        return db.session.get_one(Payment, payment.id)


def test_a_renewal_is_refunded_to_its_own_payment_and_cannot_be_withdrawn(shop, member, renewal):
    shop.take(member, 4)
    (refund,) = shop.refund(member, lots=shop.named(member, 6))
    shop.send_money()
    assert (refund.reason, refund.purpose, refund.purpose_id) == (
        "request",
        PERIOD,
        renewal.purpose_id,
    )
    assert (refund.payable, shop.read(refund).status) == (299, "paid")


def test_the_first_period_is_paid_back_of_its_order(shop, member, monthly):
    order = shop.buy(member, monthly=1)
    shop.hear()
    shop.take(member, 4)
    (refund,) = shop.refund(member, order)
    shop.send_money()
    assert (refund.purpose, refund.reason, refund.payable) == ("voucher_order", "withdrawal", 299)
    with transaction():
        assert db.session.query(Period).one().status == "paid"


def test_e7_of_a_renewal_with_cups_that_were_given_on(shop, member, renewal):
    friend = shop.world.add_member()
    shop.take(member, 4)
    with transaction():
        gift_id = vouchers.give(giver_id=member, cups=2, now=shop.now).id
    with transaction():
        vouchers.claim(member_id=friend, token=gift_token.make(gift_id), now=shop.now)
    dispute = shop.dispute(renewal)
    assert (shop.left(member), shop.left(friend)) == (0, 0)
    shop.dispute(renewal, ref=dispute.provider_ref, status="lost")
    assert shop.held("A") == ({"2194": -10, "4111": -190, "6221": 200},)
    assert [lot.is_open for lot in (*shop.lots(member), *shop.lots(friend))] == [False, False]
    assert booked(friend, "dispute_lost")[0][:2] == ("2132", "1172")


def test_a_renewal_that_was_given_on_comes_back_to_its_payer(shop, member, renewal):
    friend = shop.world.add_member()
    with transaction():
        gift_id = vouchers.give(giver_id=member, cups=2, now=shop.now).id
    with transaction():
        vouchers.claim(member_id=friend, token=gift_token.make(gift_id), now=shop.now)
    (lot,) = shop.lots(friend)
    wish = Wish(friend, None, [AskedLot(lot_id=lot.id, cups=2)])
    with transaction():
        (refund,) = vouchers.refund(wish, asked_by_id=friend, now=clock.now())
    repaying.repay_due()
    shop.hear()
    assert (refund.payer_id, refund.purpose_id) == (member, renewal.purpose_id)
    assert balances(shop.world.stores["A"]).get("2133", 0) == 0
