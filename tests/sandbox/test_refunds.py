"""Refunds and their ceiling."""

import threading
from collections.abc import Callable

import pytest
import stripe

Pay = Callable[..., stripe.PaymentIntent]


def test_parts_can_be_refunded_up_to_the_whole(client: stripe.V1Services, pay: Pay):
    intent = pay()

    part = client.refunds.create({"payment_intent": intent.id, "amount": 9900})
    rest = client.refunds.create({"charge": part.charge, "reason": "requested_by_customer"})

    assert (part.amount, part.status) == (9900, "succeeded")
    assert (rest.amount, rest.reason) == (40000, "requested_by_customer")
    charge = client.charges.retrieve(part.charge)
    assert (charge.amount_refunded, charge.refunded) == (49900, True)
    assert [refund.id for refund in charge.refunds.data] == [rest.id, part.id]
    listed = client.refunds.list({"payment_intent": intent.id}).data
    assert [refund.id for refund in listed] == [rest.id, part.id]


def test_more_than_is_left_is_refused(client: stripe.V1Services, pay: Pay):
    intent = pay()
    client.refunds.create({"payment_intent": intent.id, "amount": 40000})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"payment_intent": intent.id, "amount": 9901})

    assert refused.value.param == "amount"
    assert "99.01 TWD" in str(refused.value)
    assert "99.00 TWD" in str(refused.value)
    assert client.charges.retrieve(intent.latest_charge).amount_refunded == 40000


def test_a_refunded_charge_is_refused_by_its_code(client: stripe.V1Services, pay: Pay):
    intent = pay()
    client.refunds.create({"payment_intent": intent.id})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"payment_intent": intent.id, "amount": 1})

    assert refused.value.code == "charge_already_refunded"


def test_racing_refunds_never_return_more_than_was_taken(client: stripe.V1Services, pay: Pay):
    intent, returned = pay(), list[int]()

    def refund() -> None:
        try:
            made = client.refunds.create({"payment_intent": intent.id, "amount": 20000})
            returned.append(made.amount)
        except stripe.InvalidRequestError:
            returned.append(0)

    racers = [threading.Thread(target=refund) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert sorted(returned) == [0, 0, 0, 0, 20000, 20000]
    assert client.charges.retrieve(intent.latest_charge).amount_refunded == 40000


def test_what_was_not_paid_cannot_be_refunded(client: stripe.V1Services, pay: Pay):
    with pytest.raises(stripe.CardError) as declined:
        pay("pm_card_visa_chargeDeclined")
    unpaid = client.payment_intents.create({"amount": 100, "currency": "twd"})

    for target in (
        {"charge": declined.value.error.charge},
        {"payment_intent": declined.value.error.payment_intent.id},
        {"payment_intent": unpaid.id},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            client.refunds.create(target)


def test_a_refund_names_one_charge_or_one_intent(client: stripe.V1Services, pay: Pay):
    intent = pay()

    for target in ({}, {"charge": intent.latest_charge, "payment_intent": intent.id}):
        with pytest.raises(stripe.InvalidRequestError):
            client.refunds.create(target)


def test_the_notes_on_a_refund_can_be_changed(client: stripe.V1Services, pay: Pay):
    refund = client.refunds.create({"payment_intent": pay().id, "metadata": {"a": "1", "b": "2"}})

    changed = client.refunds.update(refund.id, {"metadata": {"a": "", "c": "3"}})

    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
