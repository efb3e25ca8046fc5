"""A member changes to another plan, at once or at the end of what is paid."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

import payments
import vouchers
from invoicing.models import Invoice, InvoiceDocument
from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import sweep
from subs import change_jobs
from subs.change_errors import (
    ChangeNeedsCard,
    ChangeNotNow,
    ChangeNotOffered,
    ChangeOnlyAtEnd,
    NoChangeAsked,
    PlanEnds,
    SamePlan,
)
from subs.change_queries import When
from subs.errors import RenewalUnderWay, SubscriptionEnded
from subs.models import PlanChange, Sharer, Subscription
from subs.service import change, sharing
from subs.service.change import Changing, Preview
from tests.club import Club
from tests.fakes import DECLINED, WANTS_HOLDER, Crash
from tests.service.ledger.plain import balances
from vouchers import Wish
from vouchers.errors import NotOnSale, PaymentDeclined
from vouchers.models import Lot, OrderItem, Refund


@pytest.fixture
def plans(club: Club) -> Club:
    """Two plans of thirty days: ten cups for 499, and twenty for 899."""
    club.add_plan("ten", every="day", every_count=30)
    club.add_plan("twenty", every="day", every_count=30, price=899, cups=20)
    return club


def to(club: Club, mine: UUID, code: str, at: When = "now") -> Changing:
    return change.change_plan(
        member_id=club.member_id,
        subscription_id=mine,
        offer_id=club.world.offers[code][0],
        at=at,
        now=club.now,
    )


def previewed(club: Club, mine: UUID, code: str, at: When = "now") -> Preview:
    with transaction():
        return change.preview(
            member_id=club.member_id,
            subscription_id=mine,
            offer_id=club.world.offers[code][0],
            at=at,
            now=club.now,
        )


def withdraw(club: Club, mine: UUID) -> None:
    with transaction():
        change.withdraw(member_id=club.member_id, subscription_id=mine, now=club.now)


def drink(club: Club, cups: int) -> None:
    """Collect cups at the counter of store A."""
    till = club.world.add_till("A")
    for _ in range(cups):
        club.world.take(till, club.member_id, now=club.now)
        club.pass_time(seconds=20)


def halfway(club: Club, code: str = "ten", *, cups: int = 4, **how: Any) -> UUID:
    """A subscription of which fifteen of thirty days are left, and so many cups are used."""
    mine = club.subscribe(code, **how)
    drink(club, cups)
    club.pass_time(days=15)
    return mine


def open_lots(club: Club) -> list[Lot]:
    return [lot for lot in club.lots() if lot.is_open]


def rows(club: Club) -> list[PlanChange]:
    with transaction():
        return list(db.session.scalars(select(PlanChange).order_by(PlanChange.id)))


def refunds(club: Club) -> list[Refund]:
    with transaction():
        return list(db.session.scalars(select(Refund).order_by(Refund.id)))


def invoiced() -> list[tuple[str, int, int, int]]:
    """Every invoice, in order: of what, its gross, its VAT, and what was taken back of it."""
    with transaction():
        found = db.session.scalars(select(Invoice).order_by(Invoice.id))
        return [(one.source, one.gross, one.vat, one.taken_back_gross) for one in found]


def dispute(club: Club, payment: payments.Payment, status: str = "open", ref: str = "dp_1") -> None:
    """A bank takes a payment back for the time being, or decides, and what follows is drawn."""
    seen = club.bank.dispute(payment.provider_ref, status=status, amount=payment.amount, ref=ref)
    with transaction():
        payments.record_dispute(seen, now=club.now)
    outbox.drain()


def test_e6_twenty_cups_instead_of_ten_in_the_middle_of_a_period_cost_200(plans: Club):
    mine = halfway(plans)
    before = balances(plans.world.stores["W"])

    done = to(plans, mine, "twenty")

    assert done.row is not None
    assert (done.row.status, done.row.amount, done.row.net, done.row.vat) == (
        "applied", 200, 190, 10,
    )  # fmt: skip
    after = balances(plans.world.stores["W"])
    moved = {account: after.get(account, 0) - before.get(account, 0) for account in after}
    assert {account: amount for account, amount in moved.items() if amount} == {
        "1111": 200, "2132": -190, "2194": -10,
    }  # fmt: skip
    (lot,) = open_lots(plans)
    assert (lot.source, lot.units, lot.used, lot.net, lot.vat) == ("plan_change", 11, 0, 475, 24)
    assert plans.charges == 1


def test_what_was_paid_for_a_change_is_recognised_by_the_cup_of_the_new_lot(plans: Club):
    mine = halfway(plans)
    to(plans, mine, "twenty")

    drink(plans, 9)

    (lot,) = open_lots(plans)
    assert (lot.used, lot.net_recognised) == (9, 389)
    plans.go_to(plans.periods(mine)[0].ends_at)
    plans.renew()
    assert plans.asked()[0].amount == 899
    assert plans.periods(mine)[1].offer_version_id == plans.world.offers["twenty"][1]


def test_a_change_is_invoiced_and_told_and_written_down(plans: Club):
    mine = halfway(plans)

    to(plans, mine, "twenty")

    assert invoiced()[-1] == ("plan_change", 200, 10, 0)
    assert plans.notices()[-1] == "subscription.changed_and_charged"
    assert plans.causes(mine) == ["started", "change_asked", "changed"]


def test_the_period_keeps_its_dates_and_what_it_cost(plans: Club):
    mine = halfway(plans)
    (before,) = plans.periods(mine)

    to(plans, mine, "twenty")

    (after,) = plans.periods(mine)
    assert (after.ends_at, after.price) == (before.ends_at, 499)
    assert after.offer_version_id == plans.world.offers["ten"][1]
    changed = plans.subscription(mine)
    assert (changed.offer_version_id, changed.due_at) == (
        plans.world.offers["twenty"][1], before.ends_at,
    )  # fmt: skip


def test_ten_cups_instead_of_twenty_give_200_back_to_the_payer(plans: Club):
    mine = halfway(plans, "twenty", price=899)

    done = to(plans, mine, "ten")

    assert done.row is not None
    assert (done.row.status, done.row.amount, done.row.net, done.row.vat) == (
        "applied", -200, -190, -10,
    )  # fmt: skip
    (refund,) = refunds(plans)
    assert (refund.payable, refund.purpose, refund.payer_id) == (
        200, "voucher_order", plans.member_id,
    )  # fmt: skip
    (lot,) = open_lots(plans)
    assert (lot.units, lot.net, lot.vat) == (11, 685 - 190, 34 - 10)
    assert invoiced() == [("period", 899, 43, 200)]
    assert plans.notices()[-1] == "subscription.changed_with_refund"
    assert plans.charges == 0


def test_no_more_comes_back_than_what_is_left_carries(plans: Club):
    plans.add_plan("small", every="day", every_count=30, price=99)
    mine = halfway(plans, "twenty", price=899, cups=12)

    done = to(plans, mine, "small")

    assert done.row is not None
    assert done.row.amount == -(899 - 540)  # 12 of 20 cups had carried 514 and 26 of VAT
    (lot,) = open_lots(plans)
    assert (lot.units, lot.net, lot.vat) == (3, 0, 0)


def test_who_has_used_nearly_all_keeps_no_cup_of_a_smaller_plan(plans: Club):
    mine = halfway(plans, "twenty", price=899, cups=15)

    done = to(plans, mine, "ten")

    assert done.row is not None
    assert done.row.amount == -200
    assert open_lots(plans) == []
    assert plans.subscription(mine).offer_version_id == plans.world.offers["ten"][1]


def test_what_was_paid_for_a_change_goes_back_before_what_the_period_cost(plans: Club):
    mine = halfway(plans, cups=0)
    to(plans, mine, "twenty")
    plans.add_plan("tiny", every="day", every_count=30, price=29, cups=1)

    done = to(plans, mine, "tiny")

    assert done.row is not None
    assert done.row.amount == -435  # 870 × 15/30
    assert [(one.purpose, one.payable) for one in refunds(plans)] == [
        ("plan_change", 200),
        ("voucher_order", 235),
    ]
    assert [(source, back) for source, _, _, back in invoiced()] == [
        ("period", 235),
        ("plan_change", 200),
    ]


def test_a_plan_at_the_same_price_costs_nothing(plans: Club):
    plans.add_plan("more", every="day", every_count=30, cups=12)
    mine = halfway(plans)

    done = to(plans, mine, "more")

    assert done.row is not None
    assert (done.row.status, done.row.amount) == ("applied", 0)
    (lot,) = open_lots(plans)
    assert (lot.units, lot.net, lot.vat) == (7, 285, 14)
    assert plans.charges == 0
    assert plans.notices()[-1] == "subscription.changed"


def test_cups_become_days_of_an_unlimited_plan(plans: Club):
    plans.add_plan("unlimited", every="day", every_count=30, price=1499, cups=0, is_unlimited=True)
    mine = halfway(plans)

    done = to(plans, mine, "unlimited")

    assert done.row is not None
    assert done.row.amount == 500
    (lot,) = open_lots(plans)
    assert (lot.units, lot.earns_days, lot.net, lot.vat) == (0, 15, 285 + 476, 14 + 24)


def test_days_of_an_unlimited_plan_become_cups(plans: Club):
    plans.add_plan("unlimited", every="day", every_count=30, price=1499, cups=0, is_unlimited=True)
    mine = halfway(plans, "unlimited", price=1499, cups=0)

    done = to(plans, mine, "ten")

    assert done.row is not None
    assert done.row.amount == -500
    (lot,) = open_lots(plans)
    assert (lot.units, lot.earns_days) == (5, None)
    assert lot.net + lot.vat == 1499 - 750 - 500


def test_a_day_on_which_cups_were_collected_is_one_of_the_old_plan(plans: Club):
    plans.add_plan("unlimited", every="day", every_count=30, price=1499, cups=0, is_unlimited=True)
    mine = halfway(plans, "unlimited", price=1499, cups=0)
    drink(plans, 1)

    done = to(plans, mine, "ten")

    assert done.row is not None
    assert (done.row.days_left, done.row.amount) == (14, -467)  # 1,000 × 14/30
    (lot,) = open_lots(plans)
    assert (lot.units, lot.net + lot.vat) == (5, 699 - 467)


def test_a_used_day_is_not_sold_once_more_by_the_new_plan(plans: Club):
    for code, price in (("unlimited", 1499), ("endless", 1999)):
        plans.add_plan(code, every="day", every_count=30, price=price, cups=0, is_unlimited=True)
    mine = halfway(plans, "unlimited", price=1499, cups=0)
    drink(plans, 1)
    to(plans, mine, "endless")

    back = to(plans, mine, "unlimited")

    assert [row.amount for row in rows(plans)] == [233, -233]
    assert back.row is not None
    (lot,) = open_lots(plans)
    assert lot.earns_days == 14
    assert lot.earns_from_on == (plans.now + timedelta(days=1, hours=8)).date()


def test_days_of_one_unlimited_plan_become_days_of_another(plans: Club):
    for code, price in (("unlimited", 1499), ("endless", 1999)):
        plans.add_plan(code, every="day", every_count=30, price=price, cups=0, is_unlimited=True)
    mine = halfway(plans, "unlimited", price=1499, cups=0)

    done = to(plans, mine, "endless")

    assert done.row is not None
    assert done.row.amount == 250
    (lot,) = open_lots(plans)
    assert (lot.earns_days, lot.source) == (15, "plan_change")


def test_a_plan_is_changed_twice_within_a_period(plans: Club):
    plans.add_plan("thirty", every="day", every_count=30, price=1199, cups=30)
    mine = halfway(plans)
    to(plans, mine, "twenty")

    done = to(plans, mine, "thirty")

    assert done.row is not None
    assert done.row.amount == 150
    (lot,) = open_lots(plans)
    assert (lot.units, lot.net + lot.vat) == (16, 299 + 200 + 150)


def test_asking_again_for_what_was_made_changes_nothing(plans: Club):
    mine = halfway(plans)
    first = to(plans, mine, "twenty")

    second = to(plans, mine, "twenty")

    assert first.row is not None
    assert second.row is not None
    assert (second.row.id, second.row.status) == (first.row.id, "applied")
    assert plans.charges == 1


def test_a_refused_card_changes_nothing(plans: Club):
    mine = halfway(plans, card=DECLINED)

    with pytest.raises(PaymentDeclined):
        to(plans, mine, "twenty")
    outbox.drain()

    assert [row.status for row in rows(plans)] == ["failed"]
    assert plans.subscription(mine).offer_version_id == plans.world.offers["ten"][1]
    (lot,) = open_lots(plans)
    assert (lot.source, lot.units - lot.used) == ("period", 6)
    assert "subscription.change_not_paid" not in plans.notices()
    assert plans.causes(mine)[-2:] == ["change_asked", "change_declined"]


def test_after_a_refusal_another_card_may_pay(plans: Club):
    mine = halfway(plans, card=DECLINED)
    with pytest.raises(PaymentDeclined):
        to(plans, mine, "twenty")
    plans.mend_cards()

    done = to(plans, mine, "twenty")

    assert done.row is not None
    assert done.row.status == "applied"
    assert [row.status for row in rows(plans)] == ["failed", "applied"]


def test_a_change_waits_for_its_holder_and_is_made_when_they_have_authenticated_it(plans: Club):
    mine = halfway(plans, card=WANTS_HOLDER)

    asked = to(plans, mine, "twenty")

    assert asked.row is not None
    assert asked.row.status == "asked"
    assert asked.waiting is not None
    assert asked.waiting.client_secret is not None
    assert plans.subscription(mine).offer_version_id == plans.world.offers["ten"][1]
    plans.authenticate(asked.waiting)
    assert [row.status for row in rows(plans)] == ["applied"]
    assert plans.subscription(mine).offer_version_id == plans.world.offers["twenty"][1]


def test_asking_again_while_it_waits_goes_on_with_the_same_payment(plans: Club):
    mine = halfway(plans, card=WANTS_HOLDER)
    first = to(plans, mine, "twenty")

    second = to(plans, mine, "twenty")

    assert first.waiting is not None
    assert second.waiting is not None
    assert first.waiting.id == second.waiting.id
    assert plans.charges == 1


def test_cups_that_are_collected_while_a_change_waits_are_not_moved(plans: Club):
    mine = halfway(plans, card=WANTS_HOLDER)
    asked = to(plans, mine, "twenty")
    drink(plans, 2)

    assert asked.waiting is not None
    plans.authenticate(asked.waiting)

    (lot,) = open_lots(plans)
    assert lot.units == 4 + 5


def test_another_change_takes_the_place_of_one_that_waits(plans: Club):
    plans.add_plan("thirty", every="day", every_count=30, price=1199, cups=30)
    mine = halfway(plans, card=WANTS_HOLDER)
    first = to(plans, mine, "twenty")
    plans.mend_cards()

    to(plans, mine, "thirty")
    outbox.drain()

    assert [row.status for row in rows(plans)] == ["failed", "applied"]
    assert first.waiting is not None
    with transaction():
        assert payments.get_payment(first.waiting.id).status == "cancelled"


def test_money_for_a_change_that_was_replaced_goes_back(plans: Club):
    mine = halfway(plans, card=WANTS_HOLDER)
    asked = to(plans, mine, "twenty")
    withdraw(plans, mine)

    assert asked.waiting is not None
    plans.authenticate(asked.waiting)

    assert plans.returned() == [200]
    assert [row.status for row in rows(plans)] == ["failed"]
    assert plans.notices()[-1] == "subscription.change_too_late"
    assert plans.causes(mine)[-1] == "late_payment_returned"


def test_money_that_comes_when_the_next_period_has_begun_goes_back(plans: Club):
    mine = halfway(plans, card=WANTS_HOLDER)
    asked = to(plans, mine, "twenty")
    plans.mend_cards()
    plans.go_to(plans.periods(mine)[0].ends_at)
    plans.renew()

    assert asked.waiting is not None
    plans.authenticate(asked.waiting)

    assert plans.returned() == [200]
    assert plans.subscription(mine).offer_version_id == plans.world.offers["ten"][1]
    assert [period.price for period in plans.periods(mine)] == [499, 499]


def test_money_that_comes_when_the_plan_has_ended_goes_back(plans: Club):
    mine = halfway(plans, card=WANTS_HOLDER)
    asked = to(plans, mine, "twenty")
    plans.cancel(mine, at="now")

    assert asked.waiting is not None
    plans.authenticate(asked.waiting)

    assert plans.returned() == [200]
    assert plans.subscription(mine).status == "cancelled"


def test_a_change_that_nobody_pays_is_given_up_after_a_day(plans: Club):
    mine = halfway(plans, card=WANTS_HOLDER)
    asked = to(plans, mine, "twenty")
    plans.pass_time(hours=25)

    change_jobs.give_up_old()
    outbox.drain()

    assert [row.status for row in rows(plans)] == ["failed"]
    assert asked.waiting is not None
    with transaction():
        assert payments.get_payment(asked.waiting.id).status == "cancelled"
    assert plans.subscription(mine).status == "active"
    assert plans.causes(mine)[-1] == "change_not_paid"


def test_dying_between_the_charge_and_the_change_leaves_it_to_the_news(plans: Club):
    mine = halfway(plans)
    plans.bank.fail("charge", "after", Crash())
    with pytest.raises(Crash):
        to(plans, mine, "twenty")
    db.session.rollback()
    assert [row.status for row in rows(plans)] == ["asked"]

    plans.pass_time(minutes=2)
    sweep.ask_again()
    outbox.drain()

    assert [row.status for row in rows(plans)] == ["applied"]
    assert len(plans.bank.taken) == 1
    (lot,) = open_lots(plans)
    assert lot.units == 11


def test_the_news_of_a_payment_may_come_twice(plans: Club):
    mine = halfway(plans)
    done = to(plans, mine, "twenty")
    assert done.row is not None
    assert done.row.payment_id is not None

    with transaction():
        change.complete(change_id=done.row.id, payment_id=done.row.payment_id, now=plans.now)

    assert len(open_lots(plans)) == 1
    assert plans.returned() == []


def test_a_change_to_the_same_plan_is_refused(plans: Club):
    mine = halfway(plans)
    with pytest.raises(SamePlan):
        to(plans, mine, "ten")


def test_a_change_to_what_is_no_plan_or_not_there_is_refused(plans: Club):
    mine = halfway(plans)
    with pytest.raises(NotFound):
        to(plans, mine, "eleven")
    plans.world.offers["nothing"] = (new_id(), new_id())
    with pytest.raises(NotFound):
        to(plans, mine, "nothing")


def test_a_change_to_what_is_not_sold_any_more_is_refused(plans: Club):
    plans.add_plan("old", sale_ends_at=plans.now - timedelta(days=1))
    mine = halfway(plans)
    with pytest.raises(NotOnSale):
        to(plans, mine, "old")


@pytest.mark.parametrize("at", ["now", "end"])
def test_a_change_to_what_is_not_sold_this_way_is_refused(plans: Club, at: When):
    plans.add_plan("web", every="day", every_count=30, sale_channels=["web"])
    mine = halfway(plans)

    for ask in (to, previewed):
        with pytest.raises(vouchers.ChannelNotSold) as refusal:
            ask(plans, mine, "web", at)

    assert refusal.value.facts["channels"] == ["web"]
    done = change.change_plan(
        member_id=plans.member_id,
        subscription_id=mine,
        offer_id=plans.world.offers["web"][0],
        at=at,
        channel="web",
        now=plans.now,
    )
    assert done.shown.status in ("applied", "planned")


@pytest.mark.parametrize("at", ["now", "end"])
def test_who_has_as_many_of_a_plan_as_one_may_does_not_change_to_it(plans: Club, at: When):
    plans.add_plan("one", every="day", every_count=30, member_limit=1)
    first, second = halfway(plans), plans.subscribe("ten")
    to(plans, first, "one", at)
    to(plans, first, "one", at)  # once more changes nothing

    for ask in (to, previewed):
        with pytest.raises(vouchers.MemberLimit) as refusal:
            ask(plans, second, "one", at)

    assert (refusal.value.facts["limit"], refusal.value.facts["held"]) == (1, 1)


def test_who_has_left_a_limited_plan_may_have_it_again(plans: Club):
    plans.add_plan("one", every="day", every_count=30, member_limit=1)
    mine = halfway(plans, "one")
    to(plans, mine, "ten")

    with transaction():
        placed = vouchers.place_order(
            member_id=plans.member_id,
            items=[{"offer_id": plans.world.offers["one"][0], "quantity": 1}],
            now=plans.now,
        )

    assert placed.order.total == 499


def test_who_came_to_a_limited_plan_by_a_change_cannot_buy_it_too(plans: Club):
    plans.add_plan("one", every="day", every_count=30, member_limit=1)
    to(plans, halfway(plans), "one")

    with pytest.raises(vouchers.MemberLimit), transaction():
        vouchers.place_order(
            member_id=plans.member_id,
            items=[{"offer_id": plans.world.offers["one"][0], "quantity": 1}],
            now=plans.now,
        )


def test_a_change_to_another_currency_is_refused(plans: Club):
    plans.add_plan("abroad", currency="JPY")
    mine = halfway(plans)
    with pytest.raises(ChangeNotOffered):
        to(plans, mine, "abroad", "end")


def test_somebody_elses_plan_is_not_there_to_change(plans: Club):
    mine = halfway(plans)
    with pytest.raises(NotFound):
        change.change_plan(
            member_id=new_id(),
            subscription_id=mine,
            offer_id=plans.world.offers["twenty"][0],
            at="now",
            now=plans.now,
        )


@pytest.mark.parametrize(
    ("why", "terms"),
    [
        ("interval", {"every": "month"}),
        ("tax", {"every": "day", "every_count": 30, "vat_timing": "redemption"}),
    ],
)
def test_plans_that_are_not_alike_change_at_the_end_only(
    plans: Club, why: str, terms: dict[str, Any]
):
    plans.add_plan("other", price=899, **terms)
    mine = halfway(plans)

    with pytest.raises(ChangeOnlyAtEnd) as refusal:
        to(plans, mine, "other")

    assert refusal.value.facts == {"why": why}
    to(plans, mine, "other", "end")
    assert plans.subscription(mine).next_version_id == plans.world.offers["other"][1]


def test_who_would_get_no_cup_for_their_money_changes_at_the_end_only(plans: Club):
    plans.add_plan("dear", every="day", every_count=30, price=899)
    mine = halfway(plans, cups=10)

    with pytest.raises(ChangeOnlyAtEnd) as refusal:
        to(plans, mine, "dear")

    assert refusal.value.facts == {"why": "no_cups"}


def test_on_the_last_day_a_plan_changes_at_its_end(plans: Club):
    mine = halfway(plans)
    plans.pass_time(days=14, hours=20)
    with pytest.raises(ChangeOnlyAtEnd) as refusal:
        to(plans, mine, "twenty")
    assert refusal.value.facts == {"why": "last_day"}


def test_without_a_card_nothing_can_be_charged(plans: Club):
    mine = halfway(plans)
    with transaction():
        db.session.get_one(Subscription, mine).card_id = None
    with pytest.raises(ChangeNeedsCard):
        to(plans, mine, "twenty")


def test_what_is_cancelled_ended_past_due_or_a_trial_is_not_changed_at_once(plans: Club):
    plans.add_plan("trial", trial_days=7, trial_cups=2, first_price=0)
    trial = plans.subscribe("trial", price=0)
    with pytest.raises(ChangeNotNow):
        to(plans, trial, "twenty")
    mine = plans.subscribe("ten", card=DECLINED)
    plans.cancel(mine)
    with pytest.raises(PlanEnds):
        to(plans, mine, "twenty")
    plans.cancel(mine, at="now")
    with pytest.raises(SubscriptionEnded):
        to(plans, mine, "twenty")
    late = plans.subscribe("ten", card=DECLINED)
    plans.go_to(plans.periods(late)[0].ends_at)
    with pytest.raises(RenewalUnderWay):
        to(plans, late, "twenty")
    plans.renew()
    for at in ("now", "end"):
        with pytest.raises(ChangeNotNow):
            to(plans, late, "twenty", at)


def test_a_change_at_the_end_is_of_the_next_period(plans: Club):
    mine = plans.subscribe("ten")

    planned = to(plans, mine, "twenty", "end")

    assert planned.row is None
    assert plans.charges == 0
    assert plans.causes(mine) == ["started", "change_asked"]
    plans.go_to(plans.periods(mine)[0].ends_at)
    plans.renew()
    assert [one.amount for one in plans.asked()] == [899]
    assert plans.subscription(mine).offer_version_id == plans.world.offers["twenty"][1]
    assert plans.subscription(mine).next_version_id is None
    assert "changed" in plans.causes(mine)


def test_a_planned_change_is_told_once_however_often_it_is_asked_for(plans: Club):
    mine = plans.subscribe("ten")
    for _ in range(2):
        to(plans, mine, "twenty", "end")
    assert plans.notices() == ["subscription.change_planned"]
    assert plans.causes(mine) == ["started", "change_asked"]


def test_a_planned_change_may_be_withdrawn(plans: Club):
    mine = plans.subscribe("ten")
    to(plans, mine, "twenty", "end")

    withdraw(plans, mine)

    assert plans.subscription(mine).next_version_id is None
    assert plans.causes(mine) == ["started", "change_asked", "change_withdrawn"]
    with pytest.raises(NoChangeAsked):
        withdraw(plans, mine)


def test_a_change_at_once_takes_the_place_of_a_planned_one(plans: Club):
    plans.add_plan("thirty", every="day", every_count=30, price=1199, cups=30)
    mine = halfway(plans)
    to(plans, mine, "thirty", "end")

    to(plans, mine, "twenty")

    assert plans.subscription(mine).next_version_id is None


def test_a_preview_says_line_by_line_what_a_change_costs(plans: Club):
    mine = halfway(plans)

    seen = previewed(plans, mine, "twenty")

    assert seen.quote is not None
    assert [(line.code, line.amount) for line in seen.quote.lines] == [
        ("new_plan", 450),
        ("old_plan", -250),
    ]
    assert (seen.quote.amount, seen.quote.net, seen.quote.vat) == (200, 190, 10)
    assert (seen.quote.days.left, seen.quote.days.whole) == (15, 30)
    proration = seen.quote.proration
    assert (proration.moved, proration.added, proration.arriving) == (6, 5, 11)
    assert rows(plans) == []
    assert plans.subscription(mine).offer_version_id == plans.world.offers["ten"][1]


def test_a_preview_says_what_cannot_come_back(plans: Club):
    plans.add_plan("small", every="day", every_count=30, price=99)
    mine = halfway(plans, "twenty", price=899, cups=12)

    seen = previewed(plans, mine, "small")

    assert seen.quote is not None
    lines = {line.code: line.amount for line in seen.quote.lines}
    assert lines == {"new_plan": 50, "old_plan": -450, "not_carried": 41}
    assert sum(lines.values()) == seen.quote.amount == -359


def test_a_preview_of_a_change_at_the_end_costs_nothing_now(plans: Club):
    mine = plans.subscribe("ten")

    seen = previewed(plans, mine, "twenty", "end")

    assert seen.quote is None
    assert seen.takes_effect_at == plans.periods(mine)[0].ends_at


def test_a_downgrade_that_is_told_says_what_the_invoice_says(plans: Club):
    mine = halfway(plans, "twenty", price=899)
    to(plans, mine, "ten")

    (refund,) = refunds(plans)
    with transaction():
        given = db.session.scalars(
            select(InvoiceDocument).where(InvoiceDocument.cause_id == refund.id)
        ).one()
    assert (given.gross, given.net, given.vat) == (200, 190, 10)


def test_a_dispute_of_what_the_period_cost_freezes_the_cups_that_were_moved(plans: Club):
    mine = halfway(plans)
    plans.go_to(plans.periods(mine)[0].ends_at)
    plans.renew()
    to(plans, mine, "twenty")

    dispute(plans, plans.asked()[0])

    lot = open_lots(plans)[-1]
    assert (lot.source, lot.frozen_at is not None) == ("plan_change", True)
    with pytest.raises(ChangeOnlyAtEnd) as refusal:
        to(plans, mine, "ten")
    assert refusal.value.facts == {"why": "disputed"}


def test_a_dispute_of_what_a_change_cost_freezes_its_cups(plans: Club):
    mine = halfway(plans)
    done = to(plans, mine, "twenty")
    assert done.row is not None
    assert done.row.payment_id is not None

    with transaction():
        payment = payments.get_payment(done.row.payment_id)
    dispute(plans, payment)

    (lot,) = open_lots(plans)
    assert lot.frozen_at is not None
    dispute(plans, payment, "lost")
    (rest,) = open_lots(plans)
    assert rest.used == 4  # no more of its 11 cups than the 200 that are gone had paid for
    assert rest.frozen_at is None  # they were paid for with the period


def both_payments(club: Club) -> list[payments.Payment]:
    """Of a plan that was changed within its second period: what the period cost, and the change."""
    mine = halfway(club)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    done = to(club, mine, "twenty")
    assert done.row is not None
    assert done.row.payment_id is not None
    with transaction():
        return [club.asked()[0], payments.get_payment(done.row.payment_id)]


def test_cups_of_two_payments_are_free_when_no_bank_holds_either(plans: Club):
    of_period, of_change = both_payments(plans)
    dispute(plans, of_period)
    dispute(plans, of_change, ref="dp_2")

    dispute(plans, of_period, "won")
    assert open_lots(plans)[-1].frozen_at is not None
    dispute(plans, of_change, "won", ref="dp_2")
    assert open_lots(plans)[-1].frozen_at is None


def test_what_two_lost_payments_had_paid_for_stays_frozen(plans: Club):
    of_period, of_change = both_payments(plans)
    for payment, ref in ((of_period, "dp_1"), (of_change, "dp_2")):
        dispute(plans, payment, ref=ref)
        dispute(plans, payment, "lost", ref=ref)

    lots = [lot for lot in plans.lots() if lot.source == "plan_change"]
    assert [lot.frozen_at is not None for lot in lots] == [True]


def give_back(club: Club, lot: Lot, cups: int) -> None:
    wish = Wish(club.member_id, lots=[{"lot_id": lot.id, "cups": cups}])
    with transaction():
        seen = vouchers.preview(wish, now=club.now)
        made = vouchers.refund(wish, asked_by_id=club.member_id, now=club.now)
    assert [one.payable for one in seen] == [one.payable for one in made]


def test_cups_of_a_changed_plan_come_back_by_its_payments_the_latest_first(plans: Club):
    mine = halfway(plans)
    to(plans, mine, "twenty")
    (lot,) = open_lots(plans)

    give_back(plans, lot, 5)

    assert [(one.purpose, one.payable) for one in refunds(plans)] == [
        ("plan_change", 200),
        ("voucher_order", 27),
    ]
    assert [(source, back) for source, *_, back in invoiced()] == [
        ("period", 27),
        ("plan_change", 200),
    ]
    assert plans.notices()[-1:] == ["refund.made"]
    (rest,) = open_lots(plans)
    assert (rest.used, rest.net_recognised + rest.vat_gone) == (5, 227)


def test_all_of_a_changed_plan_comes_back_though_no_payment_reaches_that_far(plans: Club):
    plans.add_plan("dear", every="day", every_count=30, price=1999, cups=20)
    mine = plans.subscribe("ten")
    to(plans, mine, "dear")
    (lot,) = open_lots(plans)

    give_back(plans, lot, 20)

    assert [(one.purpose, one.payable) for one in refunds(plans)] == [
        ("plan_change", 1500),
        ("voucher_order", 499),
    ]
    assert [(gross, vat, back) for _, gross, vat, back in invoiced()] == [
        (499, 24, 499),
        (1500, 71, 1500),
    ]
    assert open_lots(plans) == []


def test_a_period_that_was_prepaid_is_changed_at_its_end_only(plans: Club):
    mine = halfway(plans)
    with transaction():
        db.session.scalars(select(OrderItem)).one().gift_periods = 3

    with pytest.raises(ChangeOnlyAtEnd) as refusal:
        to(plans, mine, "twenty")

    assert refusal.value.facts == {"why": "prepaid"}


def test_cups_that_come_several_times_in_a_period_change_at_its_end_only(plans: Club):
    plans.add_plan(
        "weekly", every="day", every_count=30, price=0, cups=1, grant_count=1, grant_unit="week"
    )
    mine = halfway(plans)

    with pytest.raises(ChangeOnlyAtEnd) as refusal:
        to(plans, mine, "weekly")

    assert refusal.value.facts == {"why": "grants"}


def test_who_shares_a_plan_keeps_no_place_in_one_that_has_none(plans: Club):
    plans.add_plan("family", every="day", every_count=30, price=899, cups=20, sharers=2)
    mine = halfway(plans, "family", price=899, cups=0)
    with transaction():
        sharing.invite(member_id=plans.member_id, subscription_id=mine, now=plans.now)

    to(plans, mine, "ten")

    with transaction():
        assert db.session.scalars(select(Sharer)).one().left_at is not None
