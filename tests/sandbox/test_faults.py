"""Faults on demand."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
import stripe

from tests.sandbox.provider import WEBHOOK_SECRET, Provider
from tests.sandbox.receiver import Receiver

Pay = Callable[..., stripe.PaymentIntent]


def test_a_lost_answer_has_moved_the_money_and_its_key_finds_it(
    client: stripe.V1Services, faulty: Provider, alice: stripe.Customer, pay: Pay
):
    key = str(uuid4())
    faulty.set_faults(fail_after_success=2)

    for _ in range(2):
        with pytest.raises(stripe.APIError) as lost:
            pay(customer=alice.id, idempotency_key=key)
        assert lost.value.http_status == 500
    found = pay(customer=alice.id, idempotency_key=key)

    assert found.status == "succeeded"
    (charge,) = client.charges.list({"customer": alice.id}).data
    assert charge.id == found.latest_charge


def test_only_answers_that_moved_money_are_lost(
    client: stripe.V1Services, faulty: Provider, pay: Pay
):
    intent = pay()
    faulty.set_faults(fail_after_success=1)

    customer = client.customers.create({})
    with pytest.raises(stripe.CardError):
        pay("pm_card_visa_chargeDeclined")
    with pytest.raises(stripe.APIError):
        client.refunds.create({"payment_intent": intent.id})

    assert client.customers.retrieve(customer.id).id == customer.id
    assert client.charges.retrieve(str(intent.latest_charge)).refunded


def test_latency_delays_the_answer_and_not_the_effect(faulty: Provider, pay: Pay):
    faulty.set_faults(latency_ms=300)

    started = time.monotonic()
    intent = pay()

    assert time.monotonic() - started >= 0.3
    assert intent.status == "succeeded"


def test_events_can_be_delivered_twice(faulty: Provider, receiver: Receiver, pay: Pay):
    faulty.set_faults(duplicate_events=3)

    intent = pay()

    twice = receiver.wait_for("payment_intent.succeeded", intent.id, times=2)
    assert len({received.event(WEBHOOK_SECRET).id for received in twice}) == 1


def test_faults_can_be_read_and_out_of_range_ones_are_refused(faulty: Provider):
    faulty.set_faults(latency_ms=1)

    shown = faulty.raw("GET", "/v1/test_helpers/faults").json()
    assert shown["latency_ms"] == 1
    assert shown["fail_after_success"] == 0
    for wrong in ({"latency_ms": -1}, {"latency_ms": 10**9}, {"unheard_of": 1}, {"latency_ms": []}):
        answer = faulty.raw("POST", "/v1/test_helpers/faults", json=wrong)
        assert answer.status_code == 400
