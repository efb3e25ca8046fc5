"""A month of money that went back, against the provider's balance."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

import payments
from chain.policy import local_day
from kernel import clock
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.month import Month
from payments import Payment, Reconciliation, Repayment, reconcile, reconciliation_lines
from payments.reconciliation import Line
from payments.service.ask_repayment import ask_repayment
from payments.service.record_repayment import record_repayment
from payments.service.settle import keep_transactions
from tests.fakes import FakeGateway
from tests.world import World

Paid = Callable[..., Payment]
Repaid = Callable[..., Repayment]

pytestmark = pytest.mark.usefixtures("world")


def this_month() -> dict[str, object]:
    month = Month.of(local_day(clock.now(), time_zone="Asia/Taipei"))
    return {"month_first_on": month.first_on, "next_on": month.next_on}


def found() -> Reconciliation:
    with transaction():
        return reconcile(**this_month())


def lines(kind: str) -> list[Line]:
    with transaction():
        return [one for one in reconciliation_lines(**this_month()) if one.kind == kind]


@pytest.fixture
def fetched(provider: FakeGateway) -> Callable[[], None]:
    """Every movement was kept."""

    def fetched() -> None:
        with transaction():
            keep_transactions(provider.transactions)

    return fetched


def test_a_repayment_and_its_movement_are_matched(
    paid: Paid, repaid: Repaid, fetched: Callable[[], None]
) -> None:
    payment = paid()
    ask_repayment(repaid(payment.id, amount=30).id)
    fetched()
    assert (found().lines, found().differences) == ({"matched": 2}, [])
    (line,) = lines("refund")
    assert (line.verdict, line.ours_minor, line.theirs_minor) == ("matched", -3_000, -3_000)
    assert (line.payment_id, line.payment_ref) == (payment.id, payment.provider_ref)
    (charged,) = found().charged
    assert (charged.ours_minor, charged.theirs_minor) == (10_000, 10_000)
    assert found().cash_expected == {"TWD": 100}


def test_what_a_bank_sends_back_is_matched_with_the_same_repayment(
    provider: FakeGateway, paid: Paid, repaid: Repaid, fetched: Callable[[], None]
) -> None:
    payment = paid()
    begun = ask_repayment(repaid(payment.id, amount=30).id)
    ref = str(begun.provider_ref)
    provider.finish_repayment(ref, failure="unknown")
    with transaction():
        seen = provider.repayments[ref]
        record_repayment(repayment_id=begun.id, seen=seen, now=clock.now())
    provider.move(
        kind="refund", type="refund_failure", source_ref=ref,
        payment_ref=payment.provider_ref, amount_minor=3_000, charged_minor=3_000,
    )  # fmt: skip
    fetched()
    assert found().differences == []
    assert sorted(one.ours_minor or 0 for one in lines("refund")) == [-3_000, 3_000]


def test_a_repayment_without_a_movement_is_shown(paid: Paid, repaid: Repaid) -> None:
    payment = paid()
    ask_repayment(repaid(payment.id, amount=30).id)
    (line,) = lines("refund")
    assert (line.verdict, line.cause) == ("ours_only", "not_fetched_yet")
    assert (line.payment_id, line.ours_minor, line.theirs_minor) == (payment.id, -3_000, None)
    assert line in found().differences


def test_a_repayment_that_is_still_under_way_is_not(paid: Paid, repaid: Repaid) -> None:
    repaid(paid().id)
    assert lines("refund") == []


def test_another_amount_is_shown(
    provider: FakeGateway, paid: Paid, repaid: Repaid, fetched: Callable[[], None]
) -> None:
    ask_repayment(repaid(paid().id, amount=30).id)
    moved = provider.transactions.pop()
    provider.move(
        kind="refund", source_ref=moved.source_ref, payment_ref=moved.payment_ref,
        amount_minor=-2_900, charged_minor=-2_900,
    )  # fmt: skip
    fetched()
    (line,) = lines("refund")
    assert (line.verdict, line.cause) == ("amounts_differ", "amount_differs")


def test_a_refund_that_nobody_here_began_is_not_ours(
    provider: FakeGateway, paid: Paid, fetched: Callable[[], None]
) -> None:
    payment = paid()
    provider.move(kind="refund", payment_ref=payment.provider_ref, amount_minor=-2_900)
    fetched()
    assert [one.cause for one in lines("refund")] == ["refund_not_ours"]


def test_a_dispute_and_what_it_moved_are_matched(
    provider: FakeGateway, paid: Paid, fetched: Callable[[], None]
) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref)
    with transaction():
        payments.record_dispute(seen, now=clock.now())
    for amount in (-10_000, 10_000):
        provider.move(
            kind="dispute", type="adjustment", source_ref=seen.ref,
            payment_ref=payment.provider_ref, amount_minor=amount, charged_minor=amount,
        )  # fmt: skip
    fetched()
    assert found().differences == []
    assert sorted(one.ours_minor or 0 for one in lines("dispute")) == [-10_000, 10_000]


def test_cash_is_expected_in_the_books_and_not_at_the_provider(world: World, paid: Paid) -> None:
    del paid
    till = world.add_till("A")
    facts: dict[str, UUID] = {"member_id": new_id(), "purpose_id": new_id()}
    with transaction():
        payments.take_cash(
            purpose="test_purpose",
            amount=70,
            currency="TWD",
            shift_id=till.shift_id,
            now=clock.now() - timedelta(seconds=1),
            **facts,
        )
    assert (found().lines, found().cash_expected) == ({}, {"TWD": 70})
