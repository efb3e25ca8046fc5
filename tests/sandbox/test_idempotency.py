"""Idempotency keys: the first answer is the answer."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
import stripe

from tests.sandbox.provider import Provider

Pay = Callable[..., stripe.PaymentIntent]


def test_the_same_key_and_parameters_give_the_same_answer_and_charge_once(
    client: stripe.V1Services,
    alice: stripe.Customer,
    save_card: Callable[[str, str], str],
    pay: Pay,
):
    card, key = save_card("pm_card_visa", alice.id), str(uuid4())

    first = pay(card, customer=alice.id, idempotency_key=key)
    second = pay(card, customer=alice.id, idempotency_key=key)

    assert second.to_dict() == first.to_dict()
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Original-Request"] == first.last_response.request_id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(client.payment_intents.list({"customer": alice.id}).data) == 1


def test_the_same_key_with_other_parameters_is_an_idempotency_error(pay: Pay):
    key = str(uuid4())
    pay(idempotency_key=key)

    with pytest.raises(stripe.IdempotencyError) as refused:
        pay(idempotency_key=key, amount=50000)

    assert refused.value.http_status == 400
    assert refused.value.error.type == "idempotency_error"


def test_the_same_key_at_another_endpoint_is_an_idempotency_error(
    client: stripe.V1Services, pay: Pay
):
    key = str(uuid4())
    pay(idempotency_key=key)

    with pytest.raises(stripe.IdempotencyError):
        client.customers.create({}, {"idempotency_key": key})


def test_a_decline_is_given_again_without_a_second_attempt(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    declined = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            pay("pm_card_visa_chargeDeclined", customer=alice.id, idempotency_key=alice.id)
        declined.append(refused.value)

    first, second = declined
    assert second.http_status == 402
    assert second.json_body == first.json_body
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(client.charges.list({"customer": alice.id}).data) == 1


def test_a_refusal_after_execution_began_is_kept(client: stripe.V1Services, pay: Pay):
    intent, key = pay(), str(uuid4())
    client.refunds.create({"payment_intent": intent.id})

    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.refunds.create({"payment_intent": intent.id}, {"idempotency_key": key})
        assert refused.value.code == "charge_already_refunded"
        assert refused.value.headers.get("Idempotent-Replayed") == replayed


def test_a_request_that_fails_validation_leaves_its_key_unused(client: stripe.V1Services, pay: Pay):
    key = str(uuid4())
    with pytest.raises(stripe.InvalidRequestError):
        pay(idempotency_key=key, amount=-1)

    intent = pay(idempotency_key=key)

    assert intent.status == "succeeded"
    assert "Idempotent-Replayed" not in intent.last_response.headers


def test_a_key_in_use_is_a_conflict_worth_retrying(faulty: Provider, pay: Pay):
    key, paid, refused = str(uuid4()), list[str](), list[stripe.StripeError]()

    def attempt() -> None:
        try:
            paid.append(pay(idempotency_key=key).id)
        except stripe.StripeError as error:
            refused.append(error)

    faulty.set_faults(latency_ms=1000)  # so that the two overlap
    attempts = [threading.Thread(target=attempt) for _ in range(2)]
    for each in attempts:
        each.start()
    for each in attempts:
        each.join()
    faulty.set_faults(latency_ms=0)

    (conflict,) = refused
    assert conflict.http_status == 409
    assert conflict.error.code == "idempotency_key_in_use"
    assert conflict.headers["Stripe-Should-Retry"] == "true"
    assert paid == [pay(idempotency_key=key).id]


def test_racing_requests_with_one_key_charge_once(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    outcomes = list[str]()

    def race() -> None:
        try:
            outcomes.append(pay(customer=alice.id, idempotency_key=alice.id).id)
        except stripe.StripeError as error:
            outcomes.append(str(error.error.code))

    racers = [threading.Thread(target=race) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    (intent,) = client.payment_intents.list({"customer": alice.id}).data
    assert set(outcomes) <= {intent.id, "idempotency_key_in_use"}
    assert intent.id in outcomes


def test_a_key_is_forgotten_after_a_day(own_provider: Provider):
    own_provider.start()
    customers = own_provider.client().customers
    first = customers.create({}, {"idempotency_key": "once a day"})
    own_provider.clock_file.write_text(f"{23 * 3600}")
    within = customers.create({}, {"idempotency_key": "once a day"})
    own_provider.clock_file.write_text(f"{25 * 3600}")

    later = customers.create({}, {"idempotency_key": "once a day"})

    assert within.id == first.id
    assert later.id != first.id
