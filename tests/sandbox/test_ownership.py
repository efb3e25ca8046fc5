"""Whose card it is, and how often it may be used."""

from collections.abc import Callable

import pytest
import stripe

Pay = Callable[..., stripe.PaymentIntent]
SaveCard = Callable[[str, str], str]


def test_a_customers_card_pays_for_that_customer_only(
    alice: stripe.Customer, bob: stripe.Customer, save_card: SaveCard, pay: Pay
):
    card = save_card("pm_card_visa", alice.id)

    for elsewhere in ({"customer": bob.id}, {}):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            pay(card, **elsewhere)
        assert refused.value.http_status == 400
        assert refused.value.param == "payment_method"
    assert pay(card, customer=alice.id).customer == alice.id


def test_a_refused_card_leaves_no_intent_behind(
    client: stripe.V1Services,
    alice: stripe.Customer,
    bob: stripe.Customer,
    save_card: SaveCard,
    pay: Pay,
):
    with pytest.raises(stripe.InvalidRequestError):
        pay(save_card("pm_card_visa", alice.id), customer=bob.id)

    assert client.payment_intents.list({"customer": bob.id}).data == []


def test_another_customers_card_is_refused_when_confirming(
    client: stripe.V1Services, alice: stripe.Customer, bob: stripe.Customer, save_card: SaveCard
):
    intent = client.payment_intents.create(
        {"amount": 100, "currency": "twd", "customer": bob.id, "payment_method_types": ["card"]}
    )

    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.confirm(
            intent.id, {"payment_method": save_card("pm_card_visa", alice.id)}
        )

    assert client.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_an_attached_card_cannot_be_attached_to_somebody_else(
    client: stripe.V1Services, alice: stripe.Customer, bob: stripe.Customer, save_card: SaveCard
):
    card = save_card("pm_card_visa", alice.id)

    with pytest.raises(stripe.InvalidRequestError):
        client.payment_methods.attach(card, {"customer": bob.id})

    assert client.payment_methods.attach(card, {"customer": alice.id}).customer == alice.id


def test_a_card_used_without_a_customer_is_spent(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    card = client.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    pay(card)

    with pytest.raises(stripe.InvalidRequestError):
        pay(card)
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_methods.attach(card, {"customer": alice.id})


def test_future_usage_attaches_the_card_to_the_customer(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    intent = pay("pm_card_visa", customer=alice.id, setup_future_usage="off_session")

    (card,) = client.customers.payment_methods.list(alice.id).data
    assert card.id == intent.payment_method


def test_without_future_usage_a_card_stays_unattached(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    pay("pm_card_visa", customer=alice.id)

    assert client.payment_methods.list({"customer": alice.id}).data == []


def test_off_session_only_an_attached_card_can_pay(alice: stripe.Customer, pay: Pay):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay("pm_card_visa", customer=alice.id, off_session=True)

    assert refused.value.param == "payment_method"


def test_a_detached_card_can_never_be_used_again(
    client: stripe.V1Services, alice: stripe.Customer, save_card: SaveCard, pay: Pay
):
    card = save_card("pm_card_visa", alice.id)
    client.customers.update(alice.id, {"invoice_settings": {"default_payment_method": card}})

    assert client.payment_methods.detach(card).customer is None

    assert client.customers.retrieve(alice.id).invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_methods.attach(card, {"customer": alice.id})
    with pytest.raises(stripe.InvalidRequestError):
        pay(card)
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_methods.detach(card)


def test_the_default_card_must_be_the_customers_own(
    client: stripe.V1Services, alice: stripe.Customer, bob: stripe.Customer, save_card: SaveCard
):
    card = save_card("pm_card_visa", alice.id)

    with pytest.raises(stripe.InvalidRequestError):
        client.customers.update(bob.id, {"invoice_settings": {"default_payment_method": card}})


def test_a_setup_intent_attaches_the_card(client: stripe.V1Services, alice: stripe.Customer):
    setup = client.setup_intents.create(
        {
            "customer": alice.id,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )

    done = client.setup_intents.confirm(setup.id, {"payment_method": "pm_card_mastercard"})

    assert (setup.status, done.status) == ("requires_payment_method", "succeeded")
    (card,) = client.payment_methods.list({"customer": alice.id, "type": "card"}).data
    assert (card.id, card.card.brand) == (done.payment_method, "mastercard")
