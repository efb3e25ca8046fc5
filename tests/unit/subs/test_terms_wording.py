"""What a plan's schedule says, in both languages."""

from typing import Any

from subs.models import PlanSchedule
from subs.service.rows import Plan
from subs.terms_wording import beginning_in_words, schedule_in_words
from vouchers.models import OfferVersion


def plan(price: int = 499, cups: int = 10, **schedule: Any) -> Plan:
    usual = {"every_count": 1, "every_unit": "month", "grace_days": 28, "back_dates": True}
    version = OfferVersion(price=price, currency="TWD", cups=cups, unit="cup")
    return Plan(version, PlanSchedule(**{**usual, **schedule}))


def test_a_trial_and_a_first_price_are_told_to_who_begins():
    begins = plan(trial_days=7, trial_cups=2, trial_needs_card=True)
    assert beginning_in_words(begins, "en") == [
        "If it is your first time, it begins with 7 days free of charge.",
        "The trial includes 2 cups.",
        "The trial needs a card, which is charged when it is over, unless you cancel before.",
    ]
    introduced = plan(intro_price=99, intro_periods=2)
    assert beginning_in_words(introduced, "zh-TW") == ["首次訂閱者前 2 期每期 NT$99。"]


def test_interval_sharing_grace_and_what_goes_along_are_told_of_every_period():
    whole = plan(
        every_count=2, every_unit="week", carry_over="capped", carry_over_cap=5, sharers=2,
        benefits_in_grace=True, back_dates=False, most_pause_days=30, cancel_refund="prorated",
    )  # fmt: skip
    assert [one.split(".")[0] for one in schedule_in_words(whole, "en")] == [
        "NT$499 every 2 weeks",
        "10 cups every 2 weeks",
        "It renews every 2 weeks by itself",
        "Of what is not collected, at most 5 cups go along into the next period",
        "If a payment to renew does not work, it is tried again within 28 days; then the plan ends",
        "Meanwhile, what you have stays good",
        "A period that is paid late begins when it is paid",
        "Up to 2 other people can collect from it",
        "You can pause it for up to 30 days at a time",
        "If you end it at once, the price of the days that are left is paid back",
    ]
    assert schedule_in_words(whole, "zh-TW")[0] == "每 2 週 NT$499。"


def test_what_costs_nothing_is_never_unpaid():
    free = plan(price=0, cups=1, grant_count=1, grant_unit="week")
    assert schedule_in_words(free, "en")[:2] == ["It costs nothing.", "1 cup every week."]
    assert "payment" not in " ".join(schedule_in_words(free, "en"))
