from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask

from kernel import clock
from kernel.db import db
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Card, CardDeclined, CardNeedsAuthentication, charge, save_card
from payments.service.cards import customer_of
from tests.fakes import GOOD, LOST, WANTS_HOLDER, FakeGateway
from tests.together import together


def test_a_card_is_saved_without_a_charge(provider: FakeGateway) -> None:
    member_id = new_id()
    card = save_card(member_id=member_id, payment_method=GOOD, now=clock.now())
    assert (card.member_id, card.last4) == (member_id, "4242")
    assert provider.taken == []


def test_a_card_is_saved_once(provider: FakeGateway) -> None:
    del provider
    member_id = new_id()
    first = save_card(member_id=member_id, payment_method=GOOD, now=clock.now())
    again = save_card(member_id=member_id, payment_method=GOOD, now=clock.now())
    assert again.id == first.id


def test_a_saved_card_pays_for_renewals(provider: FakeGateway, owed: Callable[..., object]) -> None:
    member_id = new_id()
    card = save_card(member_id=member_id, payment_method=GOOD, now=clock.now())
    payment_id = owed(member_id=member_id, card_id=card.id)
    assert charge(payment_id=payment_id, off_session=True).status == "succeeded"  # type: ignore[arg-type]
    assert provider.calls == ["make_customer", "set_up_card", "charge"]


def test_a_refused_card_is_not_saved(provider: FakeGateway) -> None:
    del provider
    with pytest.raises(CardDeclined) as refusal:
        save_card(member_id=new_id(), payment_method=LOST, now=clock.now())
    assert refusal.value.facts == {"decline_code": "generic_decline"}


def test_a_card_that_wants_its_holder_is_not_saved_yet(provider: FakeGateway) -> None:
    del provider
    with pytest.raises(CardNeedsAuthentication) as refusal:
        save_card(member_id=new_id(), payment_method=WANTS_HOLDER, now=clock.now())
    assert refusal.value.facts == {"client_secret": "seti_secret"}


@pytest.mark.parametrize("call", ["make_customer", "set_up_card"])
def test_a_silent_provider_saves_the_card_at_the_second_time(
    app: Flask, provider: FakeGateway, call: str
) -> None:
    del app
    member_id = new_id()
    provider.fail(call, "after")
    with pytest.raises(Unavailable):
        save_card(member_id=member_id, payment_method=GOOD, now=clock.now())
    save_card(member_id=member_id, payment_method=GOOD, now=clock.now())
    with transaction():
        assert db.session.query(Card).count() == 1
    assert len(provider.customers) == 1


def test_racers_for_a_member_make_one_customer(app: Flask, provider: FakeGateway) -> None:
    for _ in range(10):
        member_id = new_id()
        answers = together(app, [partial(customer_of, member_id)] * 8, in_transactions=False)
        assert set(map(str, answers)) == {provider.customers[member_id]}
