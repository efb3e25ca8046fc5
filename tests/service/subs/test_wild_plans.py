"""What the terms of real chains' plans demand, one test for each sentence, through the verbs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

import subs.jobs
from chain.models import Product
from kernel import clock
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from ledger.models import Entry, Line
from members import keys
from payments.models import Card
from redemption.errors import InsufficientCups, LimitReached
from subs import cancel, grant_jobs, plan_jobs
from subs.models import Period, Subscription
from subs.plan_notices import DAILY
from subs.service import daily
from subs.statistics import jobs as statistics
from subs.statistics.asking import Asked
from subs.statistics.queries import list_reports
from tests.fakes import DECLINED, fake_provider
from tests.sample_chain import load_sample
from tests.service.vouchers.conftest import pay
from tests.service.vouchers.offers.conftest import sample_world
from tests.service.vouchers.refunds.shop import Shop
from vouchers import earning_jobs
from vouchers import jobs as voucher_jobs

DAYUNGS, BLACK_CARD, BEANS = "dayungs-monthly", "louisa-black-card", "cama-beans"
PRET, PANERA, COSTCO = "pret-club", "panera-sip", "costco-member"
TAIPEI = ZoneInfo("Asia/Taipei")


@pytest.fixture
def shop(app, at, tmp_path, monkeypatch) -> Iterator[Shop]:
    """The sample chain, with every plan of its facts on sale, at noon of 5 January 2026."""
    at(2026, 1, 5, 12)
    monkeypatch.setenv("SAMPLE_FILE", str(tmp_path / "closed" / "sign_ins.json"))
    load_sample(clock.now())
    with fake_provider() as bank:
        yield Shop(sample_world(), bank, at)


@pytest.fixture
def alice(shop: Shop) -> UUID:
    member_id = shop.world.add_member()
    with transaction():
        row, _ = keys.make(member_id)
        db.session.add(row)
    return member_id


def subscribe(shop: Shop, member_id: UUID, code: str, *, is_free: bool = False) -> Subscription:
    """Buy one of a plan, today."""
    placed = shop.place(member_id, store="W", **{code: 1})
    if is_free:
        pay(placed, None)
    else:
        pay(placed).outcome()
    shop.hear()
    return subscription(member_id)


def subscription(member_id: UUID) -> Subscription:
    theirs = select(Subscription).where(Subscription.member_id == member_id)
    with transaction():
        return db.session.scalars(theirs.order_by(Subscription.id.desc())).first()


def periods(mine: Subscription) -> list[Period]:
    theirs = select(Period).where(Period.subscription_id == mine.id).order_by(Period.number)
    with transaction():
        return list(db.session.scalars(theirs))


def renew(shop: Shop, mine: Subscription) -> Period:
    """Let the period that is paid be over, and what is due then happen; answer the newest."""
    over = periods(mine)[-1].ends_at.astimezone(TAIPEI) + timedelta(seconds=1)
    shop.at(*over.timetuple()[:6])
    run(shop)
    return periods(mine)[-1]


def run(shop: Shop) -> None:
    """What the tick rings for."""
    subs.jobs.renew_due()
    shop.hear()
    grant_jobs.grant_again()
    earning_jobs.earn_days()
    voucher_jobs.expire_due()


def collect(shop: Shop, member_id: UUID, product: str, cups: int = 1, *, store: str = "A") -> Any:
    """Hand over cups of a product at a store, now."""
    till = shop.world.add_till(store)
    wanted = {"product_id": shop.world.products[product], "now": shop.now}
    return shop.world.take(till, member_id, cups, **wanted)


def open_cups(shop: Shop, member_id: UUID) -> int:
    return sum(lot.units - lot.used for lot in shop.lots(member_id) if lot.is_open)


def earned(account: str) -> list[tuple[date, int]]:
    """What went into an account of revenue, day by day."""
    lines = (
        select(Entry.occurred_on, Line.amount)
        .join(Line, (Line.member_id == Entry.member_id) & (Line.entry_id == Entry.id))
        .where(Line.credit == account)
        .order_by(Entry.occurred_on)
    )
    with transaction():
        return [(day, amount) for day, amount in db.session.execute(lines)]


# Dayungs: ten cups a month for 499


def test_ten_cups_a_month_at_any_branch_the_eleventh_in_the_period_is_refused(shop, alice):
    subscribe(shop, alice, DAYUNGS)
    for store, cups in (("A", 4), ("B", 3), ("C", 3)):
        collect(shop, alice, "fruit-tea-l", cups, store=store)

    with pytest.raises(InsufficientCups):
        collect(shop, alice, "fruit-tea-l")

    renew(shop, subscription(alice))
    assert collect(shop, alice, "fruit-tea-l").left == 9


def test_unused_cups_lapse_at_the_end_of_the_period(shop, alice):
    mine = subscribe(shop, alice, DAYUNGS)
    collect(shop, alice, "fruit-tea-l", 4)

    renew(shop, mine)

    assert open_cups(shop, alice) == 10
    first, second = shop.lots(alice)
    assert (first.is_open, first.net_recognised, first.net) == (False, 475, 475)
    assert (second.used, second.is_open) == (0, True)


def test_a_message_every_day_of_the_period_can_be_subscribed_to(shop, alice):
    mine = subscribe(shop, alice, DAYUNGS)
    with transaction():
        daily.ask_for_daily(member_id=alice, subscription_id=mine.id, is_wanted=True, now=shop.now)

    for day in range(1, 32):  # the period ends on 5 February at noon
        this = datetime(2026, 1, 5, 9, 1, tzinfo=TAIPEI) + timedelta(days=day)
        shop.at(*this.timetuple()[:5])
        plan_jobs.tell_daily()

    with transaction():
        told = db.session.scalars(
            select(Outbox.created_at).where(Outbox.facts["notice"].astext == DAILY.name)
        ).all()
    days = sorted(at.astimezone(TAIPEI).date() for at in told)
    assert days == [date(2026, 1, 5) + timedelta(days=day) for day in range(1, 32)]


# Louisa: a membership that costs nothing


def test_a_membership_that_costs_nothing_can_still_grant_lots_on_a_schedule(shop, alice):
    mine = subscribe(shop, alice, BLACK_CARD, is_free=True)
    granted = []
    for day in (5, 11, 12, 19, 26):
        shop.at(2026, 1, day, 13)
        run(shop)
        granted.append(len(shop.lots(alice)))

    assert granted == [1, 1, 2, 3, 4]
    assert (mine.card_id, periods(mine)[0].price) == (None, 0)
    collect(shop, alice, "size-upgrade", 1)
    assert renew(shop, mine).status == "paid"
    assert len(shop.lots(alice)) > 4


def test_its_lots_carry_no_money_and_create_no_liability(shop, alice):
    subscribe(shop, alice, BLACK_CARD, is_free=True)
    collect(shop, alice, "size-upgrade")

    with transaction():
        assert db.session.scalars(select(Line).where(Line.amount > 0)).all() == []
    assert {(lot.net, lot.vat) for lot in shop.lots(alice)} == {(0, 0)}
    assert shop.bank.taken == []


# cama: a bag of beans a month


def test_a_physical_good_a_period_is_collected_at_a_store(shop, alice):
    mine = subscribe(shop, alice, BEANS)

    assert collect(shop, alice, "beans", store="C").left == 0
    with pytest.raises(InsufficientCups) as refusal:
        collect(shop, alice, "beans")
    with transaction():
        ends_at = db.session.scalars(select(Period.ends_at)).one()
    next_at = ends_at.astimezone(TAIPEI).isoformat()
    assert refusal.value.facts == {"held": 0, "wanted": 1, "next_at": next_at}

    renew(shop, mine)
    assert collect(shop, alice, "beans").left == 0


def test_a_used_up_plan_says_when_it_gives_more_also_beside_a_pack_of_other_drinks(shop, alice):
    subscribe(shop, alice, BEANS)
    collect(shop, alice, "beans")
    with transaction():
        ends_at = db.session.scalars(select(Period.ends_at)).one()
    shop.world.add_lot(alice, other_pack(shop))

    with pytest.raises(InsufficientCups) as refusal:
        collect(shop, alice, "beans")

    next_at = ends_at.astimezone(TAIPEI).isoformat()
    assert refusal.value.facts == {"held": 0, "wanted": 1, "next_at": next_at}


def other_pack(shop: Shop) -> str:
    """A pack of a drink that the plan does not give."""
    with transaction():
        beans = shop.world.products["beans"]
        code = db.session.scalars(select(Product.code).where(Product.id != beans)).first()
    shop.world.add_offer("others", product=code)
    return "others"


def test_no_time_is_told_where_the_plan_gives_no_more(shop, alice):
    mine = subscribe(shop, alice, BEANS)
    collect(shop, alice, "beans")
    with transaction():
        cancel(member_id=alice, subscription_id=mine.id, now=shop.now)

    with pytest.raises(InsufficientCups) as refusal:
        collect(shop, alice, "beans")

    assert refusal.value.facts == {"held": 0, "wanted": 1}


# Pret A Manger: as many as they like, for 30 pounds


def test_the_sixth_cup_of_a_day_is_refused_and_told_when_the_next_is_allowed(shop, alice):
    subscribe(shop, alice, PRET)
    for hour in (13, 14, 15, 16, 17):
        shop.at(2026, 1, 5, hour)
        assert collect(shop, alice, "barista-drink-gb").left is None
    shop.at(2026, 1, 5, 18)

    with pytest.raises(LimitReached) as refusal:
        collect(shop, alice, "barista-drink-gb")

    assert refusal.value.facts["limit"] == "cups_per_day"
    next_day = datetime(2026, 1, 6, 4, tzinfo=TAIPEI)  # when the business day is over
    assert datetime.fromisoformat(refusal.value.facts["next_at"]) == next_day
    shop.at(2026, 1, 6, 4)
    collect(shop, alice, "barista-drink-gb")


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_on_a_plan_s_last_day_the_next_is_told_only_if_it_goes_on(shop, alice, is_cancelled):
    mine = subscribe(shop, alice, PRET)
    for hour in (7, 8, 9, 10, 11):
        shop.at(2026, 2, 5, hour)
        collect(shop, alice, "barista-drink-gb")
    if is_cancelled:
        with transaction():
            cancel(member_id=alice, subscription_id=mine.id, now=shop.now)
    shop.at(2026, 2, 5, 11, 45)  # it ends at noon

    with pytest.raises(LimitReached) as refusal:
        collect(shop, alice, "barista-drink-gb")

    next_at = None if is_cancelled else datetime(2026, 2, 6, 4, tzinfo=TAIPEI).isoformat()
    assert refusal.value.facts["next_at"] == next_at


def test_a_cup_29_minutes_after_the_last_is_refused_and_told_when_the_next_is_allowed(shop, alice):
    subscribe(shop, alice, PRET)
    collect(shop, alice, "barista-drink-gb")
    last = shop.now
    shop.at(2026, 1, 5, 12, 29)

    with pytest.raises(LimitReached) as refusal:
        collect(shop, alice, "barista-drink-gb", store="B")

    assert refusal.value.facts["limit"] == "minimum_interval"
    next_at = datetime.fromisoformat(refusal.value.facts["next_at"])
    assert abs(next_at - last - timedelta(minutes=30)) < timedelta(seconds=5)
    shop.at(2026, 1, 5, 12, 31)
    collect(shop, alice, "barista-drink-gb", store="B")


def test_bought_on_the_31st_it_is_billed_on_the_last_day_of_short_months_then_on_the_31st(
    shop, alice
):
    shop.at(2026, 1, 31, 12)
    mine = subscribe(shop, alice, PRET)

    for _ in range(4):
        renew(shop, mine)

    billed = [one.starts_at.astimezone(TAIPEI).date() for one in periods(mine)]
    assert billed == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
        date(2026, 5, 31),
    ]
    assert [one.price for one in periods(mine)] == [3000] * 5


def test_it_is_recognised_by_the_day_not_by_the_cup(shop, alice):
    mine = subscribe(shop, alice, PRET)
    (lot,) = shop.lots(alice)
    collect(shop, alice, "barista-drink-gb")

    assert earned("4111") == []
    renew(shop, mine)

    days = [amount for day, amount in earned("4111") if day < date(2026, 2, 5)]
    assert (len(days), sum(days)) == (31, lot.net)
    assert max(days) - min(days) <= 1


# Panera: a drink every two hours, for 14.99 dollars


def test_cancelling_stops_the_next_charge_keeps_the_paid_period_and_refunds_nothing(shop, alice):
    mine = subscribe(shop, alice, PANERA)
    with transaction():
        cancel(member_id=alice, subscription_id=mine.id, now=shop.now)
    shop.at(2026, 2, 5, 11)
    run(shop)
    collect(shop, alice, "drink-us")

    shop.at(2026, 2, 5, 13)
    run(shop)

    assert subscription(alice).status == "cancelled"
    assert (len(shop.bank.taken), shop.bank.given_back) == (1, [])
    assert len(periods(mine)) == 1
    with pytest.raises(InsufficientCups):
        collect(shop, alice, "drink-us")


# Costco: a membership of a year


def test_a_membership_without_cups_is_recognised_by_the_day_over_the_year(shop, alice):
    mine = subscribe(shop, alice, COSTCO)
    (lot,) = shop.lots(alice)
    shop.at(2026, 7, 6, 1)
    run(shop)
    half = sum(amount for _, amount in earned("4112"))

    renew(shop, mine)

    first_year = [amount for day, amount in earned("4112") if day < date(2027, 1, 5)]
    assert (lot.units, lot.net) == (0, 1286)
    assert half == 641  # 182 of 365 days
    assert (len(first_year), sum(first_year)) == (365, 1286)


def test_a_late_renewal_is_not_back_dated(shop, alice):
    mine = subscribe(shop, alice, COSTCO)
    with transaction():
        db.session.execute(update(Card).values(provider_ref=f"pm_saved_{DECLINED}"))
    shop.at(2027, 1, 5, 12, 1)
    run(shop)
    assert subscription(alice).status == "past_due"

    with transaction():
        db.session.execute(update(Card).values(provider_ref="pm_saved_pm_card_visa"))
    shop.at(2027, 1, 7, 12, 2)
    run(shop)

    late = periods(mine)[-1]
    assert (late.status, late.paid_at) == ("paid", late.starts_at)
    assert late.starts_at >= datetime(2027, 1, 7, 4, tzinfo=UTC)
    assert late.ends_at.astimezone(TAIPEI).date() == date(2028, 1, 7)
    assert subscription(alice).anchor_at == late.starts_at


def test_its_renewal_rate_is_of_the_memberships_due_7_to_18_months_before(shop, alice):
    bob = shop.world.add_member()
    first, second = subscribe(shop, alice, COSTCO), subscribe(shop, bob, COSTCO)
    with transaction():
        cancel(member_id=bob, subscription_id=second.id, now=shop.now)
    renew(shop, first)  # both were due on 5 January 2027

    shop.at(2028, 8, 1, 12)
    statistics.count_all_months()
    with transaction():
        reports = list_reports(Asked(date(2027, 1, 1), date(2028, 7, 1)))

    counted = {one.cell.month_on: (one.renewed, one.due) for one in reports if one.due}
    months = [date(2027 + at // 12, at % 12 + 1, 1) for at in range(7, 19)]
    assert counted == dict.fromkeys(months, (1, 2))  # from August 2027 until July 2028
