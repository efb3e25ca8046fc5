"""Events and their signed webhooks."""

from collections.abc import Callable

import pytest
import stripe

from tests.sandbox.provider import WEBHOOK_SECRET, Provider
from tests.sandbox.receiver import Receiver, running_receiver
from tests.sandbox.told import types_about

Pay = Callable[..., stripe.PaymentIntent]


def test_a_paid_intent_tells_of_itself_in_order(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    intent = pay(customer=alice.id, setup_future_usage="off_session")
    refund = client.refunds.create({"payment_intent": intent.id})
    client.refunds.update(refund.id, {"metadata": {"seen": "yes"}})

    assert types_about(client, alice.id) == ["customer.created"]
    assert types_about(client, str(intent.payment_method)) == ["payment_method.attached"]
    assert types_about(client, intent.id) == [
        "payment_intent.created",
        "payment_intent.succeeded",
    ]
    assert types_about(client, str(intent.latest_charge)) == [
        "charge.succeeded",
        "charge.refunded",
    ]
    assert types_about(client, refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
    ]


def test_failed_attempts_and_authentications_tell_of_themselves(
    client: stripe.V1Services, provider: Provider, pay: Pay
):
    with pytest.raises(stripe.CardError) as refused:
        pay("pm_card_visa_chargeDeclined")
    failed = refused.value.error
    client.payment_intents.confirm(
        failed.payment_intent.id, {"payment_method": "pm_card_authenticationRequired"}
    )
    client.payment_intents.cancel(failed.payment_intent.id)

    assert types_about(client, failed.charge) == ["charge.failed"]
    assert types_about(client, failed.payment_intent.id) == [
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.canceled",
    ]


def test_a_setup_tells_of_itself(client: stripe.V1Services, alice: stripe.Customer):
    setup = client.setup_intents.create(
        {
            "customer": alice.id,
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )

    assert types_about(client, setup.id) == ["setup_intent.created", "setup_intent.succeeded"]


def test_events_can_be_listed_by_type_and_time_and_fetched(client: stripe.V1Services, pay: Pay):
    intent = pay()

    (event,) = client.events.list(
        {
            "type": "payment_intent.succeeded",
            "created": {"gte": intent.created},
            "limit": 1,
        }
    ).data

    assert event.data.object["id"] == intent.id
    assert event.request.id == intent.last_response.request_id
    assert client.events.retrieve(event.id).data.object["status"] == "succeeded"


def test_an_event_keeps_the_object_as_it_was(client: stripe.V1Services, pay: Pay):
    intent = pay()

    (created,) = [
        event
        for event in client.events.list({"type": "payment_intent.created", "limit": 5}).data
        if event.data.object["id"] == intent.id
    ]

    assert created.data.object["status"] == "requires_confirmation"


def test_every_event_is_posted_with_a_signature_that_the_library_accepts(
    receiver: Receiver, pay: Pay
):
    intent = pay(idempotency_key="signed webhooks")

    (received,) = receiver.wait_for("payment_intent.succeeded", intent.id)

    event = received.event(WEBHOOK_SECRET)
    assert event.type == "payment_intent.succeeded"
    assert event.data.object["id"] == intent.id
    assert event.request.idempotency_key == "signed webhooks"
    with pytest.raises(stripe.SignatureVerificationError):
        received.event("whsec_of_somebody_else")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(
            received.payload.replace(b"49900", b"49901"), received.signature, WEBHOOK_SECRET
        )


def test_a_refused_webhook_comes_again(client: stripe.V1Services, pay: Pay):
    with running_receiver() as receiver:
        endpoint = client.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["charge.succeeded"]}
        )
        receiver.refusals = 2
        intent = pay()

        deliveries = receiver.wait_for("charge.succeeded", str(intent.latest_charge), times=3)

        client.webhook_endpoints.delete(endpoint.id)
    assert len({d.event(str(endpoint.secret)).id for d in deliveries}) == 1
    assert receiver.about("payment_intent.succeeded", intent.id) == []


def test_an_endpoint_shows_its_secret_once(client: stripe.V1Services):
    endpoint = client.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/", "enabled_events": ["refund.failed"]}
    )

    listed = {known.id: known for known in client.webhook_endpoints.list().data}

    assert str(endpoint.secret).startswith("whsec_")
    assert "secret" not in listed[endpoint.id].to_dict()
    assert client.webhook_endpoints.delete(endpoint.id).deleted


def test_a_declined_charge_and_its_events_stand_together(
    client: stripe.V1Services, receiver: Receiver, pay: Pay
):
    with pytest.raises(stripe.CardError) as refused:
        pay("pm_card_visa_chargeDeclined")

    (received,) = receiver.wait_for("charge.failed", refused.value.error.charge)

    assert received.event(WEBHOOK_SECRET).data.object["paid"] is False
