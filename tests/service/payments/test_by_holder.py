"""The payer chooses how to pay in the provider's own form, with a client secret of ours."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kernel import clock
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Payment, cancel, charge, inbox, receive, sweep
from tests.events import event, signed
from tests.fakes import GOOD, Crash, FakeGateway

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]


def news(kind: str, ref: str) -> None:
    now = clock.now()
    body, header = signed(event(f"payment_intent.{kind}", ref), at=now)
    with transaction():
        receive(body=body, signature=header, now=now)
    inbox.read_events()


def test_the_form_opens_with_a_secret(provider: FakeGateway, owed: Owed, told: Told) -> None:
    payment = charge(payment_id=owed(by_holder=True))
    assert payment.status == "requires_action"
    assert payment.client_secret == provider.intents[str(payment.provider_ref)].client_secret
    assert (provider.taken, told()) == ([], [])


def test_the_payer_pays_and_the_news_comes_by_event(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    payment = charge(payment_id=owed(by_holder=True))
    provider.pay_in_form(str(payment.provider_ref))
    news("succeeded", str(payment.provider_ref))
    assert (read(payment.id).status, read(payment.id).client_secret) == ("succeeded", None)
    assert told() == ["paid"]


def test_the_payer_pays_and_the_sweep_finds_out(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    payment = charge(payment_id=owed(by_holder=True))
    provider.pay_in_form(str(payment.provider_ref))
    pass_time(timedelta(seconds=61))
    sweep.ask_again()
    assert read(payment.id).status == "succeeded"


def test_a_card_that_is_refused_in_the_form_leaves_it_open(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    payment = charge(payment_id=owed(by_holder=True))
    ref = str(payment.provider_ref)
    provider.decline_in_form(ref)
    news("payment_failed", ref)
    assert charge(payment_id=payment.id).status == "requires_action"
    assert read(payment.id).client_secret == payment.client_secret
    assert told() == []
    provider.pay_in_form(ref)
    assert charge(payment_id=payment.id).status == "succeeded"
    assert told() == ["paid"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["make_customer", "charge"])
def test_a_crash_opens_one_form(provider: FakeGateway, owed: Owed, call: str, when: str) -> None:
    payment_id = owed(by_holder=True)
    provider.fail(call, when, Crash())
    with pytest.raises(Crash):
        charge(payment_id=payment_id)
    assert charge(payment_id=payment_id).status == "requires_action"
    assert len(provider.intents) == 1


def test_a_form_that_never_opened_has_failed_after_a_while(
    provider: FakeGateway, owed: Owed, told: Told, pass_time: PassTime
) -> None:
    provider.fail("charge", "before")
    payment = charge(payment_id=owed(by_holder=True))
    assert payment.status == "processing"
    pass_time(timedelta(minutes=31))
    assert charge(payment_id=payment.id).failure == "never_arrived"
    assert told() == ["payment_failed"]


def test_a_form_is_given_up_with_the_payment(provider: FakeGateway, owed: Owed) -> None:
    payment = charge(payment_id=owed(by_holder=True))
    gone = cancel(payment_id=payment.id)
    assert (gone.status, gone.client_secret) == ("cancelled", None)
    assert provider.intents[str(payment.provider_ref)].status == "cancelled"


def test_the_card_of_the_form_is_kept_where_the_payer_agreed(
    provider: FakeGateway, owed: Owed, read: Read
) -> None:
    payment = charge(payment_id=owed(by_holder=True, save_card=True))
    provider.pay_in_form(str(payment.provider_ref), card=GOOD)
    charge(payment_id=payment.id)
    assert read(payment.id).card_id is not None


def test_what_nobody_was_asked_for_gives_way_to_another_way_of_paying(
    provider: FakeGateway, owed: Owed, read: Read
) -> None:
    del provider
    purpose_id = new_id()
    by_card = owed(purpose_id=purpose_id, payment_method=GOOD)
    in_form = owed(purpose_id=purpose_id, by_holder=True)
    assert read(by_card).failure == "never_asked"
    assert owed(purpose_id=purpose_id, by_holder=True) == in_form
    assert owed(purpose_id=purpose_id, payment_method=GOOD) not in (by_card, in_form)


def test_a_form_that_is_open_goes_on(provider: FakeGateway, owed: Owed) -> None:
    del provider
    purpose_id = new_id()
    payment = charge(payment_id=owed(purpose_id=purpose_id, by_holder=True))
    assert owed(purpose_id=purpose_id, payment_method=GOOD) == payment.id
