"""Money that came and that nobody had to pay."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

import payments
from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.models import Entry, Line
from payments import Payment, Repayment, repaying
from payments.service.ask_repayment import ask_repayment
from payments.service.record import record
from payments.service.record_repayment import record_repayment
from tests.fakes import GOOD, WANTS_HOLDER, FakeGateway
from tests.together import together

pytestmark = pytest.mark.usefixtures("world")

Owed = Callable[..., UUID]
Paid = Callable[..., Payment]
Read = Callable[[UUID], Payment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]


def returned(payment_id: UUID) -> Repayment:
    with transaction():
        repayment = payments.return_surplus(payment_id=payment_id, now=clock.now())
    assert repayment is not None
    return repayment


def booked() -> list[tuple[str, str, str, int]]:
    """Kind, debit, credit and amount of every line, in order."""
    with transaction():
        lines = (
            select(Entry.kind, Line.debit, Line.credit, Line.amount)
            .join(Line, (Line.member_id == Entry.member_id) & (Line.entry_id == Entry.id))
            .order_by(Entry.id)
        )
        return [tuple(row) for row in db.session.execute(lines)]


def owed_back() -> list[tuple[UUID, int, str]]:
    with transaction():
        rows = db.session.execute(payments.surplus_owed())
        return [(row.payment_id, row.amount, row.currency) for row in rows]


def attempts(payment_id: UUID) -> list[Repayment]:
    with transaction():
        return list(payments.list_repayments(payment_id=payment_id))


def test_what_nobody_had_to_pay_is_owed_and_goes_back(
    provider: FakeGateway, paid: Paid, read: Read
) -> None:
    payment = paid()
    repayment = returned(payment.id)
    assert read(payment.id).status == "surplus"
    assert owed_back() == [(payment.id, 100, "TWD")]
    assert booked() == [("surplus", "1111", "2133", 100)]
    repaying.repay_due()
    assert provider.given_back == [repayment.id]
    assert owed_back() == []
    assert booked() == [("surplus", "1111", "2133", 100), ("payout", "2133", "1111", 100)]


def test_it_is_returned_once(paid: Paid) -> None:
    payment = paid()
    assert returned(payment.id).id == returned(payment.id).id
    assert len(booked()) == 1


def test_racers_return_it_once(app: Flask, paid: Paid) -> None:
    payment = paid()
    answers = together(
        app,
        [lambda: payments.return_surplus(payment_id=payment.id, now=clock.now()).id] * 6,  # type: ignore[union-attr]
    )
    assert len(set(answers)) == 1
    assert len(booked()) == 1


def test_only_what_is_left_is_returned(paid: Paid, repaid: Callable[..., Repayment]) -> None:
    payment = paid()
    repaid(payment.id, amount=60)
    assert returned(payment.id).amount == 40
    assert booked() == [("surplus", "1111", "2133", 40)]


def test_nothing_is_returned_where_nothing_is_left(
    paid: Paid, read: Read, repaid: Callable[..., Repayment]
) -> None:
    payment = paid()
    repaid(payment.id)
    with transaction():
        assert payments.return_surplus(payment_id=payment.id, now=clock.now()) is None
    assert read(payment.id).status == "surplus"
    assert booked() == []


def test_what_was_not_paid_is_no_surplus(owed: Owed) -> None:
    payment_id = owed(payment_method=GOOD)
    with pytest.raises(ValueError, match="not paid"), transaction():
        payments.return_surplus(payment_id=payment_id, now=clock.now())


def test_money_that_comes_twice_goes_back_by_itself(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    purpose_id = new_id()
    first = owed(purpose_id=purpose_id)
    payments.charge(payment_id=first, payment_method=WANTS_HOLDER)
    ref = str(read(first).provider_ref)
    provider.refuse_authentication(ref)
    payments.charge(payment_id=first)
    second = owed(purpose_id=purpose_id)
    payments.charge(payment_id=second, payment_method=GOOD)
    provider.authenticate(ref)
    with transaction():
        record(payment_id=first, seen=provider.intents[ref], now=clock.now())
    repaying.repay_due()
    assert (read(first).status, read(second).status) == ("surplus", "succeeded")
    assert [one.payment_id for one in attempts(first)] == [first]
    assert provider.given_back == [attempts(first)[0].id]
    assert told() == ["payment_failed", "paid"]
    assert owed_back() == []


def test_a_surplus_that_a_bank_sends_back_is_owed_again_and_tried_again_a_day_later(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    payment = paid()
    first = returned(payment.id)
    repaying.repay_due()
    provider.finish_repayment(next(iter(provider.repayments)), failure="unknown")
    with transaction():
        seen = next(iter(provider.repayments.values()))
        record_repayment(repayment_id=first.id, seen=seen, now=clock.now())
    assert owed_back() == [(payment.id, 100, "TWD")]
    repaying.repay_due()
    assert len(provider.given_back) == 1
    pass_time(timedelta(days=1, seconds=1))
    repaying.repay_due()
    assert len(provider.given_back) == 2
    assert owed_back() == []
    assert [kind for kind, *_ in booked()] == ["surplus", "payout", "void", "payout"]


def test_after_a_week_it_waits_for_somebody_who_looks(
    provider: FakeGateway, paid: Paid, pass_time: PassTime
) -> None:
    payment = paid()
    provider.repay_by_hand(str(payment.provider_ref), 100)
    returned(payment.id)
    for _ in range(10):
        repaying.repay_due()
        pass_time(timedelta(days=1, seconds=1))
    assert [one.status for one in attempts(payment.id)] == ["failed"] * 7
    assert owed_back() == [(payment.id, 100, "TWD")]
    provider.repayments.clear()
    with transaction():
        again = payments.repay_again(purpose="surplus", purpose_id=payment.id, now=clock.now())
    assert ask_repayment(again.id).status == "succeeded"


def test_a_surplus_that_a_bank_took_back_for_good_is_not_tried_again(
    provider: FakeGateway, paid: Paid
) -> None:
    payment = paid()
    first = returned(payment.id)
    provider.repay_by_hand(str(payment.provider_ref), 100)
    with transaction():
        seen = provider.dispute(payment.provider_ref, status="lost")
        payments.record_dispute(seen, now=clock.now())
    repaying.repay_due()
    assert [(one.id, one.status) for one in attempts(payment.id)] == [(first.id, "failed")]
    assert owed_back() == [(payment.id, 100, "TWD")]


def test_every_line_of_a_surplus_balances(paid: Paid) -> None:
    returned(paid().id)
    repaying.repay_due()
    with transaction():
        owed = select(
            func.coalesce(func.sum(Line.amount).filter(Line.credit == "2133"), 0)
            - func.coalesce(func.sum(Line.amount).filter(Line.debit == "2133"), 0)
        )
        assert db.session.scalar(owed) == 0
