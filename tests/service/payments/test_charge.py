from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from kernel import clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments import Card, Payment, cancel, charge, gateway, sweep
from tests.fakes import (
    DECLINED,
    DECLINED_LATER,
    GOOD,
    LOST,
    SLOW,
    WANTS_HOLDER,
    Crash,
    FakeGateway,
)
from tests.together import together

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]


def test_a_good_card_pays(provider: FakeGateway, owed: Owed, told: Told) -> None:
    payment = charge(payment_id=owed(), payment_method=GOOD)
    assert payment.status == "succeeded"
    assert payment.settled_at is not None
    assert provider.taken == [payment.id]
    assert told() == ["paid"]


def test_the_news_names_payment_and_purpose(provider: FakeGateway, owed: Owed) -> None:
    del provider
    purpose_id = new_id()
    payment = charge(payment_id=owed(purpose_id=purpose_id), payment_method=GOOD)
    with transaction():
        facts = db.session.query(Outbox).one().facts
    assert facts == {"payment_id": str(payment.id), "purpose_id": str(purpose_id)}


def test_asking_twice_charges_once(provider: FakeGateway, owed: Owed, told: Told) -> None:
    payment_id = owed()
    charge(payment_id=payment_id, payment_method=GOOD)
    again = charge(payment_id=payment_id, payment_method=DECLINED)
    assert again.status == "succeeded"
    assert provider.taken == [payment_id]
    assert told() == ["paid"]


@pytest.mark.parametrize(
    ("card", "failure", "is_final"),
    [(DECLINED, "generic_decline", False), (LOST, "lost_card", True)],
)
def test_a_refused_card_is_told_once(
    *, provider: FakeGateway, owed: Owed, told: Told, card: str, failure: str, is_final: bool
) -> None:
    payment = charge(payment_id=owed(), payment_method=card)
    assert (payment.status, payment.failure) == ("failed", failure)
    assert provider.taken == []
    assert told() == ["payment_failed"]
    with transaction():
        facts = db.session.query(Outbox).one().facts
    assert (facts["failure"], facts["is_final"]) == (failure, is_final)


def test_on_session_the_holder_authenticates(provider: FakeGateway, owed: Owed, told: Told) -> None:
    payment = charge(payment_id=owed(), payment_method=WANTS_HOLDER)
    assert payment.status == "requires_action"
    assert payment.client_secret is not None
    assert told() == []
    provider.authenticate(str(payment.provider_ref))
    payment = charge(payment_id=payment.id)
    assert (payment.status, payment.client_secret) == ("succeeded", None)
    assert told() == ["paid"]


def test_off_session_the_wish_for_the_holder_is_told_as_a_failure_that_may_still_be_paid(
    provider: FakeGateway, owed: Owed, told: Told
) -> None:
    payment = charge(payment_id=owed(), payment_method=WANTS_HOLDER, off_session=True)
    assert (payment.status, payment.failure) == ("requires_action", "authentication_required")
    assert told() == ["payment_failed"]
    provider.authenticate(str(payment.provider_ref))
    assert charge(payment_id=payment.id).status == "succeeded"
    assert told() == ["payment_failed", "paid"]


def test_one_attempt_fails_once_however_it_fails(
    provider: FakeGateway, owed: Owed, told: Told
) -> None:
    payment = charge(payment_id=owed(), payment_method=WANTS_HOLDER, off_session=True)
    provider.refuse_authentication(str(payment.provider_ref))
    assert charge(payment_id=payment.id).status == "failed"
    assert told() == ["payment_failed"]


def test_a_kept_card_is_written_down(provider: FakeGateway, owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method=GOOD, save_card=True)
    with transaction():
        card = db.session.get_one(Card, payment.card_id)
    assert (card.member_id, card.brand, card.last4) == (payment.member_id, "visa", "4242")
    renewal = charge(
        payment_id=owed(member_id=payment.member_id, card_id=card.id), off_session=True
    )
    assert renewal.status == "succeeded"
    assert provider.taken == [payment.id, renewal.id]


def test_a_card_that_is_not_kept_leaves_no_trace(provider: FakeGateway, owed: Owed) -> None:
    del provider
    assert charge(payment_id=owed(), payment_method=GOOD).card_id is None


