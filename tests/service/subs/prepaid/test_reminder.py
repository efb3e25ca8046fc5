"""Before prepaid periods run out their holder is told, and what comes then."""

import json
from datetime import timedelta

import pytest

from kernel import outbox
from kernel.transaction import transaction
from subs import change_card
from subs.models import Subscription
from tests.conftest import Engines
from tests.fakes import GOOD
from tests.service.subs.prepaid.house import Giving

pytestmark = pytest.mark.usefixtures("books_hold")

A_WEEK = timedelta(days=7)


class Reminders:
    """What Alice was told of the end of her prepaid periods."""

    def __init__(self, engines: Engines) -> None:
        self._file = engines.message_file

    def deliver(self) -> list[str]:
        outbox.drain()
        outbox.send_notices()
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        return [text for line in lines if "預付的期數" in (text := json.loads(line)["text"])]


@pytest.fixture
def reminders(engines: Engines) -> Reminders:
    return Reminders(engines)


def begin(giving: Giving, periods: int, *, has_card: bool = False) -> Subscription:
    """Alice has bought periods for herself, and begins the plan with the first."""
    giving.order(periods)
    card_id = None
    if has_card:
        with transaction():
            card_id = giving.club.keep_card(GOOD)
    return giving.begin(by=giving.alice, card_id=card_id)


def go_to_reminder(giving: Giving, begun: Subscription) -> None:
    giving.club.go_to(giving.club.periods(begun.id)[-1].ends_at - A_WEEK)


def test_without_a_card_the_end_is_told_a_week_before(giving: Giving, reminders: Reminders):
    begun = begin(giving, 1)
    assert reminders.deliver() == []
    go_to_reminder(giving, begun)

    (text,) = reminders.deliver()

    assert "訂閱隨之結束" in text
    assert reminders.deliver() == [text]


def test_with_a_card_the_charge_that_follows_is_told(giving: Giving, reminders: Reminders):
    begun = begin(giving, 1, has_card=True)
    go_to_reminder(giving, begun)

    (text,) = reminders.deliver()

    assert "NT$499" in text


def test_only_the_last_prepaid_period_is_told_of(giving: Giving, reminders: Reminders):
    begun = begin(giving, 2)
    go_to_reminder(giving, begun)
    assert reminders.deliver() == []
    giving.end_of(begun)
    go_to_reminder(giving, begun)
    assert len(reminders.deliver()) == 1


def test_a_card_that_was_left_meanwhile_changes_what_is_told(giving: Giving, reminders: Reminders):
    begun = begin(giving, 1)
    change_card(
        member_id=giving.alice,
        subscription_id=begun.id,
        payment_method=GOOD,
        now=giving.club.now,
    )
    go_to_reminder(giving, begun)

    (text,) = reminders.deliver()

    assert "卡片扣款" in text


def test_who_has_cancelled_is_not_reminded(giving: Giving, reminders: Reminders):
    begun = begin(giving, 1)
    giving.club.cancel(begun.id)
    go_to_reminder(giving, begun)

    assert reminders.deliver() == []
