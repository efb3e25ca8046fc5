"""One message for each thing that happens, and none that is not true any more when it is sent."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest

from kernel import outbox
from kernel.db import db
from kernel.transaction import transaction
from subs import keep, notices, start_prepaid, withdraw_pause
from subs.models import Period, Subscription
from subs.service import change
from tests.club import PHONE, Club
from tests.conftest import Engines
from tests.fakes import DECLINED, GOOD, SLOW
from tests.service.subs.buying import get
from vouchers.models import OfferVersion

Make = Callable[[Subscription, Period, OfferVersion], notices.Told]

UNTIL = date(2026, 3, 1)


class Post:
    """The messages that have reached the member."""

    def __init__(self, engines: Engines) -> None:
        self._file = engines.message_file

    @property
    def sent(self) -> list[str]:
        if not self._file.exists():
            return []
        lines = [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]
        assert {line["to"] for line in lines} <= {PHONE}
        return [line["text"] for line in lines]

    def deliver(self) -> list[str]:
        """Send whatever waits; answer all that was ever sent."""
        outbox.drain()
        outbox.send_notices()
        return self.sent


@pytest.fixture
def post(engines: Engines) -> Post:
    return Post(engines)


@pytest.fixture
def resting(club: Club) -> Club:
    club.add_plan("restful", most_pause_days=60)
    return club


def promise(club: Club, mine: UUID, make: Make) -> None:
    """Promise a notice about the newest period, as the verbs do."""
    with transaction():
        subscription = db.session.get_one(Subscription, mine)
        version = db.session.get_one(OfferVersion, subscription.offer_version_id)
        period = club_period(mine)
        notices.tell([make(subscription, period, version)], now=club.now)


def club_period(mine: UUID) -> Period:
    found = db.session.query(Period).filter_by(subscription_id=mine)
    return found.order_by(Period.number.desc()).limit(1).one()


def failing(club: Club) -> UUID:
    """A subscription whose renewal was declined; what was promised of that has been sent."""
    mine = club.subscribe(card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    outbox.send_notices()
    return mine


def test_a_renewal_is_told_once_with_its_price_and_its_end(club: Club, post: Post):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    club.renew()

    (text,) = post.deliver()

    assert "monthly" in text
    assert "NT$499" in text
    assert "2026年3月14日 12:00" in text


def test_a_failure_is_told_with_the_day_of_the_next_try(club: Club, post: Post):
    failing(club)

    (text,) = post.deliver()

    assert "未成功" in text
    assert "2026年2月16日" in text


def test_a_failure_for_good_asks_for_another_card_in_time(club: Club, post: Post):
    mine = failing(club)
    before = len(post.sent)
    with transaction():
        club_period(mine).retry_at = None

    promise(club, mine, notices.renewal_failed)

    text = post.deliver()[before]
    assert "其他卡片" in text
    assert "2026年3月14日" in text


@pytest.mark.parametrize("make", [notices.renewal_failed, notices.authentication_wanted])
def test_what_was_paid_meanwhile_is_not_told_as_a_failure(club: Club, post: Post, make: Make):
    mine = failing(club)
    promise(club, mine, make)
    before = len(post.sent)

    club.mend_cards()
    club.pass_time(days=2, minutes=1)
    with transaction():
        club_period(mine).attempts += 1

    assert len(post.deliver()) == before


def test_a_recovery_is_told_as_one_and_not_as_a_renewal_too(club: Club, post: Post):
    failing(club)
    before = len(post.sent)
    club.mend_cards()
    club.pass_time(days=2, minutes=1)

    club.renew()

    (text,) = post.deliver()[before:]
    assert text.startswith("扣款成功")


def test_a_renewal_for_nothing_speaks_of_no_charge(club: Club, post: Post):
    mine = club.subscribe()
    with transaction():
        period = club_period(mine)
        period.price = period.net = period.vat = 0

    promise(club, mine, notices.renewed)

    (text,) = post.deliver()
    assert "未扣款" in text
    assert "NT$" not in text


def test_a_cancelling_that_was_taken_back_before_it_was_told_is_not_told(club: Club, post: Post):
    mine = club.subscribe()
    club.cancel(mine)
    with transaction():
        keep(member_id=club.member_id, subscription_id=mine, now=club.now)

    (text,) = post.deliver()

    assert "撤回取消" in text


def test_a_cancelling_that_took_effect_before_it_was_told_is_told_as_an_end(club: Club, post: Post):
    mine = club.subscribe()
    club.cancel(mine)
    club.cancel(mine, at="now")

    (text,) = post.deliver()

    assert "結束" in text


def test_of_two_pauses_the_last_is_told(resting: Club, post: Post):
    mine = resting.subscribe("restful")
    resting.pause(mine, until=UNTIL)
    resting.pause(mine, until=UNTIL + timedelta(days=2))

    (text,) = post.deliver()

    assert "2026年2月14日 12:00" in text
    assert "2026年3月3日 12:00" in text


def test_a_pause_that_was_withdrawn_before_it_was_told_is_not_told(resting: Club, post: Post):
    mine = resting.subscribe("restful")
    resting.pause(mine, until=UNTIL)
    with transaction():
        withdraw_pause(member_id=resting.member_id, subscription_id=mine, now=resting.now)

    (text,) = post.deliver()

    assert "撤回暫停" in text


def test_no_pause_speaks_of_a_charge_that_prepaid_periods_spare(resting: Club, post: Post):
    get(resting, "restful", gift_periods=2)
    with transaction():
        mine = start_prepaid(
            member_id=resting.member_id,
            offer_id=resting.world.offers["restful"][0],
            now=resting.now,
        ).subscription.id
    resting.pause(mine, until=UNTIL)
    post.deliver()
    resting.go_to(resting.periods(mine)[0].ends_at)
    resting.renew()

    told = [text for text in post.deliver() if "暫停" in text]

    assert [text.split("恢復")[1][:2] for text in told] == ["續訂", "續訂"]


def test_a_pause_is_not_told_of_a_plan_that_was_cancelled_before_it_was_told(
    resting: Club, post: Post
):
    mine = resting.subscribe("restful")
    resting.pause(mine, until=UNTIL)
    resting.cancel(mine)

    (text,) = post.deliver()

    assert "取消" in text


def test_a_withdrawn_pause_is_not_told_of_a_plan_that_was_cancelled_meanwhile(
    resting: Club, post: Post
):
    mine = resting.subscribe("restful")
    resting.pause(mine, until=UNTIL)
    with transaction():
        withdraw_pause(member_id=resting.member_id, subscription_id=mine, now=resting.now)
    resting.cancel(mine)

    (text,) = post.deliver()

    assert "您已取消" in text


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_a_change_is_not_told_of_a_plan_that_was_cancelled_before_it_was_told(
    club: Club, post: Post, is_withdrawn: bool
):
    club.add_plan("large", price=899, cups=20)
    mine = club.subscribe()
    plan_change(club, mine, "large")
    if is_withdrawn:
        with transaction():
            change.withdraw(member_id=club.member_id, subscription_id=mine, now=club.now)
    club.cancel(mine)

    (text,) = post.deliver()

    assert "您已取消" in text


def plan_change(club: Club, mine: UUID, code: str) -> None:
    """The member chooses another plan for the time after what is paid."""
    change.change_plan(
        member_id=club.member_id,
        subscription_id=mine,
        offer_id=club.world.offers[code][0],
        at="end",
        now=club.now,
    )


def test_another_card_is_told_and_the_same_again_is_not(club: Club, post: Post):
    mine = club.subscribe()

    club.change_card(mine, SLOW)
    club.change_card(mine, SLOW)

    (text,) = post.deliver()
    assert "另一張卡片" in text
    assert club.causes(mine) == ["started", "card_changed"]


def test_another_card_of_what_is_past_due_is_told_by_what_comes_of_it(club: Club, post: Post):
    mine = failing(club)
    before = len(post.sent)

    club.change_card(mine, GOOD)
    club.renew()

    (text,) = post.deliver()[before:]
    assert text.startswith("扣款成功")


class TestTheEndOfATrial:
    """It is told three days before, by what will come of it."""

    @pytest.fixture
    def trial(self, club: Club) -> Club:
        club.add_plan("trial", trial_days=14, trial_cups=2, trial_needs_card=False, first_price=0)
        return club

    def test_who_left_a_card_is_told_what_will_be_charged(self, trial: Club, post: Post):
        trial.subscribe("trial", price=0)
        trial.pass_time(days=10, hours=23)
        assert post.deliver() == []

        trial.pass_time(hours=2)

        (text,) = post.deliver()
        assert "NT$499" in text
        assert "2026年1月28日 12:00" in text

    def test_who_left_none_is_asked_for_one(self, trial: Club, post: Post):
        trial.subscribe("trial", price=0, card=None)
        trial.pass_time(days=11, hours=1)

        (text,) = post.deliver()

        assert "登錄卡片" in text

    def test_who_has_cancelled_is_told_nothing_of_a_charge(self, trial: Club, post: Post):
        mine = trial.subscribe("trial", price=0)
        trial.cancel(mine)
        before = len(post.deliver())
        trial.pass_time(days=11, hours=1)

        assert len(post.deliver()) == before

    def test_who_has_chosen_another_plan_is_told_of_no_other_price(self, trial: Club, post: Post):
        trial.add_plan("large", price=899, cups=20)
        mine = trial.subscribe("trial", price=0)
        plan_change(trial, mine, "large")
        for days in (11, 3):
            post.deliver()
            trial.pass_time(days=days, hours=1)
        trial.renew()

        told = post.deliver()

        assert ["NT$899" in text for text in told] == [True, True]
        assert [one.amount for one in trial.asked()] == [899]

    def test_who_holds_a_prepaid_period_is_told_of_no_charge(self, trial: Club, post: Post):
        mine = trial.subscribe("trial", price=0)
        get(trial, "trial", gift_periods=1)
        charges = trial.charges
        trial.pass_time(days=11, hours=1)
        told = post.deliver()
        trial.pass_time(days=3)
        trial.renew()

        assert [text for text in told if "試用" in text] == []
        assert (trial.subscription(mine).status, trial.charges) == ("active", charges)


def test_what_does_not_go_along_is_told_with_the_renewal(club: Club, post: Post):
    club.add_plan("saving", carry_over="capped", carry_over_cap=4)
    mine = club.subscribe("saving")
    club.world.take(club.world.add_till("A"), club.member_id, 3, now=club.now)
    club.go_to(club.periods(mine)[0].ends_at)

    club.renew()

    told = "上期未兌換者最多留用 4 杯，其餘 3 杯已隨上期失效。"
    assert [text.endswith(told) for text in post.deliver()].count(True) == 1
    assert club.notices().count("subscription.renewed_less") == 1


def test_where_all_that_is_left_goes_along_nothing_is_said_of_it(club: Club):
    club.add_plan("saving", carry_over="capped", carry_over_cap=10)
    mine = club.subscribe("saving")
    club.go_to(club.periods(mine)[0].ends_at)

    club.renew()

    assert club.notices()[-1] == "subscription.renewed"
