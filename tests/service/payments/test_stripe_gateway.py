"""The room with the real library, against the sandbox in a process of its own."""

from collections.abc import Callable, Iterator
from random import Random
from uuid import UUID

import pytest
from flask import Flask

from kernel import clock
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import (
    CardDeclined,
    CardNeedsAuthentication,
    NoAnswer,
    Payment,
    cancel,
    charge,
    gateway,
    inbox,
    receive,
    save_card,
)
from payments.stripe_gateway import StripeGateway
from tests.events import signed
from tests.sandbox.provider import SECRET_KEY, Provider

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
Told = Callable[[], list[str]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    sandbox = Provider(tmp_path_factory.mktemp("sandbox"))
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture(autouse=True)
def stripe_in_use(app: Flask, sandbox: Provider) -> Iterator[None]:
    del app
    with gateway.use(StripeGateway(api_key=SECRET_KEY, base=sandbox.url)):
        yield


def test_a_dollar_is_a_hundred_hundredths_at_the_provider(sandbox: Provider, owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_visa")
    assert payment.status == "succeeded"
    shown = sandbox.client().payment_intents.retrieve(str(payment.provider_ref))
    assert (shown.amount, shown.currency) == (10_000, "twd")
    assert shown.metadata.to_dict() == {"payment_id": str(payment.id)}


def test_asking_again_is_the_same_charge(sandbox: Provider, owed: Owed) -> None:
    payment_id = owed()
    sandbox.set_faults(fail_after_success=3)
    assert charge(payment_id=payment_id, payment_method="pm_card_visa").status == "processing"
    payment = charge(payment_id=payment_id)
    assert payment.status == "succeeded"
    listed = sandbox.client().payment_intents.list({"limit": 100}).data
    assert [
        one.id for one in listed if one.metadata.to_dict()["payment_id"] == str(payment_id)
    ] == [payment.provider_ref]


@pytest.mark.parametrize(
    ("card", "failure"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_made_up", "payment_method_unusable"),
    ],
)
def test_a_refused_card_is_an_answer(owed: Owed, told: Told, card: str, failure: str) -> None:
    payment = charge(payment_id=owed(), payment_method=card)
    assert (payment.status, payment.failure) == ("failed", failure)
    assert told() == ["payment_failed"]


def test_a_card_that_was_used_up_is_refused(sandbox: Provider, owed: Owed) -> None:
    method = sandbox.client().payment_methods.create(
        {"type": "card", "card": {"token": "tok_visa"}}
    )
    assert charge(payment_id=owed(), payment_method=method.id).status == "succeeded"
    assert charge(payment_id=owed(), payment_method=method.id).failure == "payment_method_unusable"


def test_somebody_elses_card_is_refused(owed: Owed) -> None:
    card = save_card(member_id=new_id(), payment_method="pm_card_visa", now=clock.now())
    payment = charge(payment_id=owed(), payment_method=card.provider_ref)
    assert (payment.status, payment.failure) == ("failed", "payment_method_unusable")


def test_a_kept_card_renews_off_session(owed: Owed) -> None:
    member_id = new_id()
    first = charge(
        payment_id=owed(member_id=member_id), payment_method="pm_card_visa", save_card=True
    )
    assert first.card_id is not None
    renewal = charge(payment_id=owed(member_id=member_id, card_id=first.card_id), off_session=True)
    assert renewal.status == "succeeded"


def test_a_card_saved_without_a_charge_renews_off_session(owed: Owed) -> None:
    member_id = new_id()
    card = save_card(member_id=member_id, payment_method="pm_card_jcb", now=clock.now())
    assert (card.brand, card.last4) == ("jcb", "0505")
    payment_id = owed(member_id=member_id, card_id=card.id)
    assert charge(payment_id=payment_id, off_session=True).status == "succeeded"


def test_a_saved_card_may_decline_at_renewal(owed: Owed) -> None:
    member_id = new_id()
    card = save_card(
        member_id=member_id, payment_method="pm_card_chargeCustomerFail", now=clock.now()
    )
    payment_id = owed(member_id=member_id, card_id=card.id)
    assert charge(payment_id=payment_id, off_session=True).failure == "generic_decline"


def test_saving_a_bad_card_is_refused() -> None:
    with pytest.raises(CardDeclined):
        save_card(member_id=new_id(), payment_method="pm_card_chargeDeclined", now=clock.now())
    with pytest.raises(CardNeedsAuthentication):
        save_card(
            member_id=new_id(), payment_method="pm_card_authenticationRequired", now=clock.now()
        )


def test_a_card_that_wanted_its_holder_is_saved_when_it_is_asked_for_again(
    sandbox: Provider,
) -> None:
    member_id, card = new_id(), "pm_card_authenticationRequired"
    with pytest.raises(CardNeedsAuthentication) as wanted:
        save_card(member_id=member_id, payment_method=card, now=clock.now())
    setup_id = wanted.value.facts["client_secret"].partition("_secret_")[0]
    sandbox.authenticate(setup_id, "succeed")
    assert save_card(member_id=member_id, payment_method=card, now=clock.now()).last4 == "3184"


def test_on_session_the_holder_authenticates(sandbox: Provider, owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_authenticationRequired")
    assert payment.status == "requires_action"
    assert str(payment.client_secret).startswith(f"{payment.provider_ref}_secret_")
    sandbox.authenticate(str(payment.provider_ref), "succeed")
    assert charge(payment_id=payment.id).status == "succeeded"


def test_a_failed_authentication_is_a_failure(sandbox: Provider, owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_authenticationRequired")
    sandbox.authenticate(str(payment.provider_ref), "fail")
    payment = charge(payment_id=payment.id)
    assert payment.failure == "payment_intent_authentication_failure"


def test_the_holder_is_asked_for_when_a_saved_card_wants_them(
    sandbox: Provider, owed: Owed, told: Told
) -> None:
    member_id = new_id()
    first = charge(
        payment_id=owed(member_id=member_id),
        payment_method="pm_card_authenticationRequired",
        save_card=True,
    )
    sandbox.authenticate(str(first.provider_ref), "succeed")
    card_id = charge(payment_id=first.id).card_id
    renewal = charge(payment_id=owed(member_id=member_id, card_id=card_id), off_session=True)
    assert (renewal.status, renewal.failure) == ("requires_action", "authentication_required")
    assert renewal.client_secret is not None
    assert told() == ["paid", "payment_failed"]


def test_an_open_payment_is_given_up(sandbox: Provider, owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_authenticationRequired")
    assert cancel(payment_id=payment.id).status == "cancelled"
    shown = sandbox.client().payment_intents.retrieve(str(payment.provider_ref))
    assert shown.status == "canceled"


def test_what_was_paid_meanwhile_is_not_given_up(sandbox: Provider, owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_authenticationRequired")
    sandbox.authenticate(str(payment.provider_ref), "succeed")
    assert cancel(payment_id=payment.id).status == "succeeded"


def test_a_payment_is_found_by_its_customer(owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_visa")
    stripe = gateway.provider()
    customer_ref = stripe.make_customer(member_id=payment.member_id)
    found = stripe.find_intent(
        payment_id=payment.id, customer_ref=customer_ref, since=payment.created_at
    )
    assert found is not None
    assert (found.ref, found.status, found.amount) == (payment.provider_ref, "succeeded", 100)
    missing = stripe.find_intent(
        payment_id=new_id(), customer_ref=customer_ref, since=payment.created_at
    )
    assert missing is None


@pytest.mark.parametrize("seed", range(4))
def test_the_providers_own_events_end_the_same_in_any_order(
    sandbox: Provider, owed: Owed, read: Read, told: Told, seed: int
) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_authenticationRequired")
    sandbox.authenticate(str(payment.provider_ref), "succeed")
    listed = sandbox.client().events.list({"limit": 100}).data
    events = [
        one.to_dict()
        for one in listed
        if one.data.object.to_dict().get("id") == payment.provider_ref
    ]
    assert len(events) == 3
    shuffled = events * 2
    Random(seed).shuffle(shuffled)  # noqa: S311
    for one in shuffled:
        now = clock.now()
        body, header = signed(one, at=now)
        with transaction():
            receive(body=body, signature=header, now=now)
        inbox.read_events()
    assert read(payment.id).status == "succeeded"
    assert told() == ["paid"]


def test_nobody_at_the_other_end_is_silence(app: Flask) -> None:
    del app
    nobody = StripeGateway(api_key=SECRET_KEY, base="http://127.0.0.1:9")
    with gateway.use(nobody), pytest.raises(NoAnswer):
        gateway.provider().make_customer(member_id=new_id())
