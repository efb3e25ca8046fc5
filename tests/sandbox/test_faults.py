"""Faults on demand."""

import signal
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
import stripe

from tests.sandbox.provider import WEBHOOK_SECRET, Provider
from tests.sandbox.receiver import WAIT_SECONDS, Receiver, running_receiver

Pay = Callable[..., stripe.PaymentIntent]


def order_about(receiver: Receiver, intent: stripe.PaymentIntent) -> list[str]:
    """The types of the deliveries about an intent and its charge, as they came."""
    events = [delivery.event(WEBHOOK_SECRET) for delivery in list(receiver.deliveries)]
    about = {intent.id, intent.latest_charge}
    return [event.type for event in events if event.data.object["id"] in about]


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


def test_the_answer_to_every_change_can_be_lost(
    client: stripe.V1Services, faulty: Provider, alice: stripe.Customer, pay: Pay
):
    paid = pay(customer=alice.id)
    unpaid = client.payment_intents.create({"amount": 100, "currency": "twd"})
    abandoned = client.payment_intents.create({"amount": 100, "currency": "twd"})
    confirmed = {"payment_method": "pm_card_visa", "return_url": "https://example.test/"}
    changes: list[Callable[[], object]] = [
        lambda: client.customers.create({"name": "Bob"}),
        lambda: client.payment_intents.create({"amount": 100, "currency": "twd"}),
        lambda: client.payment_intents.confirm(unpaid.id, confirmed),  # type: ignore[arg-type]
        lambda: client.payment_intents.cancel(abandoned.id),
        lambda: client.refunds.create({"payment_intent": paid.id}),
        lambda: client.setup_intents.create({"customer": alice.id}),
    ]
    faulty.set_faults(fail_after_success=len(changes))

    for change in changes:
        with pytest.raises(stripe.APIError):
            change()

    assert client.customers.list({"limit": 1}).data[0].name == "Bob"
    assert client.payment_intents.retrieve(unpaid.id).status == "succeeded"
    assert client.payment_intents.retrieve(abandoned.id).status == "canceled"
    assert client.charges.retrieve(str(paid.latest_charge)).refunded
    assert len(client.setup_intents.list({"customer": alice.id}).data) == 1


def test_only_answers_to_changes_that_succeeded_are_lost(
    client: stripe.V1Services, faulty: Provider, alice: stripe.Customer, pay: Pay
):
    faulty.set_faults(fail_after_success=1)

    assert client.customers.retrieve(alice.id).id == alice.id
    with pytest.raises(stripe.CardError):
        pay("pm_card_visa_chargeDeclined")
    with pytest.raises(stripe.APIError):
        client.customers.create({})
    assert client.customers.create({}).id


def test_a_call_that_fails_before_leaves_nothing_behind(
    client: stripe.V1Services, faulty: Provider, alice: stripe.Customer, pay: Pay
):
    key = str(uuid4())
    faulty.set_faults(fail_before=2)

    with pytest.raises(stripe.APIError) as failed:
        pay(customer=alice.id, idempotency_key=key)
    with pytest.raises(stripe.APIError):
        client.customers.retrieve(alice.id)

    assert failed.value.http_status == 500
    assert client.charges.list({"customer": alice.id}).data == []
    paid = pay(customer=alice.id, idempotency_key=key)
    assert "Idempotent-Replayed" not in paid.last_response.headers


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


def test_a_dropped_event_is_listed_and_never_delivered(
    client: stripe.V1Services, faulty: Provider, receiver: Receiver
):
    faulty.set_faults(drop_events=1)

    lost, told = client.customers.create({}), client.customers.create({})

    receiver.wait_for("customer.created", told.id)
    assert receiver.about("customer.created", lost.id) == []
    listed = client.events.list({"type": "customer.created", "limit": 2}).data
    assert [event.data.object["id"] for event in listed] == [told.id, lost.id]
    assert listed[1].pending_webhooks == 0


