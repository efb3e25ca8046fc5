"""Either the cup or the money, never both; whoever meets whom."""

import pytest
from sqlalchemy import select

import vouchers
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import again, transaction
from payments.models import Dispute
from redemption.service.redeem import redeem
from tests.together import together
from vouchers import Wish
from vouchers.models import Refund
from vouchers.service.dispute import follow_dispute

_ROUNDS = 3


def done(answers):
    return [one for one in answers if not isinstance(one, Refusal)]


def asks(shop, member, order):
    return lambda: vouchers.refund(Wish(member, order.id), asked_by_id=member, now=shop.now)


def takes(shop, member, cups, till):
    """Hand over cups, in transactions of its own; each with a code of its own."""
    world, now = shop.world, shop.now
    code = world.code(world.add_credential(member), at=now)
    scan = world.scan(till, code, cups)
    return lambda: redeem(scan=scan, now=now)


@pytest.mark.parametrize("round_", range(_ROUNDS))
def test_a_cup_is_handed_over_or_paid_back_never_both(app, shop, member, round_):
    order = shop.buy(member, pack=1)
    shop.take(member, 7)
    till = shop.world.add_till("A")
    scans = [takes(shop, member, 1, till) for _ in range(6)]
    refunds = [_committed(asks(shop, member, order)) for _ in range(2)]
    works = [*scans[:3], *refunds, *scans[3:]] if round_ % 2 else [*refunds, *scans]
    answers = together(app, works, in_transactions=False)
    taken = sum(not isinstance(one, list) for one in done(answers))
    made = [one for answer in done(answers) if isinstance(answer, list) for one in answer]
    back = sum(line.cups for refund in made for line in shop.lines(refund))
    assert len(made) <= 1
    (lot,) = shop.lots(member)
    assert taken + back == 4 == lot.units - 7
    assert (lot.used, lot.net_recognised, lot.vat_gone) == (11, lot.net, lot.vat)


def test_two_refunds_of_one_order_pay_once(app, shop, member):
    order = shop.buy(member, pack=1)
    answers = together(app, [asks(shop, member, order)] * 8)
    assert len(done(answers)) == 1
    shop.send_money()
    assert shop.payment_of(order).repaid == 1_000


def test_parts_of_one_lot_add_up_to_it(app, shop, member):
    order = shop.buy(member, pack=1)
    wish = Wish(member, order.id, shop.named(member, 3))
    answers = together(app, [lambda: vouchers.refund(wish, asked_by_id=member, now=shop.now)] * 6)
    assert (len(done(answers)), shop.left(member)) == (3, 2)


@pytest.mark.parametrize("round_", range(_ROUNDS))
def test_a_refund_and_a_dispute_leave_each_cup_in_one_place(app, shop, member, round_):
    order = shop.buy(member, pack=1)
    dispute = shop.dispute(shop.payment_of(order), hears=False)

    def follow():
        follow_dispute(dispute_id=dispute.id, now=shop.now)

    works = [follow, asks(shop, member, order), follow]
    answers = together(app, works if round_ % 2 else works[::-1])
    is_refunded = any(isinstance(one, list) for one in answers)
    with transaction():
        assert db.session.scalars(select(Dispute.followed)).one() == "open"
        assert len(db.session.scalars(select(Refund)).all()) == is_refunded
    (lot,) = shop.lots(member)
    assert lot.frozen_at is not None
    assert lot.used == (11 if is_refunded else 0)


@pytest.mark.parametrize("round_", range(_ROUNDS))
def test_a_refund_and_gifts_leave_each_cup_in_one_place(app, shop, member, round_):
    order = shop.buy(member, pack=1)

    def give():
        return vouchers.give(giver_id=member, cups=4, now=shop.now).cups

    works = [asks(shop, member, order), give, give]
    answers = done(together(app, works if round_ % 2 else works[::-1]))
    given = sum(one for one in answers if isinstance(one, int))
    back = [line.cups for one in answers if isinstance(one, list) for line in shop.lines(one[0])]
    assert (given + sum(back), shop.left(member)) == (11, 0)


def test_a_claim_and_a_dispute_leave_no_cup_unfrozen(app, shop, member):
    friend = shop.world.add_member()
    for _ in range(_ROUNDS):
        order = shop.buy(member, pack=1)
        with transaction():
            gift_id = vouchers.give(giver_id=member, cups=3, now=shop.now).id
        dispute = shop.dispute(shop.payment_of(order), hears=False)
        token = vouchers.gift_token.make(gift_id)

        def claim(token=token):
            vouchers.claim(member_id=friend, token=token, now=shop.now)

        def follow(dispute_id=dispute.id):
            follow_dispute(dispute_id=dispute_id, now=shop.now)

        together(app, [claim, follow])
        shop.hear()
        assert (shop.left(friend), shop.left(member)) == (0, 0)


def _committed(work):
    """A refund as its edge runs it: one transaction, anew when PostgreSQL asks for that."""

    def committed():
        with transaction():
            return work()

    return lambda: again(committed)
