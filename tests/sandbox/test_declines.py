"""Cards that are refused, as Stripe documents them."""

from collections.abc import Callable

import pytest
import stripe

from sandbox.cards import by_number, find_by_token
from tests.sandbox.provider import Provider

Pay = Callable[..., stripe.PaymentIntent]

DECLINES = [
    ("4000000000000002", "chargeDeclined", "card_declined", "generic_decline"),
    ("4000000000009995", "chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("4000000000009987", "chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("4000000000009979", "chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("4000000000000069", "chargeDeclinedExpiredCard", "expired_card", None),
    ("4000000000000127", "chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ("4000000000000119", "chargeDeclinedProcessingError", "processing_error", None),
]


@pytest.mark.parametrize(
    ("number", "code", "decline_code"), [(number, *codes) for number, _, *codes in DECLINES]
)
def test_a_declining_card_leaves_a_failed_charge_and_an_intent_to_try_again(
    client: stripe.V1Services,
    pay: Pay,
    number: str,
    code: str,
    decline_code: str | None,
):
    card = client.payment_methods.create(
        {
            "type": "card",
            "card": {"number": number, "exp_month": 9, "exp_year": 2034, "cvc": "314"},
        }
    )
    with pytest.raises(stripe.CardError) as refused:
        pay(card.id)

    error = refused.value.error
    assert (refused.value.http_status, error.type) == (402, "card_error")
    assert (error.code, error.decline_code) == (code, decline_code)
    assert error.payment_method.id == card.id
    intent = client.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert intent.status == "requires_payment_method"
    assert intent.payment_method is None
    assert intent.last_payment_error.code == code
    assert intent.latest_charge.id == error.charge
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)
    assert intent.latest_charge.failure_code == code


@pytest.mark.parametrize(("number", "token"), [decline[:2] for decline in DECLINES])
def test_a_declining_card_has_a_token_with_and_without_its_brand(number: str, token: str):
    card = by_number(number)

    assert find_by_token(f"pm_card_{token}") is card
    assert find_by_token(f"pm_card_visa_{token}") is card
    assert find_by_token(f"tok_{token}") is card


def test_a_declining_card_cannot_be_attached_and_leaves_no_trace(
    client: stripe.V1Services, alice: stripe.Customer
):
    with pytest.raises(stripe.CardError) as refused:
        client.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": alice.id})

    assert refused.value.error.decline_code == "generic_decline"
    assert client.payment_methods.list({"customer": alice.id}).data == []


def test_a_declining_card_cannot_be_set_up(client: stripe.V1Services, alice: stripe.Customer):
    with pytest.raises(stripe.CardError) as refused:
        client.setup_intents.create(
            {
                "customer": alice.id,
                "payment_method": "pm_card_chargeDeclinedInsufficientFunds",
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )

    setup = client.setup_intents.retrieve(refused.value.error.setup_intent.id)
    assert setup.status == "requires_payment_method"
    assert setup.last_setup_error.decline_code == "insufficient_funds"


def test_the_card_that_fails_after_attaching_attaches_and_then_declines(
    client: stripe.V1Services,
    alice: stripe.Customer,
    save_card: Callable[[str, str], str],
    pay: Pay,
):
    card = save_card("pm_card_chargeCustomerFail", alice.id)

    with pytest.raises(stripe.CardError) as refused:
        pay(card, customer=alice.id, off_session=True)

    assert refused.value.error.decline_code == "generic_decline"
    assert client.payment_methods.retrieve(card).customer == alice.id


def test_a_declined_intent_can_be_paid_with_another_card(client: stripe.V1Services, pay: Pay):
    with pytest.raises(stripe.CardError) as refused:
        pay("pm_card_visa_chargeDeclined")

    paid = client.payment_intents.confirm(
        refused.value.error.payment_intent.id, {"payment_method": "pm_card_visa"}
    )

    assert (paid.status, paid.amount_received, paid.last_payment_error) == (
        "succeeded",
        49900,
        None,
    )


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"number": "4111111111111111"}, "card_declined"),
        ({"number": "４２４２"}, "incorrect_number"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 2001}, "invalid_expiry_year"),
        ({"cvc": "12"}, "invalid_cvc"),
    ],
)
def test_details_that_are_no_valid_test_card_are_refused(
    client: stripe.V1Services, card: dict[str, object], code: str
):
    valid = {"number": "4242424242424242", "exp_month": 9, "exp_year": 2034, "cvc": "314"}

    with pytest.raises(stripe.CardError) as refused:
        client.payment_methods.create({"type": "card", "card": valid | card})

    assert refused.value.code == code


def test_an_unknown_token_is_no_card(provider: Provider):
    answer = provider.raw(
        "POST",
        "/v1/payment_methods",
        data={"type": "card", "card[token]": "tok_unheard_of"},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "resource_missing"
