"""Payment intents besides declines and authentication."""

from collections.abc import Callable

import pytest
import stripe

Pay = Callable[..., stripe.PaymentIntent]


def test_a_payment_is_charged_in_full_with_its_notes(client: stripe.V1Services, pay: Pay):
    intent = pay(
        "pm_card_tw",
        description="11 cups",
        metadata={"order": "A-1"},
        expand=["latest_charge.balance_transaction", "payment_method"],
    )

    assert (intent.status, intent.amount_received, intent.currency) == ("succeeded", 49900, "twd")
    charge = intent.latest_charge
    assert (charge.amount_captured, charge.paid, charge.captured) == (49900, True, True)
    assert (charge.description, charge.metadata.to_dict()) == ("11 cups", {"order": "A-1"})
    assert (charge.balance_transaction.amount, charge.balance_transaction.source) == (
        49900,
        charge.id,
    )
    assert intent.payment_method.card.country == "TW"


def test_hundredths_of_a_taiwan_dollar_can_be_charged_as_at_stripe(pay: Pay):
    assert pay(amount=49950).amount_received == 49950


def test_an_intent_without_a_card_cannot_be_confirmed(client: stripe.V1Services):
    intent = client.payment_intents.create({"amount": 100, "currency": "twd"})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.confirm(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert refused.value.error.payment_intent.id == intent.id


def test_what_succeeded_can_neither_be_confirmed_nor_canceled(client: stripe.V1Services, pay: Pay):
    intent = pay()

    for refused_call in (client.payment_intents.confirm, client.payment_intents.cancel):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            refused_call(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"


def test_a_canceled_intent_takes_no_payment(client: stripe.V1Services):
    intent = client.payment_intents.create({"amount": 100, "currency": "twd"})

    canceled = client.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at is not None
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


def test_automatic_methods_need_an_address_to_come_back_to(pay: Pay):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(payment_method_types=[])

    assert refused.value.param == "return_url"
    assert pay(payment_method_types=[], return_url="https://example.test/").status == "succeeded"


def test_an_unknown_customer_is_named_as_the_wrong_parameter(pay: Pay):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(customer="cus_nobody")

    assert (refused.value.http_status, refused.value.code, refused.value.param) == (
        400,
        "resource_missing",
        "customer",
    )
