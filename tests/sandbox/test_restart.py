"""What a restart and a kill leave standing."""

import signal
import sqlite3
from contextlib import closing

import pytest
import stripe

from tests.sandbox.provider import WEBHOOK_SECRET, Provider
from tests.sandbox.receiver import running_receiver

PAYMENT = {
    "amount": 49900,
    "currency": "twd",
    "confirm": True,
    "payment_method": "pm_card_visa",
    "payment_method_types": ["card"],
}


def test_objects_keys_declines_and_events_survive_a_kill(own_provider: Provider):
    own_provider.start()
    client = own_provider.client()
    intent = client.payment_intents.create(PAYMENT, {"idempotency_key": "paid"})
    declining = PAYMENT | {"payment_method": "pm_card_visa_chargeDeclined"}
    with pytest.raises(stripe.CardError) as declined:
        client.payment_intents.create(declining, {"idempotency_key": "declined"})
    events = [event.id for event in client.events.list({"limit": 100}).data]

    own_provider.stop(signal.SIGKILL)
    own_provider.start()

    client = own_provider.client()
    assert client.payment_intents.retrieve(intent.id).to_dict() == intent.to_dict()
    again = client.payment_intents.create(PAYMENT, {"idempotency_key": "paid"})
    assert again.id == intent.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.CardError) as still_declined:
        client.payment_intents.create(declining, {"idempotency_key": "declined"})
    assert still_declined.value.json_body == declined.value.json_body
    with pytest.raises(stripe.IdempotencyError):
        client.payment_intents.create(declining, {"idempotency_key": "paid"})
    assert [event.id for event in client.events.list({"limit": 100}).data] == events


def test_an_undelivered_webhook_is_delivered_after_a_restart_to_the_new_address(
    own_provider: Provider,
):
    own_provider.webhook_url = "http://127.0.0.1:9/nobody-listens"
    own_provider.start()
    intent = own_provider.client().payment_intents.create(PAYMENT)
    own_provider.stop(signal.SIGKILL)

    with running_receiver() as receiver:
        own_provider.webhook_url = receiver.url
        own_provider.start()
        (received, *_) = receiver.wait_for("payment_intent.succeeded", intent.id)
        own_provider.stop()

    assert received.event(WEBHOOK_SECRET).data.object["id"] == intent.id


def test_a_file_of_an_earlier_version_opens(own_provider: Provider):
    own_provider.start()
    intent = own_provider.client().payment_intents.create(PAYMENT, {"idempotency_key": "paid"})
    own_provider.stop()
    with closing(sqlite3.connect(own_provider.folder / "sandbox.sqlite3")) as file, file:
        file.execute(
            "ALTER TABLE idempotency_keys ADD COLUMN moved_money INTEGER NOT NULL DEFAULT 1"
        )

    own_provider.start()

    client = own_provider.client()
    assert client.payment_intents.create(PAYMENT, {"idempotency_key": "paid"}).id == intent.id
    assert client.payment_intents.create(PAYMENT, {"idempotency_key": "new"}).id != intent.id
    with closing(sqlite3.connect(own_provider.folder / "sandbox.sqlite3")) as file:
        assert "moved_money" not in str(file.execute("SELECT sql FROM sqlite_schema").fetchall())


def test_faults_survive_a_restart(own_provider: Provider):
    own_provider.start()
    own_provider.set_faults(fail_after_success=3)

    own_provider.stop()
    own_provider.start()

    shown = own_provider.raw("GET", "/v1/test_helpers/faults").json()
    assert shown["fail_after_success"] == 3