def test_a_saved_card_may_decline_later(provider: FakeGateway, owed: Owed) -> None:
    del provider
    payment_id = owed(payment_method=DECLINED_LATER)
    assert charge(payment_id=payment_id, off_session=True).failure == "generic_decline"


def test_a_charge_needs_a_card(provider: FakeGateway, owed: Owed) -> None:
    del provider
    with pytest.raises(ValueError, match="needs a saved card"):
        charge(payment_id=owed())


def test_an_unknown_payment_is_not_found(provider: FakeGateway) -> None:
    del provider
    with pytest.raises(NotFound):
        charge(payment_id=new_id(), payment_method=GOOD)


def test_a_member_is_one_customer(provider: FakeGateway, owed: Owed) -> None:
    member_id = new_id()
    for _ in range(2):
        charge(payment_id=owed(member_id=member_id), payment_method=GOOD)
    assert provider.calls == ["make_customer", "charge", "charge"]


def test_the_provider_is_never_called_inside_a_transaction(
    provider: FakeGateway, owed: Owed
) -> None:
    payment_id = owed()
    with transaction():
        db.session.get_one(Payment, payment_id)
        with pytest.raises(RuntimeError, match="never called inside a transaction"):
            gateway.provider()
        with pytest.raises(RuntimeError, match="already open"):
            charge(payment_id=payment_id, payment_method=GOOD)
    assert provider.calls == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["make_customer", "charge"])
def test_silence_is_found_out_by_the_sweep(
    *,
    provider: FakeGateway,
    owed: Owed,
    told: Told,
    read: Read,
    pass_time: PassTime,
    call: str,
    when: str,
) -> None:
    provider.fail(call, when)
    payment = charge(payment_id=owed(), payment_method=GOOD)
    assert payment.status == "processing"
    sweep.ask_again()
    assert read(payment.id).status == "processing"
    pass_time(timedelta(seconds=61))
    sweep.ask_again()
    assert read(payment.id).status == "succeeded"
    assert provider.taken == [payment.id]
    assert told() == ["paid"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["make_customer", "charge"])
def test_a_crash_at_the_provider_charges_once(
    provider: FakeGateway, owed: Owed, told: Told, call: str, when: str
) -> None:
    payment_id = owed()
    provider.fail(call, when, Crash())
    with pytest.raises(Crash):
        charge(payment_id=payment_id, payment_method=GOOD)
    assert charge(payment_id=payment_id, payment_method=GOOD).status == "succeeded"
    assert provider.taken == [payment_id]
    assert told() == ["paid"]


def test_what_was_asked_first_is_asked_again(
    provider: FakeGateway, owed: Owed, pass_time: PassTime
) -> None:
    del pass_time
    provider.fail("charge", "after")
    payment = charge(payment_id=owed(), payment_method=GOOD, save_card=True)
    again = charge(payment_id=payment.id, payment_method=DECLINED, off_session=True)
    assert (again.status, again.method_ref) == ("succeeded", GOOD)


