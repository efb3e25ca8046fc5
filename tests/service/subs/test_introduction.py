"""Trials and first prices: for whom, once, and with which card."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import payments
import vouchers
from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound, Refusal
from kernel.transaction import transaction
from payments import CardDeclined
from payments.models import Payment
from subs.models import Period
from subs.service import change
from tests.club import Club
from tests.fakes import DECLINED, GOOD, SLOW
from tests.service.subs.buying import begun, get, place
from tests.service.vouchers.conftest import key, pay
from tests.together import together
from vouchers import CardWanted, IntroductionUsed, MemberLimit, NothingToPay
from vouchers.models import Order

TRIAL, OPEN_TRIAL, INTRO, FREE = "trial", "open-trial", "intro", "free"


@pytest.fixture
def club(club: Club) -> Club:
    """With plans that begin with a trial, at a lower price, or cost nothing."""
    club.add_plan(TRIAL, trial_days=14, trial_cups=3, first_price=0, needs_card=True)
    club.add_plan(OPEN_TRIAL, trial_days=14, trial_needs_card=False, first_price=0)
    club.add_plan(INTRO, intro_price=99, intro_periods=2, first_price=99)
    club.add_plan(FREE, price=0, cups=0, product=None)
    return club


def grosses(placed: vouchers.Ordered) -> list[tuple[int, int]]:
    """Of each line, how many and what for."""
    return [(line.item.quantity, line.item.gross) for line in placed.items]


def test_a_trial_costs_nothing_and_leaves_a_card(club: Club):
    (mine,) = get(club, TRIAL)

    (trial,) = club.periods(mine.id)
    assert (mine.status, club.causes(mine.id)) == ("trialing", ["trial_started"])
    assert (trial.number, trial.price, trial.net, trial.vat) == (0, 0, 0, 0)
    assert trial.ends_at - trial.starts_at == timedelta(days=14)
    assert (mine.anchor_at, mine.due_at) == (trial.ends_at, trial.ends_at)
    assert club.charges == 0
    with transaction():
        assert [card.id for card in payments.list_cards(member_id=club.member_id)] == [mine.card_id]
        assert db.session.scalars(select(Payment)).all() == []


def test_the_cups_of_a_trial_are_those_of_the_trial(club: Club):
    get(club, TRIAL)

    (lot,) = club.lots()
    assert (lot.units, lot.net, lot.vat) == (3, 0, 0)


def test_a_saved_card_may_be_left_too(club: Club):
    with transaction():
        card_id = club.keep_card(GOOD)
    placed = place(club, TRIAL)

    assert pay(placed.order, None, card_id=card_id).outcome() is None
    outbox.drain()

    (mine,) = begun(placed)
    assert mine.card_id == card_id


def test_without_a_card_a_trial_that_wants_one_is_not_had(club: Club):
    placed = place(club, TRIAL)

    with pytest.raises(CardWanted):
        pay(placed.order, None)

    assert begun(placed) == []


def test_a_trial_that_wants_no_card_is_had_without(club: Club):
    (mine,) = get(club, OPEN_TRIAL, card=None)

    assert (mine.status, mine.card_id) == ("trialing", None)


def test_a_plan_that_costs_nothing_is_had_without_a_card(club: Club):
    (mine,) = get(club, FREE, card=None)

    (first,) = club.periods(mine.id)
    assert (mine.status, first.number, first.price) == ("active", 1, 0)


def test_a_card_that_is_refused_begins_nothing(club: Club):
    placed = place(club, TRIAL)

    with pytest.raises(CardDeclined):
        pay(placed.order, DECLINED)

    assert begun(placed) == []
    assert pay(placed.order, GOOD).outcome() is None


def test_there_is_nothing_to_pay_in_the_providers_form(club: Club):
    placed = place(club, TRIAL)

    with pytest.raises(NothingToPay):
        pay(placed.order, None, by_holder=True)


def test_somebody_elses_card_is_not_left(club: Club):
    with transaction():
        card_id = club.keep_card(GOOD)
    bob = club.world.add_member()
    placed = place(club, TRIAL, member_id=bob)

    with pytest.raises(NotFound):
        pay(placed.order, None, card_id=card_id)


def test_a_key_that_comes_back_begins_one_trial(club: Club):
    placed = place(club, TRIAL)
    once = key(member_id=club.member_id)

    first, again = (pay(placed.order, GOOD, key=once) for _ in range(2))
    outbox.drain()

    assert (first.is_replay, again.is_replay) == (False, True)
    assert len(begun(placed)) == 1
    with pytest.raises(vouchers.AlreadyPaid):
        pay(placed.order, GOOD)


def test_the_same_order_twice_at_once_begins_one_trial(club: Club, app):
    placed = place(club, TRIAL)

    answers = together(app, [lambda: pay(placed.order, GOOD)] * 4, in_transactions=False)
    outbox.drain()

    refused = [one.code for one in answers if isinstance(one, Refusal)]
    assert refused == ["already-paid"] * 3
    assert len(begun(placed)) == 1


def test_who_has_had_the_plan_pays_its_price(club: Club):
    get(club, TRIAL)

    assert grosses(place(club, TRIAL)) == [(1, 499)]
    (again,) = get(club, TRIAL)

    (first,) = club.periods(again.id)
    assert (again.status, first.number, first.price) == ("active", 1, 499)


def test_another_plan_has_an_introduction_of_its_own(club: Club):
    get(club, TRIAL)

    assert grosses(place(club, INTRO)) == [(1, 99)]


def test_of_several_only_one_is_introduced(club: Club):
    placed = place(club, INTRO, quantity=3)

    assert grosses(placed) == [(1, 99), (2, 998)]
    pay(placed.order).outcome()
    outbox.drain()
    with transaction():
        prices = db.session.scalars(select(Period.price).order_by(Period.price)).all()
    assert list(prices) == [99, 499, 499]


def test_an_order_that_was_left_alone_costs_no_introduction(club: Club):
    place(club, INTRO)

    assert grosses(place(club, INTRO)) == [(1, 99)]


def test_a_second_introduction_is_refused_when_it_is_paid(club: Club):
    first, second = place(club, INTRO), place(club, INTRO)
    pay(first.order).outcome()

    with pytest.raises(IntroductionUsed):
        pay(second.order)

    assert club.charges == 1


@pytest.mark.parametrize("code", [TRIAL, INTRO])
def test_two_orders_at_once_are_introduced_once(club: Club, app, code: str):
    orders = [place(club, code).order for _ in range(4)]

    answers = together(
        app, [lambda order=order: pay(order, GOOD) for order in orders], in_transactions=False
    )
    outbox.drain()

    refused = [one.code for one in answers if isinstance(one, Refusal)]
    assert refused == ["introduction-used"] * 3
    with transaction():
        paid = db.session.scalars(select(Order.id).where(Order.status == "fulfilled")).all()
    assert len(paid) == 1


def test_the_first_periods_cost_the_introductory_price_and_then_the_price(club: Club):
    (mine,) = get(club, INTRO)
    for _ in range(3):
        club.go_to(club.periods(mine.id)[-1].ends_at)
        club.renew()

    assert [one.price for one in club.periods(mine.id)] == [99, 99, 499, 499]


def test_a_trial_goes_on_as_a_plan_at_its_price(club: Club):
    (mine,) = get(club, TRIAL)
    trial = club.periods(mine.id)[0]

    club.go_to(trial.ends_at)
    club.renew()

    first = club.periods(mine.id)[1]
    assert (first.number, first.price, first.starts_at) == (1, 499, trial.ends_at)
    assert club.subscription(mine.id).status == "active"


def test_the_card_that_was_left_is_forgotten_when_the_plan_has_another(club: Club):
    (mine,) = get(club, TRIAL)
    left = mine.card_id
    assert left is not None
    club.change_card(mine.id, SLOW)

    with transaction():
        payments.forget_card(member_id=club.member_id, card_id=left)

    with transaction():
        cards = [card.id for card in payments.list_cards(member_id=club.member_id)]
    assert cards == [club.subscription(mine.id).card_id]


def test_periods_of_a_plan_can_be_ordered_for_somebody_at_the_price_of_each(club: Club):
    placed = place(club, TRIAL, gift_periods=3)

    assert grosses(placed) == [(1, 3 * 499)]
    assert placed.items[0].item.net == 3 * 475


def test_periods_of_a_pack_or_of_what_costs_nothing_are_not_for_giving(club: Club):
    for code in ("eleven", FREE):
        with pytest.raises(vouchers.NotForGiving):
            place(club, code, gift_periods=3)


def test_a_limit_counts_the_plans_that_a_member_has_and_not_those_that_are_over(club: Club):
    club.add_plan("one", member_limit=1)
    (mine,) = get(club, "one")
    with pytest.raises(MemberLimit):
        place(club, "one")

    club.cancel(mine.id)
    club.go_to(club.periods(mine.id)[0].ends_at)
    club.renew()

    (again,) = get(club, "one")
    assert again.status == "active"
    with pytest.raises(MemberLimit):
        place(club, "one")


def test_who_goes_from_a_trial_to_another_plan_pays_what_they_were_told(club: Club):
    (mine,) = get(club, TRIAL)
    change.change_plan(
        member_id=club.member_id,
        subscription_id=mine.id,
        offer_id=club.world.offers[INTRO][0],
        at="end",
        now=club.now,
    )

    for _ in range(2):
        club.go_to(club.periods(mine.id)[-1].ends_at)
        club.renew()

    assert [one.price for one in club.periods(mine.id)] == [0, 499, 499]


def test_the_introduction_of_a_plan_follows_its_trial(club: Club):
    club.add_plan("both", trial_days=7, intro_price=99, intro_periods=2, first_price=0)
    (mine,) = get(club, "both")

    for _ in range(3):
        club.go_to(club.periods(mine.id)[-1].ends_at)
        club.renew()

    assert [one.price for one in club.periods(mine.id)] == [0, 99, 99, 499]