def test_events_overtake_each_other(faulty: Provider, receiver: Receiver, pay: Pay):
    faulty.set_faults(reorder_events=2)

    intent = pay()

    receiver.wait_for("charge.succeeded", str(intent.latest_charge))
    assert order_about(receiver, intent) == [
        "payment_intent.succeeded",
        "payment_intent.created",
        "charge.succeeded",
    ]


def test_events_that_nothing_follows_are_not_held_for_ever(
    faulty: Provider, receiver: Receiver, pay: Pay
):
    faulty.set_faults(reorder_events=3)

    intent = pay()

    receiver.wait_for("charge.succeeded", str(intent.latest_charge))
    assert order_about(receiver, intent) == [
        "payment_intent.succeeded",
        "payment_intent.created",
        "charge.succeeded",
    ]


def test_events_can_come_late(client: stripe.V1Services, faulty: Provider, receiver: Receiver):
    faulty.set_faults(delay_events_ms=400)
    started = time.monotonic()

    customer = client.customers.create({})

    receiver.wait_for("customer.created", customer.id)
    assert time.monotonic() - started >= 0.4


def test_copies_of_an_event_arrive_at_the_same_time(client: stripe.V1Services, faulty: Provider):
    with running_receiver() as receiver, receiver.meeting_of(5) as met:
        endpoint = client.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["customer.created"]}
        )
        faulty.set_faults(parallel_events=1)
        customer = client.customers.create({})

        copies = receiver.wait_for("customer.created", customer.id, times=5)

        assert met.wait(WAIT_SECONDS)
        client.webhook_endpoints.delete(endpoint.id)
    assert len({copy.event(str(endpoint.secret)).id for copy in copies}) == 1


def test_of_parallel_copies_that_were_refused_one_comes_again(
    client: stripe.V1Services, faulty: Provider
):
    with running_receiver() as receiver:
        endpoint = client.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["customer.created"]}
        )
        receiver.refusals = 5
        faulty.set_faults(parallel_events=1)
        customer = client.customers.create({})

        receiver.wait_for("customer.created", customer.id, times=6)
        event = client.events.list({"type": "customer.created", "limit": 1}).data[0]

        time.sleep(0.6)
        assert len(receiver.about("customer.created", customer.id)) == 6
        assert client.events.retrieve(event.id).pending_webhooks == 0
        client.webhook_endpoints.delete(endpoint.id)


def test_held_events_survive_a_kill(own_provider: Provider):
    with running_receiver() as receiver:
        own_provider.webhook_url = receiver.url
        own_provider.start()
        own_provider.set_faults(delay_events_ms=1_000)
        customer = own_provider.client().customers.create({})
        own_provider.stop(signal.SIGKILL)
        assert receiver.deliveries == []

        own_provider.start()

        receiver.wait_for("customer.created", customer.id)
        own_provider.stop()


def test_faults_can_be_read_and_out_of_range_ones_are_refused(faulty: Provider):
    faulty.set_faults(latency_ms=1, terminal_taps=0)

    shown = faulty.raw("GET", "/v1/test_helpers/faults").json()
    assert shown["latency_ms"] == 1
    assert (shown["fail_after_success"], shown["terminal_taps"]) == (0, 0)
    for wrong in ({"latency_ms": -1}, {"latency_ms": 10**9}, {"unheard_of": 1}, {"latency_ms": []}):
        answer = faulty.raw("POST", "/v1/test_helpers/faults", json=wrong)
        assert answer.status_code == 400


def test_everything_works_again_after_a_reset(faulty: Provider):
    faulty.set_faults(latency_ms=1, drop_events=3, terminal_taps=0)

    shown = faulty.raw("DELETE", "/v1/test_helpers/faults").json()

    assert (shown["latency_ms"], shown["drop_events"], shown["terminal_taps"]) == (0, 0, 1)
