"""Lists and expansion."""

from collections.abc import Callable

import pytest
import stripe

from tests.sandbox.provider import Provider

Pay = Callable[..., stripe.PaymentIntent]


def test_lists_are_newest_first_and_page_in_both_directions(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    paid = [pay(customer=alice.id).id for _ in range(5)][::-1]
    mine = {"customer": alice.id, "limit": 2}

    first = client.payment_intents.list(mine)
    second = client.payment_intents.list(mine | {"starting_after": paid[1]})
    third = client.payment_intents.list(mine | {"starting_after": paid[3]})
    back = client.payment_intents.list(mine | {"ending_before": paid[3]})

    assert [[intent.id for intent in page.data] for page in (first, second, third, back)] == [
        paid[:2],
        paid[2:4],
        paid[4:],
        paid[1:3],
    ]
    assert [page.has_more for page in (first, second, third, back)] == [True, True, False, True]
    everything = client.payment_intents.list(mine).auto_paging_iter()
    assert [intent.id for intent in everything] == paid


def test_lists_can_be_bounded_by_time(own_provider: Provider):
    own_provider.start()
    client = own_provider.client()
    intents = []
    for hours in range(3):
        own_provider.clock_file.write_text(f"{hours * 3600}")
        intents.append(client.payment_intents.create({"amount": 100, "currency": "twd"}))
    old, middle, new = intents

    def listed(bounds: "int | dict[str, int]") -> list[str]:
        return [intent.id for intent in client.payment_intents.list({"created": bounds}).data]

    assert listed({"gte": middle.created}) == [new.id, middle.id]
    assert listed({"gt": middle.created}) == [new.id]
    assert listed({"lt": middle.created}) == [old.id]
    assert listed({"gt": old.created, "lte": middle.created}) == [middle.id]
    assert listed(middle.created) == [middle.id]


def test_items_of_a_list_can_be_expanded(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    pay(customer=alice.id)

    (intent,) = client.payment_intents.list(
        {"customer": alice.id, "expand": ["data.latest_charge", "data.customer"]}
    ).data

    assert intent.latest_charge.paid
    assert intent.customer.name == "Alice"


def test_what_is_no_reference_cannot_be_expanded(client: stripe.V1Services, pay: Pay):
    for path in ("amount", "latest_charge.amount", "nonsense", "a.b.c.d.e", ""):
        with pytest.raises(stripe.InvalidRequestError):
            pay(expand=[path])


def test_a_refused_expansion_charges_nothing(
    client: stripe.V1Services, alice: stripe.Customer, pay: Pay
):
    with pytest.raises(stripe.InvalidRequestError):
        pay(customer=alice.id, expand=["amount"])

    assert client.charges.list({"customer": alice.id}).data == []
