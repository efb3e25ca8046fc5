"""The hourly look at each provider's lists."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

import payments
from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Payment, PaymentDifference, Repayment, charge, repaying
from payments.exchanged import Intent
from payments.looking.duty import DUTY, look
from payments.models import ProviderLook
from payments.service.ask_repayment import ask_repayment
from tests.fakes import GOOD, SLOW, Crash, FakeGateway
from tests.together import together

Owed = Callable[..., UUID]
Paid = Callable[..., Payment]
Repaid = Callable[..., Repayment]
Read = Callable[[UUID], Payment]
ReadBack = Callable[[UUID], Repayment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]

HOUR = timedelta(hours=1, minutes=3)


def differences() -> list[PaymentDifference]:
    with transaction():
        return list(payments.list_differences(after=None, limit=100))


def open_kinds() -> list[str]:
    return [one.kind for one in differences() if one.gone_at is None]


def looked_until() -> datetime:
    with transaction():
        return db.session.get_one(ProviderLook, "stripe").looked_until


@pytest.fixture
def an_hour_later(pass_time: PassTime) -> Callable[[], None]:
    """Let an hour pass, and look."""

    def an_hour_later() -> None:
        pass_time(HOUR)
        look()

    return an_hour_later


def stranger(provider: FakeGateway, **facts: object) -> Intent:
    """A payment at the provider that is not ours."""
    ref = f"pi_{new_id().hex}"
    seen = replace(Intent(ref, "succeeded", None, 70, "TWD"), **facts)  # type: ignore[arg-type]
    provider.intents[ref] = seen
    provider.made_at[ref] = clock.now()
    return seen


def test_both_sides_the_same_leaves_nothing_to_see(
    provider: FakeGateway, paid: Paid, repaid: Repaid, an_hour_later: Callable[[], None]
) -> None:
    repaid(paid().id, amount=30)
    repaying.repay_due()
    provider.calls.clear()
    an_hour_later()
    assert differences() == []
    assert "get_intent" not in provider.calls


def test_a_payment_whose_answer_and_event_were_lost_is_repaired(
    provider: FakeGateway,
    owed: Owed,
    read: Read,
    told: Told,
    an_hour_later: Callable[[], None],
) -> None:
    provider.fail("charge", "after")
    payment = charge(payment_id=owed(), payment_method=GOOD)
    assert payment.status == "processing"
    an_hour_later()
    assert read(payment.id).status == "succeeded"
    assert told() == ["paid"]
    assert differences() == []


def test_a_repayment_whose_answer_and_event_were_lost_is_repaired(
    provider: FakeGateway,
    paid: Paid,
    repaid: Repaid,
    read_back: ReadBack,
    told: Told,
    an_hour_later: Callable[[], None],
) -> None:
    begun = repaid(paid().id)
    provider.fail("repay", "after")
    ask_repayment(begun.id)
    an_hour_later()
    assert read_back(begun.id).status == "succeeded"
    assert told() == ["paid", "refund.repaid"]


@pytest.mark.parametrize(
    "minutes",
    [
        14,
        pytest.param(254, marks=pytest.mark.faults),
        pytest.param(734, marks=pytest.mark.faults),
    ],
)
def test_a_repayment_that_failed_weeks_later_is_heard_of_without_any_event(
    *,
    provider: FakeGateway,
    paid: Paid,
    repaid: Repaid,
    read_back: ReadBack,
    told: Told,
    pass_time: PassTime,
    minutes: int,
) -> None:
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    pass_time(midnight - now + timedelta(minutes=minutes))  # on time or behind, each day
    begun = repaid(paid().id)
    repaying.repay_due()
    for _ in range(2):
        pass_time(timedelta(days=9))
        look()
    provider.finish_repayment(str(read_back(begun.id).provider_ref), failure="unknown")
    for _ in range(24):
        pass_time(HOUR)
        look()
    assert read_back(begun.id).status == "failed"
    assert told() == ["paid", "refund.repaid", "refund.repayment_failed"]


def test_a_dispute_that_no_event_told_of_is_found_and_followed(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None], pass_time: PassTime
) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref)

    def statuses() -> list[str]:
        with transaction():
            return [one.status for one in payments.list_disputes(payment_id=payment.id)]

    an_hour_later()
    assert statuses() == ["open"]
    pass_time(timedelta(days=40))
    look()
    provider.dispute(payment.provider_ref, ref=seen.ref, status="lost")
    an_hour_later()
    assert statuses() == ["lost"]


def test_money_that_we_know_nothing_of_is_a_difference(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    paid()
    seen = stranger(provider)
    an_hour_later()
    an_hour_later()
    (found,) = differences()
    assert (found.kind, found.ref, found.payment_id) == ("unknown_to_us", seen.ref, None)
    assert found.facts == {
        "theirs": {"amount": 70, "currency": "TWD", "status": "succeeded"},
        "ours": None,
    }


def test_what_took_no_money_is_nobodys_business(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    paid()
    stranger(provider, status="failed")
    stranger(provider, status="processing", payment_id=new_id())
    an_hour_later()
    assert differences() == []


def test_a_second_charge_for_one_payment_is_a_difference(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    payment = paid()
    second = stranger(provider, payment_id=payment.id, amount=100)
    an_hour_later()
    assert [(one.kind, one.ref) for one in differences()] == [("unknown_to_us", second.ref)]


def test_another_amount_is_a_difference_until_it_is_the_same(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    payment = paid()
    ref = str(payment.provider_ref)
    provider.intents[ref] = replace(provider.intents[ref], amount=99)
    an_hour_later()
    (found,) = differences()
    assert (found.kind, found.payment_id, found.gone_at) == ("amount_differs", payment.id, None)
    provider.intents[ref] = replace(provider.intents[ref], amount=100)
    an_hour_later()
    (found,) = differences()
    assert found.gone_at is not None


def test_what_cannot_have_happened_is_a_difference(
    provider: FakeGateway, owed: Owed, an_hour_later: Callable[[], None]
) -> None:
    payment = charge(payment_id=owed(), payment_method=SLOW)
    ref = str(payment.provider_ref)
    provider.intents[ref] = replace(provider.intents[ref], status="cancelled")
    charge(payment_id=payment.id)
    provider.intents[ref] = replace(provider.intents[ref], status="succeeded")
    an_hour_later()
    assert open_kinds() == ["status_differs"]


def test_a_payment_that_the_provider_knows_nothing_of_is_a_difference(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    payment = paid()
    ref = str(payment.provider_ref)
    hidden = provider.intents.pop(ref)
    an_hour_later()
    (found,) = differences()
    assert (found.kind, found.ref, found.payment_id) == ("unknown_to_provider", ref, payment.id)
    provider.intents[ref] = hidden
    an_hour_later()
    assert open_kinds() == []


def test_a_repayment_that_the_provider_knows_nothing_of_is_a_difference(
    provider: FakeGateway,
    paid: Paid,
    repaid: Repaid,
    read_back: ReadBack,
    an_hour_later: Callable[[], None],
) -> None:
    begun = repaid(paid().id)
    repaying.repay_due()
    ref = str(read_back(begun.id).provider_ref)
    hidden = provider.repayments.pop(ref)
    an_hour_later()
    (found,) = differences()
    assert (found.kind, found.ref) == ("repayment_unknown_to_provider", ref)
    assert (found.payment_id, found.repayment_id) == (begun.payment_id, begun.id)
    provider.repayments[ref] = hidden
    an_hour_later()
    assert open_kinds() == []


def test_money_that_somebody_gave_back_by_hand_is_a_difference(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    payment = paid()
    seen = provider.repay_by_hand(str(payment.provider_ref), 30)
    an_hour_later()
    (found,) = differences()
    assert (found.kind, found.ref, found.payment_id) == (
        "repayment_unknown_to_us",
        seen.ref,
        payment.id,
    )


def test_a_repayment_of_another_amount_is_a_difference(
    provider: FakeGateway,
    paid: Paid,
    repaid: Repaid,
    read_back: ReadBack,
    an_hour_later: Callable[[], None],
) -> None:
    begun = repaid(paid().id)
    repaying.repay_due()
    ref = str(read_back(begun.id).provider_ref)
    provider.repayments[ref] = replace(provider.repayments[ref], amount=99)
    an_hour_later()
    assert open_kinds() == ["repayment_differs"]


def test_a_dispute_of_somebody_elses_payment_is_a_difference(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    paid()
    provider.dispute("pi_of_somebody_else")
    an_hour_later()
    an_hour_later()
    assert open_kinds() == ["dispute_unknown_to_us"]


def test_a_payment_that_was_made_long_before_it_was_paid_is_asked_for(
    provider: FakeGateway, owed: Owed, pass_time: PassTime
) -> None:
    payment = charge(payment_id=owed(by_holder=True))
    for _ in range(2):
        pass_time(timedelta(days=3))
        look()
    provider.pay_in_form(str(payment.provider_ref))
    charge(payment_id=payment.id)
    provider.calls.clear()
    pass_time(HOUR)
    look()
    assert "get_intent" in provider.calls
    assert differences() == []


def test_after_days_without_a_worker_everything_is_caught_up_with(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    paid()
    look()
    for _ in range(3):
        stranger(provider)
        pass_time(timedelta(days=1))
    look()
    assert len(differences()) == 3
    assert clock.now() - looked_until() < timedelta(hours=1)


def test_after_a_month_without_a_worker_it_goes_from_day_to_day(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    paid()
    look()
    pass_time(timedelta(days=30))
    stranger(provider)
    pass_time(HOUR)
    provider.calls.clear()
    look()
    assert open_kinds() == ["unknown_to_us"]
    assert provider.calls.count("list_payments") < 30 + 24 + 5


def test_long_lists_are_read_in_pages(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    provider.page_size = 2
    for _ in range(5):
        paid()
        stranger(provider)
    an_hour_later()
    assert open_kinds() == ["unknown_to_us"] * 5
    assert provider.calls.count("list_payments") >= 5


def test_a_crash_in_the_middle_loses_nothing(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    paid()
    stranger(provider)
    pass_time(HOUR)
    provider.fail("list_repayments", "before", Crash())
    with pytest.raises(Crash):
        look()
    provider.calls.clear()
    look()
    assert provider.calls == []  # the lease of the dead
    pass_time(timedelta(minutes=6))
    look()
    assert open_kinds() == ["unknown_to_us"]


def test_a_silent_provider_is_looked_at_later(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    paid()
    stranger(provider)
    pass_time(HOUR)
    provider.is_silent = True
    look()
    provider.is_silent = False
    pass_time(timedelta(minutes=6))
    look()
    assert open_kinds() == ["unknown_to_us"]


def test_one_that_breaks_is_looked_at_later(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    paid()
    stranger(provider)
    pass_time(HOUR)
    provider.fail("list_disputes", "before", RuntimeError("broken"))
    look()
    pass_time(timedelta(minutes=6))
    look()
    assert open_kinds() == ["unknown_to_us"]
    assert clock.now() - looked_until() < timedelta(hours=1)


def test_racing_looks_note_a_difference_once(
    app: Flask, provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    paid()
    stranger(provider)
    pass_time(HOUR)
    together(app, [look] * 4, in_transactions=False)
    assert open_kinds() == ["unknown_to_us"]
    assert provider.calls.count("list_payments") <= 3


def test_what_is_as_young_as_a_minute_is_left_for_the_next_look(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    paid()
    pass_time(HOUR)
    stranger(provider)
    pass_time(timedelta(minutes=1))
    look()
    assert differences() == []


def test_open_ones_come_first_and_every_page_once(
    provider: FakeGateway, paid: Paid, an_hour_later: Callable[[], None]
) -> None:
    gone = paid()
    ref = str(gone.provider_ref)
    provider.intents[ref] = replace(provider.intents[ref], amount=99)
    for _ in range(3):
        stranger(provider)
    an_hour_later()
    provider.intents[ref] = replace(provider.intents[ref], amount=100)
    an_hour_later()
    whole, after = differences(), None
    assert [one.gone_at is not None for one in whole] == [False, False, False, True]
    paged = []
    while True:
        with transaction():
            page = payments.list_differences(after=after, limit=2)
        paged += [one.id for one in page]
        if len(page) < 2:
            break
        after = (page[-1].gone_at is not None, page[-1].found_at, page[-1].id)
    assert paged == [one.id for one in whole]


def test_duty_calls_once_an_hour_and_only_if_anything_was_sold(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    del provider

    def calls() -> bool:
        with transaction():
            return is_due(DUTY, clock.now())

    assert not calls()
    paid()
    assert calls()
    look()
    assert not calls()
    pass_time(HOUR)
    assert calls()
