"""Keys: the secret one for everything, the publishable one for what a phone app does."""

from collections.abc import Callable

import httpx
import pytest
import stripe

from tests.sandbox.provider import PUBLISHABLE_KEY, SECRET_KEY, Provider

CARD = {"number": "4242424242424242", "exp_month": 9, "exp_year": 2034, "cvc": "314"}


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer sk_test_wrong", "Basic !!!", "Basic c2tfdGVzdDo=", "Digest x", "é"],
)
def test_without_the_right_key_nothing_is_answered(provider: Provider, authorization: str):
    answer = provider.raw("GET", "/v1/customers", headers={"Authorization": authorization.encode()})

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_library_sees_a_wrong_key_as_such(provider: Provider):
    with pytest.raises(stripe.AuthenticationError):
        provider.client("sk_test_wrong").customers.list()


def test_the_secret_key_is_accepted_as_the_name_of_basic_authentication(provider: Provider):
    answer = provider.raw("GET", "/v1/customers", headers={"Authorization": _basic(SECRET_KEY)})

    assert answer.status_code == 200


def _basic(name: str) -> str:
    request = httpx.Request("GET", "http://localhost")
    return next(httpx.BasicAuth(name, "").auth_flow(request)).headers["Authorization"]


def test_a_phone_app_can_make_a_card_and_confirm_with_the_client_secret(
    provider: Provider, client: stripe.V1Services
):
    app = provider.client(PUBLISHABLE_KEY)
    intent = client.payment_intents.create(
        {"amount": 100, "currency": "twd", "payment_method_types": ["card"]}
    )
    secret = {"client_secret": intent.client_secret}

    card = app.payment_methods.create({"type": "card", "card": CARD})
    confirmed = app.payment_intents.confirm(intent.id, secret | {"payment_method": card.id})

    assert confirmed.status == "succeeded"
    assert app.payment_intents.retrieve(intent.id, secret).status == "succeeded"


def test_a_phone_app_can_set_a_card_up_and_authenticate(
    provider: Provider, client: stripe.V1Services, alice: stripe.Customer
):
    app = provider.client(PUBLISHABLE_KEY)
    setup = client.setup_intents.create({"customer": alice.id, "payment_method_types": ["card"]})
    described = {"type": "card", "card": CARD | {"number": "4000002760003184"}}
    waiting = app.setup_intents.confirm(
        setup.id, {"client_secret": setup.client_secret, "payment_method_data": described}
    )

    done = provider.raw(
        "POST",
        f"/v1/test_helpers/setup_intents/{setup.id}/authenticate",
        key=PUBLISHABLE_KEY,
        data={"client_secret": setup.client_secret, "outcome": "succeed"},
    ).json()

    assert (waiting.status, done["status"]) == ("requires_action", "succeeded")
    assert len(client.payment_methods.list({"customer": alice.id}).data) == 1


@pytest.mark.parametrize("secret", [{}, {"client_secret": "pi_of_another_secret_x"}])
def test_an_intent_stays_closed_without_its_client_secret(
    provider: Provider, client: stripe.V1Services, secret: dict[str, str]
):
    app = provider.client(PUBLISHABLE_KEY)
    intent = client.payment_intents.create(
        {"amount": 100, "currency": "twd", "payment_method_types": ["card"]}
    )

    for attempt in (
        lambda: app.payment_intents.retrieve(intent.id, secret),
        lambda: app.payment_intents.confirm(intent.id, secret | {"payment_method": "pm_card_visa"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            attempt()
        assert refused.value.param == "client_secret"


def test_everything_else_needs_the_secret_key(
    provider: Provider, pay: Callable[..., stripe.PaymentIntent]
):
    app, intent = provider.client(PUBLISHABLE_KEY), pay()

    for attempt in (
        app.customers.list,
        lambda: app.payment_intents.create({"amount": 100, "currency": "twd"}),
        lambda: app.payment_intents.cancel(intent.id),
        lambda: app.refunds.create({"payment_intent": intent.id}),
        app.events.list,
    ):
        with pytest.raises(stripe.AuthenticationError) as refused:
            attempt()
        assert refused.value.error.code == "secret_key_required"
    assert provider.raw("GET", "/v1/test_helpers/faults", key=PUBLISHABLE_KEY).status_code == 401