def test_after_a_day_the_provider_is_searched_instead_of_asked_again(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    provider.fail("charge", "after")
    payment = charge(payment_id=owed(), payment_method=GOOD)
    provider.calls.clear()
    pass_time(timedelta(hours=25))
    sweep.ask_again()
    assert provider.calls == ["find_intent"]
    assert read(payment.id).status == "succeeded"


def test_the_providers_day_is_everybodys_also_where_a_member_is_ahead(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    """A renewal in a member's own time died after the charge, and is taken up two days later."""
    payment_id = owed()
    member_id = read(payment_id).member_id
    with clock.apart(member_id, timedelta(days=2)):
        provider.fail("charge", "after")
        charge(payment_id=payment_id, payment_method=GOOD, off_session=True)
    provider.calls.clear()
    pass_time(timedelta(days=2))
    with clock.apart(member_id, timedelta(minutes=2)):
        charge(payment_id=payment_id, off_session=True)
    assert provider.calls == ["find_intent"]
    assert read(payment_id).status == "succeeded"


def test_what_never_arrived_has_failed_after_a_day(
    provider: FakeGateway, owed: Owed, read: Read, told: Told, pass_time: PassTime
) -> None:
    provider.fail("charge", "before")
    payment = charge(payment_id=owed(), payment_method=GOOD)
    pass_time(timedelta(hours=25))
    sweep.ask_again()
    assert (read(payment.id).status, read(payment.id).failure) == ("failed", "never_arrived")
    assert provider.taken == []
    assert told() == ["payment_failed"]


def test_the_sweep_asks_about_what_is_processing(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    payment = charge(payment_id=owed(), payment_method=SLOW)
    assert payment.status == "processing"
    provider.finish(str(payment.provider_ref))
    pass_time(timedelta(seconds=61))
    sweep.ask_again()
    assert read(payment.id).status == "succeeded"
    assert provider.taken == [payment.id]


def test_a_sweep_leaves_what_another_one_is_taking(
    provider: FakeGateway, owed: Owed, pass_time: PassTime
) -> None:
    taken = charge(payment_id=owed(), payment_method=SLOW)
    charge(payment_id=owed(), payment_method=SLOW)
    pass_time(timedelta(seconds=61))
    provider.calls.clear()
    with db.engine.begin() as elsewhere:
        elsewhere.execute(
            text("SELECT 1 FROM payment WHERE id = :taken FOR UPDATE"), {"taken": taken.id}
        )
        sweep.ask_again()
        assert provider.calls == ["get_intent"]
    sweep.ask_again()
    assert provider.calls == ["get_intent"] * 2


def test_the_sweep_leaves_what_nobody_has_asked_for(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    payment_id = owed(payment_method=GOOD)
    pass_time(timedelta(days=2))
    sweep.ask_again()
    assert read(payment_id).status == "intent"
    assert provider.calls == []


def test_the_sweep_goes_on_after_one_that_breaks(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    provider.is_silent = True
    ids = [charge(payment_id=owed(), payment_method=GOOD).id for _ in range(2)]
    provider.is_silent = False
    provider.fail("make_customer", "before", RuntimeError("broken"))
    pass_time(timedelta(seconds=61))
    sweep.ask_again()
    assert sorted(read(id_).status for id_ in ids) == ["processing", "succeeded"]


def test_racers_charge_once(app: Flask, provider: FakeGateway, owed: Owed, told: Told) -> None:
    payment_id = owed()

    def race() -> str:
        return charge(payment_id=payment_id, payment_method=GOOD).status

    answers = together(app, [race] * 8, in_transactions=False)
    assert answers == ["succeeded"] * 8
    assert provider.taken == [payment_id]
    assert told() == ["paid"]


def test_an_open_payment_is_given_up_at_the_provider(
    provider: FakeGateway, owed: Owed, told: Told
) -> None:
    payment = charge(payment_id=owed(), payment_method=WANTS_HOLDER)
    assert cancel(payment_id=payment.id).status == "cancelled"
    assert provider.intents[str(payment.provider_ref)].status == "cancelled"
    assert told() == ["payment_failed"]


def test_what_has_been_paid_meanwhile_is_not_given_up(
    provider: FakeGateway, owed: Owed, told: Told
) -> None:
    payment = charge(payment_id=owed(), payment_method=WANTS_HOLDER)
    provider.authenticate(str(payment.provider_ref))
    assert cancel(payment_id=payment.id).status == "succeeded"
    assert told() == ["paid"]


def test_what_was_never_asked_is_given_up_without_the_provider(
    provider: FakeGateway, owed: Owed, told: Told
) -> None:
    payment_id = owed(payment_method=GOOD)
    assert cancel(payment_id=payment_id).status == "cancelled"
    assert charge(payment_id=payment_id).status == "cancelled"
    assert provider.calls == []
    assert told() == []


def test_what_may_still_arrive_is_not_given_up(
    provider: FakeGateway, owed: Owed, pass_time: PassTime
) -> None:
    provider.fail("charge", "before")
    payment = charge(payment_id=owed(), payment_method=GOOD)
    assert cancel(payment_id=payment.id).status == "processing"
    pass_time(timedelta(minutes=11))
    assert cancel(payment_id=payment.id).failure == "never_arrived"
    assert provider.taken == []
