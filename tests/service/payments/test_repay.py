"""Money on its way back to its payer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from flask import Flask

import payments
from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments import NothingLeft, Payment, Repayment, inbox, receive, repaying
from payments.exchanged import SeenRepayment
from payments.service.ask_repayment import ask_repayment
from payments.service.record_repayment import record_repayment
from tests.events import event, signed
from tests.fakes import WANTS_HOLDER, Crash, FakeGateway
from tests.together import together

Owed = Callable[..., UUID]
Paid = Callable[..., Payment]
Repaid = Callable[..., Repayment]
Read = Callable[[UUID], Payment]
ReadBack = Callable[[UUID], Repayment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]


def news(kind: str, ref: str) -> None:
    now = clock.now()
    body, header = signed(event(kind, ref), at=now)
    with transaction():
        receive(body=body, signature=header, now=now)


def facts_of(topic: str) -> list[dict[str, object]]:
    with transaction():
        told = db.session.query(Outbox).filter_by(topic=topic).order_by(Outbox.id)
        return [row.facts for row in told]


def again_for(repayment: Repayment) -> Repayment:
    with transaction():
        return payments.repay_again(
            purpose="refund", purpose_id=repayment.purpose_id, now=clock.now()
        )


def test_money_goes_back_to_its_payer_after_the_commit(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read: Read, read_back: ReadBack, told: Told
) -> None:
    payment = paid()
    begun = repaid(payment.id, amount=40)
    assert provider.given_back == []
    repaying.repay_due()
    done = read_back(begun.id)
    assert (done.status, done.due_at, done.provider) == ("succeeded", None, "stripe")
    assert provider.given_back == [begun.id]
    assert provider.repayments[str(done.provider_ref)].amount == 40
    assert read(payment.id).repaid == 40
    assert told() == ["paid", "refund.repaid"]


def test_the_news_names_repayment_and_purpose(
    provider: FakeGateway, paid: Paid, repaid: Repaid
) -> None:
    del provider
    begun = repaid(paid().id)
    repaying.repay_due()
    assert facts_of("refund.repaid") == [
        {"repayment_id": str(begun.id), "purpose_id": str(begun.purpose_id)}
    ]


def test_a_purpose_begins_to_be_repaid_once(paid: Paid, repaid: Repaid, read: Read) -> None:
    payment, purpose_id = paid(), new_id()
    first = repaid(payment.id, amount=60, purpose_id=purpose_id)
    assert repaid(payment.id, amount=60, purpose_id=purpose_id).id == first.id
    assert read(payment.id).repaid == 60


def test_no_more_goes_back_than_came(paid: Paid, repaid: Repaid, read: Read) -> None:
    payment = paid()
    repaid(payment.id, amount=60)
    with pytest.raises(NothingLeft) as refused:
        repaid(payment.id, amount=41)
    assert refused.value.facts == {"left": 40, "wanted": 41}
    repaid(payment.id, amount=40)
    assert read(payment.id).repaid == 100


def test_what_a_bank_took_back_for_good_is_not_given_back_too(
    provider: FakeGateway, paid: Paid, repaid: Repaid
) -> None:
    payment = paid()
    for status in ("open", "won", "lost"):
        seen = provider.dispute(payment.provider_ref, status=status, amount=40)
        with transaction():
            payments.record_dispute(seen, now=clock.now())
    with pytest.raises(NothingLeft) as refused:
        repaid(payment.id, amount=61)
    assert refused.value.facts == {"left": 60, "wanted": 61}
    repaid(payment.id, amount=60)


def test_what_was_never_paid_cannot_be_given_back(owed: Owed, repaid: Repaid) -> None:
    with pytest.raises(NothingLeft):
        repaid(owed(), amount=1)
    with pytest.raises(NotFound):
        repaid(new_id(), amount=1)


def test_racing_refunds_never_give_back_more_than_was_paid(
    app: Flask, paid: Paid, repaid: Repaid, read: Read
) -> None:
    payment = paid()
    del repaid

    def race() -> Repayment:
        return payments.begin_repayment(
            payment_id=payment.id, purpose="refund", purpose_id=new_id(), amount=30, now=clock.now()
        )

    answers = together(app, [race] * 8)
    refused = [one for one in answers if isinstance(one, NothingLeft)]
    assert len(refused) == 5  # whoever finds nothing left is told so, and nobody is lost
    assert read(payment.id).repaid == 90
    assert sum(one.amount for one in _all(payment.id)) == 90


def _all(payment_id: UUID) -> list[Repayment]:
    with transaction():
        return list(payments.list_repayments(payment_id=payment_id))


def test_racers_for_one_purpose_begin_one_repayment(app: Flask, paid: Paid) -> None:
    payment, purpose_id = paid(), new_id()

    def race() -> UUID:
        return payments.begin_repayment(
            payment_id=payment.id,
            purpose="refund",
            purpose_id=purpose_id,
            amount=30,
            now=clock.now(),
        ).id

    assert len(set(together(app, [race] * 6))) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_asked_for_again_and_repaid_once(
    provider: FakeGateway,
    paid: Paid,
    repaid: Repaid,
    read_back: ReadBack,
    told: Told,
    pass_time: PassTime,
    when: str,
) -> None:
    begun = repaid(paid().id)
    provider.fail("repay", when)
    repaying.repay_due()
    assert read_back(begun.id).status == "intent"
    pass_time(timedelta(seconds=16))
    repaying.repay_due()
    assert read_back(begun.id).status == "succeeded"
    assert provider.given_back == [begun.id]
    assert told() == ["paid", "refund.repaid"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_the_provider_repays_once(
    provider: FakeGateway, paid: Paid, repaid: Repaid, told: Told, when: str
) -> None:
    begun = repaid(paid().id)
    provider.fail("repay", when, Crash())
    with pytest.raises(Crash):
        ask_repayment(begun.id)
    assert ask_repayment(begun.id).status == "succeeded"
    assert provider.given_back == [begun.id]
    assert told() == ["paid", "refund.repaid"]


def test_racing_workers_repay_once(
    app: Flask, provider: FakeGateway, paid: Paid, repaid: Repaid, told: Told
) -> None:
    begun = repaid(paid().id)
    answers = together(app, [lambda: ask_repayment(begun.id).status] * 6, in_transactions=False)
    assert answers == ["succeeded"] * 6
    assert provider.given_back == [begun.id]
    assert told() == ["paid", "refund.repaid"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_day_of_silence_it_is_looked_for_before_it_is_asked_for_anew(
    provider: FakeGateway,
    paid: Paid,
    repaid: Repaid,
    read_back: ReadBack,
    pass_time: PassTime,
    when: str,
) -> None:
    begun = repaid(paid().id)
    provider.fail("repay", when)
    repaying.repay_due()
    pass_time(timedelta(hours=24))
    provider.calls.clear()
    repaying.repay_due()
    expected = ["find_repayment"] if when == "after" else ["find_repayment", "repay"]
    assert provider.calls == expected
    assert read_back(begun.id).status == "succeeded"
    assert provider.given_back == [begun.id]


def test_the_providers_day_is_everybodys_also_where_a_member_is_ahead(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read_back: ReadBack, pass_time: PassTime
) -> None:
    begun = repaid(paid().id)
    with clock.apart(begun.member_id, timedelta(days=2)):
        provider.fail("repay", "after")
        ask_repayment(begun.id)
    pass_time(timedelta(days=2))
    provider.calls.clear()
    with clock.apart(begun.member_id, timedelta(minutes=2)):
        ask_repayment(begun.id)
    assert provider.calls == ["find_repayment"]
    assert read_back(begun.id).status == "succeeded"


def test_a_silent_provider_is_asked_more_and_more_seldom(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read_back: ReadBack, pass_time: PassTime
) -> None:
    begun = repaid(paid().id)
    provider.is_silent = True
    repaying.repay_due()
    waits = []
    for _ in range(10):
        due_at = read_back(begun.id).due_at
        assert due_at is not None
        waits.append((due_at - clock.now()).total_seconds())
        pass_time(due_at - clock.now() + timedelta(milliseconds=1))
        repaying.repay_due()
    assert [round(wait) for wait in waits[:4]] == [15, 15, 30, 60]
    assert max(waits) <= 3_600
    provider.is_silent = False
    pass_time(timedelta(hours=1, seconds=1))
    repaying.repay_due()
    assert read_back(begun.id).status == "succeeded"


def test_a_slow_bank_is_asked_about_until_it_is_done(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read_back: ReadBack, pass_time: PassTime
) -> None:
    provider.repays_slowly = True
    begun = repaid(paid().id)
    repaying.repay_due()
    slow = read_back(begun.id)
    assert slow.status == "processing"
    provider.finish_repayment(str(slow.provider_ref))
    pass_time(timedelta(seconds=16))
    repaying.repay_due()
    assert read_back(begun.id).status == "succeeded"


def test_what_the_provider_refuses_has_failed_and_is_left_of_the_payment_again(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read: Read, read_back: ReadBack
) -> None:
    payment = paid()
    provider.repay_by_hand(str(payment.provider_ref), 100)
    begun = repaid(payment.id)
    repaying.repay_due()
    failed = read_back(begun.id)
    assert (failed.status, failed.failure) == ("failed", "charge_already_refunded")
    assert read(payment.id).repaid == 0
    assert facts_of("refund.repayment_failed") == [
        {
            "repayment_id": str(begun.id),
            "purpose_id": str(begun.purpose_id),
            "failure": "charge_already_refunded",
            "is_after_success": False,
        }
    ]


def test_a_bank_that_sends_it_back_later_is_told_as_a_failure_after_success(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read: Read, read_back: ReadBack, told: Told
) -> None:
    payment = paid()
    begun = repaid(payment.id)
    repaying.repay_due()
    ref = str(read_back(begun.id).provider_ref)
    provider.finish_repayment(ref, failure="lost_or_stolen_card")
    news("refund.failed", ref)
    news("refund.updated", ref)
    inbox.read_events()
    assert read_back(begun.id).failure == "lost_or_stolen_card"
    assert read(payment.id).repaid == 0
    assert told() == ["paid", "refund.repaid", "refund.repayment_failed"]
    assert [fact["is_after_success"] for fact in facts_of("refund.repayment_failed")] == [True]


def test_a_failed_repayment_begins_again_as_another_attempt(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read: Read, read_back: ReadBack
) -> None:
    payment = paid()
    provider.repays_slowly = True
    begun = repaid(payment.id)
    assert again_for(begun).id == begun.id  # still under way
    repaying.repay_due()
    provider.finish_repayment(str(read_back(begun.id).provider_ref), failure="declined")
    ask_repayment(begun.id)
    second = again_for(begun)
    assert (second.attempt, second.amount, second.status) == (2, 100, "intent")
    provider.repays_slowly = False
    repaying.repay_due()
    assert read_back(second.id).status == "succeeded"
    assert read(payment.id).repaid == 100
    assert again_for(begun).id == second.id


def test_what_never_began_cannot_begin_again(app: Flask) -> None:
    del app
    with pytest.raises(NotFound), transaction():
        payments.repay_again(purpose="refund", purpose_id=new_id(), now=clock.now())


EVENTS = ("refund.created", "refund.updated", "refund.failed", "charge.refunded")


@pytest.mark.faults
@pytest.mark.parametrize("order", list(permutations(EVENTS)))
def test_events_in_any_order_doubled_and_late_end_the_same(
    provider: FakeGateway,
    paid: Paid,
    repaid: Repaid,
    read_back: ReadBack,
    told: Told,
    order: tuple[str, ...],
) -> None:
    payment = paid()
    provider.repays_slowly = True
    begun = repaid(payment.id)
    repaying.repay_due()
    ref = str(read_back(begun.id).provider_ref)

    def tell(kind: str) -> None:
        news(kind, f"ch_{payment.provider_ref}" if kind == "charge.refunded" else ref)

    for kind in order[:2]:
        tell(kind)
    inbox.read_events()
    provider.finish_repayment(ref)
    for kind in (*order[2:], *order):
        tell(kind)
    inbox.read_events()
    provider.finish_repayment(ref, failure="unknown")
    for kind in (*order, *order):
        tell(kind)
    inbox.read_events()
    assert read_back(begun.id).status == "failed"
    assert told() == ["paid", "refund.repaid", "refund.repayment_failed"]


def test_an_event_repays_when_the_answer_was_lost(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read_back: ReadBack
) -> None:
    begun = repaid(paid().id)
    provider.fail("repay", "after")
    repaying.repay_due()
    (ref,) = provider.repayments
    news("refund.created", ref)
    inbox.read_events()
    assert (read_back(begun.id).status, read_back(begun.id).provider_ref) == ("succeeded", ref)


def test_a_refund_of_somebody_else_on_the_account_is_left_alone(
    provider: FakeGateway, paid: Paid, told: Told
) -> None:
    seen = provider.repay_by_hand(str(paid().provider_ref), 10)
    news("refund.created", str(seen.ref))
    inbox.read_events()
    assert told() == ["paid"]


def test_a_repayment_of_another_amount_is_a_bug(
    provider: FakeGateway, paid: Paid, repaid: Repaid
) -> None:
    del provider
    begun = repaid(paid().id)
    seen = SeenRepayment("re_1", "succeeded", begun.id, "pi_1", 1, "TWD")
    with pytest.raises(RuntimeError, match="is not what is shown"), transaction():
        record_repayment(repayment_id=begun.id, seen=seen, now=clock.now())


def test_one_that_breaks_does_not_stop_the_others(
    provider: FakeGateway, paid: Paid, repaid: Repaid, read_back: ReadBack
) -> None:
    begun = [repaid(paid().id).id for _ in range(2)]
    provider.fail("repay", "before", RuntimeError("broken"))
    repaying.repay_due()
    assert sorted(read_back(one).status for one in begun) == ["intent", "succeeded"]


def test_the_payment_that_waits_for_its_holder_is_not_repaid(
    provider: FakeGateway, owed: Owed, repaid: Repaid
) -> None:
    del provider
    waiting = payments.charge(payment_id=owed(), payment_method=WANTS_HOLDER)
    with pytest.raises(NothingLeft):
        repaid(waiting.id)


def test_duty_calls_only_for_what_is_due(provider: FakeGateway, paid: Paid, repaid: Repaid) -> None:
    del provider
    payment = paid()
    with transaction():
        assert not is_due(repaying.DUTY, clock.now())
    repaid(payment.id)
    with transaction():
        assert is_due(repaying.DUTY, clock.now())
    repaying.repay_due()
    with transaction():
        assert not is_due(repaying.DUTY, clock.now())
