"""The payment provider's events over HTTP."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from payments.models import ProviderEvent
from tests.events import event, sealed, signed
from tests.fakes import FakeGateway, fake_provider

HERE = "/v1/webhooks/stripe"


@pytest.fixture(autouse=True)
def provider(app: Flask) -> Iterator[FakeGateway]:
    with fake_provider() as fake:
        yield fake


def send(client: FlaskClient, body: bytes, signature: str) -> TestResponse:
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
    return client.post(HERE, data=body, headers=headers)


def kept() -> int:
    with transaction():
        return db.session.query(ProviderEvent).count()


def assert_refused(answer: TestResponse) -> None:
    assert (answer.status_code, answer.get_json()["reason"]) == (400, "signature-invalid")
    assert kept() == 0


def test_a_signed_event_is_kept_and_answered_at_once(
    client: FlaskClient, provider: FakeGateway
) -> None:
    body, signature = signed(event("payment_intent.succeeded", "pi_1"), at=clock.now())
    for _ in range(2):
        answer = send(client, body, signature)
        assert (answer.status_code, answer.get_json()) == (200, {"received": True})
    assert kept() == 1
    assert provider.calls == []


def test_no_signature_is_refused(client: FlaskClient) -> None:
    body, _ = signed(event("payment_intent.succeeded", "pi_1"), at=clock.now())
    assert_refused(client.post(HERE, data=body, content_type="application/json"))


@pytest.mark.parametrize("off", [timedelta(seconds=-302), timedelta(seconds=62)])
def test_a_stale_or_future_event_is_refused(client: FlaskClient, off: timedelta) -> None:
    body, signature = signed(event("payment_intent.succeeded", "pi_1"), at=clock.now() + off)
    assert_refused(send(client, body, signature))


def test_a_signature_that_is_not_ascii_is_refused(client: FlaskClient) -> None:
    body, signature = signed(event("payment_intent.succeeded", "pi_1"), at=clock.now())
    assert_refused(send(client, body, signature + "\u00f1"))


@pytest.mark.parametrize("body", [b"[]", b"null", b"", b"\xff", b"{", b"[" * 100_000])
def test_a_signed_body_that_is_no_event_is_refused(client: FlaskClient, body: bytes) -> None:
    assert_refused(send(client, body, sealed(body, at=clock.now())))


def test_a_large_event_passes_and_a_larger_one_does_not(client: FlaskClient) -> None:
    what = event("payment_intent.succeeded", "pi_1")
    what["padding"] = "x" * 500_000
    body, signature = signed(what, at=clock.now())
    assert send(client, body, signature).status_code == 200
    what["padding"] = "x" * 530_000
    body, signature = signed(what, at=clock.now())
    assert send(client, body, signature).status_code == 413
