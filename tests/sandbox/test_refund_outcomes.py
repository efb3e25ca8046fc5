"""Refunds that take a while, and refunds that fail afterwards."""

import time
from collections.abc import Callable

import httpx
import pytest
import stripe

from tests.sandbox.provider import WEBHOOK_SECRET, Provider
from tests.sandbox.receiver import WAIT_SECONDS, Receiver
from tests.sandbox.told import types_about

Pay = Callable[..., stripe.PaymentIntent]


@pytest.fixture
def slow(faulty: Provider) -> Provider:
    """Nothing settles by itself during a test."""
    faulty.set_faults(settle_refunds_ms=3_600_000)
    return faulty


def wait_for_status(client: stripe.V1Services, refund_id: str, status: str) -> stripe.Refund:
    """Ask until a refund has that status."""
    until = time.monotonic() + WAIT_SECONDS
    while (refund := client.refunds.retrieve(refund_id)).status != status:
        assert time.monotonic() < until, refund.status
        time.sleep(0.02)
    return refund


def test_a_pending_refund_has_taken_the_money_and_succeeds_later(
    client: stripe.V1Services, slow: Provider, pay: Pay
):
    intent = pay("pm_card_pendingRefund")
    refund = client.refunds.create({"payment_intent": intent.id, "amount": 9_900})

    slow.act(f"refunds/{refund.id}/settle", outcome="succeeded")

    settled = client.refunds.retrieve(refund.id)
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert (settled.status, "pending_reason" in settled) == ("succeeded", False)
    assert settled.balance_transaction == refund.balance_transaction
    charge = client.charges.retrieve(str(refund.charge))
    assert (charge.amount_refunded, charge.refunds.data[0].status) == (9_900, "succeeded")
    assert types_about(client, refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
    ]


def test_a_pending_refund_counts_against_what_is_left(
    client: stripe.V1Services, slow: Provider, pay: Pay
):
    intent = pay("pm_card_pendingRefund")
    client.refunds.create({"payment_intent": intent.id, "amount": 40_000})

    with pytest.raises(stripe.InvalidRequestError):
        client.refunds.create({"payment_intent": intent.id, "amount": 9_901})


def test_a_refund_that_fails_brings_the_money_back(
    client: stripe.V1Services, slow: Provider, receiver: Receiver, pay: Pay
):
    intent = pay("pm_card_refundFail")
    refund = client.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"

    slow.act(f"refunds/{refund.id}/settle", outcome="failed", failure_reason="lost_or_stolen_card")

    failed = client.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    back = failed.failure_balance_transaction
    assert (back.type, back.amount, back.net) == ("refund_failure", 49_900, 49_900)
    assert back.source == refund.id
    charge = client.charges.retrieve(str(refund.charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert charge.refunds.data[0].status == "failed"
    assert types_about(client, refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
    ]
    (told,) = receiver.wait_for("refund.failed", refund.id)
    assert told.event(WEBHOOK_SECRET).data.object["failure_reason"] == "lost_or_stolen_card"


def test_what_failed_can_be_refunded_again(client: stripe.V1Services, slow: Provider, pay: Pay):
    intent = pay("pm_card_refundFail")
    first = client.refunds.create({"payment_intent": intent.id})
    slow.act(f"refunds/{first.id}/settle", outcome="failed")

    second = client.refunds.create({"payment_intent": intent.id})

    assert second.amount == 49_900
    assert client.charges.retrieve(str(second.charge)).refunded


def test_any_refund_can_fail_afterwards_but_only_once(
    client: stripe.V1Services, provider: Provider, pay: Pay
):
    refund = client.refunds.create({"payment_intent": pay().id})

    with pytest.raises(httpx.HTTPStatusError, match="400"):
        provider.act(f"refunds/{refund.id}/settle", outcome="succeeded")
    failed = provider.act(f"refunds/{refund.id}/settle", outcome="failed")

    assert failed["failure_reason"] == "expired_or_canceled_card"
    for outcome in ("failed", "succeeded"):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            provider.act(f"refunds/{refund.id}/settle", outcome=outcome)


@pytest.mark.parametrize(
    ("card", "status"), [("pm_card_pendingRefund", "succeeded"), ("pm_card_refundFail", "failed")]
)
def test_refunds_settle_by_themselves(
    client: stripe.V1Services, faulty: Provider, pay: Pay, card: str, status: str
):
    faulty.set_faults(settle_refunds_ms=300)

    refund = client.refunds.create({"payment_intent": pay(card).id})

    assert refund.status != status
    assert wait_for_status(client, refund.id, status).id == refund.id


def test_refunds_settle_although_nobody_asks(
    client: stripe.V1Services, faulty: Provider, receiver: Receiver, pay: Pay
):
    faulty.set_faults(settle_refunds_ms=200)

    refund = client.refunds.create({"payment_intent": pay("pm_card_refundFail").id})

    (told,) = receiver.wait_for("refund.failed", refund.id)
    assert told.event(WEBHOOK_SECRET).request.id is None


def test_a_refund_that_was_settled_by_hand_stays_so(
    client: stripe.V1Services, faulty: Provider, pay: Pay
):
    faulty.set_faults(settle_refunds_ms=150)
    refund = client.refunds.create({"payment_intent": pay("pm_card_pendingRefund").id})
    faulty.act(f"refunds/{refund.id}/settle", outcome="failed")

    time.sleep(0.3)

    assert client.refunds.retrieve(refund.id).status == "failed"


def test_a_waiting_refund_settles_after_a_restart(own_provider: Provider):
    own_provider.start()
    own_provider.set_faults(settle_refunds_ms=1_000)
    client = own_provider.client()
    intent = client.payment_intents.create(
        {
            "amount": 49_900,
            "currency": "twd",
            "confirm": True,
            "payment_method": "pm_card_pendingRefund",
            "payment_method_types": ["card"],
        }
    )
    refund = client.refunds.create({"payment_intent": intent.id})

    own_provider.stop()
    own_provider.start()

    assert wait_for_status(own_provider.client(), refund.id, "succeeded").amount == 49_900


def test_refunds_are_listed_by_time_charge_and_intent_with_their_notes(own_provider: Provider):
    own_provider.start()
    client, made = own_provider.client(), []
    for hours in range(3):
        own_provider.clock_file.write_text(f"{hours * 3600}")
        intent = client.payment_intents.create(
            {
                "amount": 49_900,
                "currency": "twd",
                "confirm": True,
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
            }
        )
        made.append(
            client.refunds.create(
                {"payment_intent": intent.id, "metadata": {"refund": f"r-{hours}"}}
            )
        )
    old, middle, new = made

    def listed(**shown: object) -> list[str]:
        found = client.refunds.list(shown)  # type: ignore[arg-type]
        return [refund.metadata["refund"] for refund in found.auto_paging_iter()]

    assert listed(created={"gte": middle.created}, limit=1) == ["r-2", "r-1"]
    assert listed(created={"gt": old.created, "lt": new.created}) == ["r-1"]
    assert listed(payment_intent=old.payment_intent) == ["r-0"]
    assert listed(charge=new.charge) == ["r-2"]
