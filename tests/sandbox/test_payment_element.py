"""Payments that the shopper's own device completes: Payment Element, PaymentSheet, wallets."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.sandbox.provider import PUBLISHABLE_KEY, WEBHOOK_SECRET, Provider
from tests.sandbox.receiver import Receiver

CARD = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
Begin = Callable[..., stripe.PaymentIntent]


@pytest.fixture
def device(provider: Provider) -> "stripe.V1Services":
    """What the shopper's browser or phone may call."""
    return provider.client(PUBLISHABLE_KEY)


@pytest.fixture
def begin(client: stripe.V1Services, alice: stripe.Customer) -> Begin:
    """The server's part: an intent without a payment method."""

    def begin(**changes: Any) -> stripe.PaymentIntent:
        return client.payment_intents.create(
            {
                "amount": 49_900,
                "currency": "twd",
                "customer": alice.id,
                "automatic_payment_methods": {"enabled": True},
                "metadata": {"order": "A-1"},
                **changes,
            }
        )

    return begin


def confirm(
    device: stripe.V1Services, intent: stripe.PaymentIntent, **means: Any
) -> stripe.PaymentIntent:
    return device.payment_intents.confirm(
        intent.id,
        {
            "client_secret": str(intent.client_secret),
            "return_url": "https://example.test/paid",
            **means,
        },
    )


def test_the_device_pays_with_the_card_that_was_typed(
    client: stripe.V1Services, device: stripe.V1Services, receiver: Receiver, begin: Begin
):
    intent = begin()
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)

    paid = confirm(device, intent, payment_method_data={"type": "card", "card": CARD})

    assert paid.status == "succeeded"
    (told,) = receiver.wait_for("payment_intent.succeeded", intent.id)
    assert told.event(WEBHOOK_SECRET).data.object["metadata"]["order"] == "A-1"
    charge = client.charges.retrieve(str(paid.latest_charge))
    assert (charge.amount, charge.metadata.to_dict()) == (49_900, {"order": "A-1"})


def test_the_device_pays_with_a_method_it_made_before(device: stripe.V1Services, begin: Begin):
    method = device.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})

    assert confirm(device, begin(), payment_method=method.id).status == "succeeded"


@pytest.mark.parametrize("wallet", ["apple_pay", "google_pay"])
def test_the_device_pays_out_of_its_wallet(
    client: stripe.V1Services, device: stripe.V1Services, begin: Begin, wallet: str
):
    means = {"type": "card", "card": {"token": f"tok_visa_{wallet}"}}

    paid = confirm(device, begin(), payment_method_data=means)

    charge = client.charges.retrieve(str(paid.latest_charge))
    method = client.payment_methods.retrieve(str(paid.payment_method))
    assert charge.payment_method_details.card.wallet.type == wallet
    assert (method.card.wallet.type, method.card.last4) == (wallet, "4242")


def test_a_card_that_no_wallet_holds_says_so(
    client: stripe.V1Services, device: stripe.V1Services, begin: Begin
):
    paid = confirm(device, begin(), payment_method="pm_card_visa")

    assert client.payment_methods.retrieve(str(paid.payment_method)).card.wallet is None


def test_a_declined_card_leaves_the_intent_open_for_another(
    device: stripe.V1Services, begin: Begin
):
    intent = begin()
    declining = {"type": "card", "card": CARD | {"number": "4000000000009995"}}
    with pytest.raises(stripe.CardError) as declined:
        confirm(device, intent, payment_method_data=declining)

    paid = confirm(device, intent, payment_method="pm_card_visa")

    assert declined.value.error.decline_code == "insufficient_funds"
    assert paid.status == "succeeded"


def test_a_card_that_asks_for_its_holder_is_sent_to_the_bank(
    device: stripe.V1Services, provider: Provider, begin: Begin
):
    waiting = confirm(device, begin(), payment_method="pm_card_authenticationRequired")
    assert (waiting.status, waiting.next_action.type) == ("requires_action", "redirect_to_url")

    provider.authenticate(waiting.id, "succeed")

    shown = device.payment_intents.retrieve(
        waiting.id, {"client_secret": str(waiting.client_secret)}
    )
    assert shown.status == "succeeded"


def test_the_card_is_kept_for_later_when_the_intent_says_so(
    client: stripe.V1Services, device: stripe.V1Services, alice: stripe.Customer, begin: Begin
):
    paid = confirm(device, begin(setup_future_usage="off_session"), payment_method="pm_card_visa")

    (kept,) = client.payment_methods.list({"customer": alice.id}).data
    assert kept.id == paid.payment_method


def test_without_the_client_secret_the_device_may_do_nothing(
    client: stripe.V1Services, device: stripe.V1Services, begin: Begin
):
    intent, other = begin(), begin()

    for secret in ({}, {"client_secret": str(other.client_secret)}):
        with pytest.raises(stripe.InvalidRequestError):
            device.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", **secret})
    for refused in (
        lambda: begin_on(device),
        lambda: device.payment_intents.cancel(intent.id),
        device.payment_intents.list,
        lambda: device.refunds.create({"payment_intent": intent.id}),
        device.disputes.list,
    ):
        with pytest.raises(stripe.AuthenticationError):
            refused()
    assert client.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def begin_on(device: stripe.V1Services) -> stripe.PaymentIntent:
    return device.payment_intents.create({"amount": 100, "currency": "twd"})


def test_an_intent_given_up_takes_no_payment_from_the_device(
    client: stripe.V1Services, device: stripe.V1Services, begin: Begin
):
    intent = begin()
    client.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        confirm(device, intent, payment_method="pm_card_visa")

    assert refused.value.code == "payment_intent_unexpected_state"


def test_intents_are_listed_by_time_in_pages(own_provider: Provider):
    own_provider.start()
    client, made = own_provider.client(), []
    for minutes in range(6):
        own_provider.clock_file.write_text(f"{minutes * 60}")
        made.insert(0, client.payment_intents.create({"amount": 100, "currency": "twd"}))

    window = {"gte": made[4].created, "lt": made[0].created}
    first = client.payment_intents.list({"created": window, "limit": 2})
    everything = client.payment_intents.list({"created": window, "limit": 2}).auto_paging_iter()

    assert ([intent.id for intent in first.data], first.has_more) == (
        [intent.id for intent in made[1:3]],
        True,
    )
    assert [intent.id for intent in everything] == [intent.id for intent in made[1:5]]
