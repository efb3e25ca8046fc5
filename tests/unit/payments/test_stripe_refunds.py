from datetime import UTC, datetime
from typing import Any

import pytest

from kernel.ids import new_id
from payments.stripe_payments import id_of_ours
from payments.stripe_refunds import dispute, repayment


def refund(**facts: Any) -> dict[str, Any]:
    return {
        "id": "re_1",
        "status": "succeeded",
        "amount": 10_000,
        "currency": "twd",
        "payment_intent": "pi_1",
        "metadata": {},
    } | facts


def disputed(**facts: Any) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "status": "needs_response",
        "amount": 10_000,
        "currency": "twd",
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "created": 1_768_363_200,
    } | facts


def test_a_refund_is_in_whole_dollars_and_names_ours() -> None:
    ours = new_id()
    seen = repayment(refund(metadata={"repayment_id": str(ours)}))
    assert (seen.ref, seen.amount, seen.currency, seen.payment_ref) == ("re_1", 100, "TWD", "pi_1")
    assert (seen.status, seen.repayment_id, seen.failure) == ("succeeded", ours, None)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("pending", "processing"),
        ("requires_action", "processing"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_every_status_of_a_refund_has_one_of_ours(theirs: str, ours: str) -> None:
    assert repayment(refund(status=theirs)).status == ours


def test_a_refund_that_failed_says_why() -> None:
    failed = refund(status="failed", failure_reason="lost_or_stolen_card")
    assert repayment(failed).failure == "lost_or_stolen_card"
    assert repayment(refund(status="canceled")).failure == "canceled"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("warning_needs_response", "inquiry"),
        ("warning_under_review", "inquiry"),
        ("warning_closed", "inquiry"),
        ("prevented", "inquiry"),
        ("needs_response", "open"),
        ("under_review", "open"),
        ("won", "won"),
        ("lost", "lost"),
        ("appeal_needs_response", "lost"),
        ("appeal_under_review", "lost"),
    ],
)
def test_every_status_of_a_dispute_has_one_of_ours(theirs: str, ours: str) -> None:
    assert dispute(disputed(status=theirs)).status == ours


def test_a_dispute_says_what_was_taken_back_and_when() -> None:
    seen = dispute(disputed(payment_intent={"id": "pi_2"}, reason=None))
    assert (seen.amount, seen.currency, seen.payment_ref) == (100, "TWD", "pi_2")
    assert (seen.reason, seen.opened_at) == ("general", datetime(2026, 1, 14, 4, tzinfo=UTC))


@pytest.mark.parametrize("noted", [None, "", "not one of ours", "1"])
def test_notes_of_somebody_else_name_none_of_ours(noted: str | None) -> None:
    assert id_of_ours({"metadata": {"payment_id": noted}}, "payment_id") is None
    assert id_of_ours({"metadata": None}, "payment_id") is None
