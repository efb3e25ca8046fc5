"""Cards whose issuer wants to see the cardholder."""

from collections.abc import Callable

import pytest
import stripe

from tests.sandbox.provider import Provider

Pay = Callable[..., stripe.PaymentIntent]
SaveCard = Callable[[str, str], str]
ALWAYS, ON_SETUP = "pm_card_authenticationRequired", "pm_card_authenticationRequiredOnSetup"


def set_up(client: stripe.V1Services, provider: Provider, token: str, customer_id: str) -> str:
    """Save a card through a setup intent, authenticated where it asks; answers its id."""
    intent = client.setup_intents.create(
        {
            "customer": customer_id,
            "payment_method": token,
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    if intent.status == "requires_action":
        assert intent.next_action is not None
        provider.authenticate(intent.id, "succeed")
    done = client.setup_intents.retrieve(intent.id)
    assert done.status == "succeeded"
    assert isinstance(done.payment_method, str)
    return done.payment_method


@pytest.mark.parametrize("token", [ALWAYS, ON_SETUP])
def test_on_session_the_intent_asks_for_action_and_succeeds_once_it_is_taken(
    client: stripe.V1Services, provider: Provider, pay: Pay, token: str
):
    waiting = pay(token, return_url="https://example.test/back")
    assert waiting.status == "requires_action"
    assert waiting.next_action.type == "redirect_to_url"
    assert waiting.next_action.redirect_to_url.return_url == "https://example.test/back"
    assert waiting.latest_charge is None

    provider.authenticate(waiting.id, "succeed")

    paid = client.payment_intents.retrieve(waiting.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.next_action) == ("succeeded", None)
    secured = paid.latest_charge.payment_method_details.card.three_d_secure
    assert secured.result == "authenticated"


def test_a_failed_authentication_asks_for_another_card(
    client: stripe.V1Services, provider: Provider, pay: Pay
):
    waiting = pay(ALWAYS)

    provider.authenticate(waiting.id, "fail")

    failed = client.payment_intents.retrieve(waiting.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert failed.latest_charge is None
    again = client.payment_intents.confirm(failed.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


def test_only_an_intent_that_waits_can_be_authenticated(provider: Provider, pay: Pay):
    answer = provider.raw("POST", f"/v1/test_helpers/payment_intents/{pay().id}/authenticate")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "payment_intent_unexpected_state"


def test_off_session_the_payment_fails_and_can_be_rescued_on_session(
    client: stripe.V1Services,
    provider: Provider,
    alice: stripe.Customer,
    save_card: SaveCard,
    pay: Pay,
):
    card = save_card(ALWAYS, alice.id)

    with pytest.raises(stripe.CardError) as refused:
        pay(card, customer=alice.id, off_session=True)

    error = refused.value.error
    assert refused.value.http_status == 402
    assert (error.code, error.decline_code) == (
        "authentication_required",
        "authentication_required",
    )
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_method.id == card
    rescued = client.payment_intents.confirm(error.payment_intent.id, {"payment_method": card})
    assert rescued.status == "requires_action"
    assert provider.authenticate(rescued.id, "succeed")["status"] == "succeeded"


def test_a_card_set_up_for_off_session_needs_no_cardholder_there(
    client: stripe.V1Services, provider: Provider, alice: stripe.Customer, pay: Pay
):
    card = set_up(client, provider, ON_SETUP, alice.id)

    assert pay(card, customer=alice.id, off_session=True).status == "succeeded"
    assert pay(card, customer=alice.id).status == "requires_action"


def test_a_card_merely_attached_needs_the_cardholder_off_session(
    alice: stripe.Customer, save_card: SaveCard, pay: Pay
):
    card = save_card(ON_SETUP, alice.id)

    with pytest.raises(stripe.CardError) as refused:
        pay(card, customer=alice.id, off_session=True)

    assert refused.value.code == "authentication_required"


def test_a_first_payment_with_future_usage_sets_the_card_up(
    client: stripe.V1Services, provider: Provider, alice: stripe.Customer, pay: Pay
):
    first = pay(ON_SETUP, customer=alice.id, setup_future_usage="off_session")
    provider.authenticate(first.id, "succeed")
    card = client.payment_intents.retrieve(first.id).payment_method
    assert isinstance(card, str)

    renewal = pay(card, customer=alice.id, off_session=True)

    assert renewal.status == "succeeded"
    assert client.payment_methods.retrieve(card).customer == alice.id


def test_a_card_that_always_asks_does_so_even_after_set_up(
    client: stripe.V1Services, provider: Provider, alice: stripe.Customer, pay: Pay
):
    card = set_up(client, provider, ALWAYS, alice.id)

    with pytest.raises(stripe.CardError) as refused:
        pay(card, customer=alice.id, off_session=True)

    assert refused.value.code == "authentication_required"


def test_a_card_set_up_elsewhere_asks_on_session_only(
    alice: stripe.Customer, save_card: SaveCard, pay: Pay
):
    card = save_card("pm_card_authenticationRequiredSetupForOffSession", alice.id)

    assert pay(card, customer=alice.id, off_session=True).status == "succeeded"
    assert pay(card, customer=alice.id).status == "requires_action"


def test_a_decline_after_authentication_is_told_by_the_intent(
    client: stripe.V1Services, provider: Provider, pay: Pay
):
    waiting = pay("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")

    provider.authenticate(waiting.id, "succeed")

    failed = client.payment_intents.retrieve(waiting.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error.decline_code == "insufficient_funds"


def test_a_failed_authentication_of_a_setup_leaves_the_card_unattached(
    client: stripe.V1Services, provider: Provider, alice: stripe.Customer
):
    setup = client.setup_intents.create(
        {"customer": alice.id, "payment_method": ALWAYS, "payment_method_types": ["card"]}
    )
    waiting = client.setup_intents.confirm(setup.id)
    assert waiting.status == "requires_action"

    provider.authenticate(setup.id, "fail")

    failed = client.setup_intents.retrieve(setup.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    assert client.payment_methods.list({"customer": alice.id}).data == []
