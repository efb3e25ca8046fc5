"""One sandbox for the session, further ones for tests that stop it, and shorthands."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox.provider import Provider
from tests.sandbox.receiver import Receiver, running_receiver


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Takes the webhooks of the session's sandbox."""
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def provider(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The sandbox of this test process."""
    provider = Provider(tmp_path_factory.mktemp("sandbox"), webhook_url=receiver.url)
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def own_provider(tmp_path: Path) -> Iterator[Provider]:
    """A sandbox for one test, not yet started."""
    provider = Provider(tmp_path)
    yield provider
    provider.stop()


@pytest.fixture
def faulty(provider: Provider) -> Iterator[Provider]:
    """The session's sandbox, whole again afterwards."""
    yield provider
    provider.reset_faults()


@pytest.fixture
def client(provider: Provider) -> "stripe.V1Services":
    return provider.client()


@pytest.fixture
def alice(client: "stripe.V1Services") -> stripe.Customer:
    return client.customers.create({"name": "Alice"})


@pytest.fixture
def bob(client: "stripe.V1Services") -> stripe.Customer:
    return client.customers.create({"name": "Bob"})


@pytest.fixture
def pay(client: "stripe.V1Services") -> Callable[..., stripe.PaymentIntent]:
    """Pay 499 TWD by card, at once; keywords change the request."""

    def pay(payment_method: str = "pm_card_visa", **changes: Any) -> stripe.PaymentIntent:
        options = {"idempotency_key": changes.pop("idempotency_key", None)}
        return client.payment_intents.create(
            {
                "amount": 49900,
                "currency": "twd",
                "confirm": True,
                "payment_method": payment_method,
                "payment_method_types": ["card"],
                **changes,
            },
            {key: text for key, text in options.items() if text},
        )

    return pay


@pytest.fixture
def save_card(client: "stripe.V1Services") -> Callable[[str, str], str]:
    """Attach a test card to a customer without setting it up; answers its id."""

    def save_card(token: str, customer_id: str) -> str:
        return client.payment_methods.attach(token, {"customer": customer_id}).id

    return save_card
