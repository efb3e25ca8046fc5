from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Payment, TerminalNotSetUp, begin, charge, gateway
from payments.gateway import Intent
from payments.service.record import record
from tests.fakes import DECLINED, GOOD, WANTS_HOLDER, FakeGateway
from tests.service.payments.conftest import PURPOSE
from tests.together import together

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
Told = Callable[[], list[str]]


def test_an_open_attempt_goes_on(provider: FakeGateway, owed: Owed) -> None:
    del provider
    purpose_id = new_id()
    first = owed(purpose_id=purpose_id)
    assert owed(purpose_id=purpose_id) == first
    charge(payment_id=first, payment_method=WANTS_HOLDER)
    assert owed(purpose_id=purpose_id, payment_method=GOOD) == first


def test_after_a_failure_the_next_attempt_begins(
    provider: FakeGateway, owed: Owed, read: Read
) -> None:
    del provider
    purpose_id = new_id()
    first = owed(purpose_id=purpose_id)
    charge(payment_id=first, payment_method=DECLINED)
    second = owed(purpose_id=purpose_id)
    assert second != first
    assert read(second).attempt == 2


def test_what_is_paid_is_answered_instead_of_a_new_attempt(
    provider: FakeGateway, owed: Owed
) -> None:
    del provider
    purpose_id = new_id()
    first = owed(purpose_id=purpose_id)
    charge(payment_id=first, payment_method=GOOD)
    assert owed(purpose_id=purpose_id) == first


def test_an_attempt_that_nobody_asked_for_gives_way_to_another_card(
    provider: FakeGateway, owed: Owed, read: Read
) -> None:
    first = owed(purpose_id=(purpose_id := new_id()), payment_method=WANTS_HOLDER)
    second = owed(purpose_id=purpose_id, payment_method=GOOD)
    assert (read(first).status, read(first).failure) == ("cancelled", "never_asked")
    assert charge(payment_id=first).status == "cancelled"
    assert charge(payment_id=second).status == "succeeded"
    assert provider.taken == [second]


def test_racers_begin_one_attempt(app: Flask, provider: FakeGateway) -> None:
    del provider
    member_id, purpose_id = new_id(), new_id()

    def start() -> UUID:
        return begin(
            member_id=member_id,
            purpose=PURPOSE,
            purpose_id=purpose_id,
            amount=100,
            currency="TWD",
            now=clock.now(),
        ).id

    begun = together(app, [start] * 8)
    assert len(set(map(str, begun))) == 1


def test_the_database_takes_one_open_attempt_for_a_purpose(owed: Owed, read: Read) -> None:
    first = read(owed())
    second = Payment(
        id=new_id(),
        member_id=first.member_id,
        purpose=first.purpose,
        purpose_id=first.purpose_id,
        attempt=2,
        amount=100,
        currency="TWD",
        created_at=first.created_at,
    )
    with pytest.raises(IntegrityError, match="uq_payment_open_once"), transaction():
        db.session.add(second)


@pytest.mark.usefixtures("world")
def test_money_that_comes_twice_is_seen_and_kept_apart(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    purpose_id = new_id()
    first = owed(purpose_id=purpose_id)
    charge(payment_id=first, payment_method=WANTS_HOLDER)
    ref = str(read(first).provider_ref)
    provider.refuse_authentication(ref)
    charge(payment_id=first)
    second = owed(purpose_id=purpose_id)
    charge(payment_id=second, payment_method=GOOD)
    provider.authenticate(ref)
    with transaction():
        late = record(payment_id=first, seen=provider.intents[ref], now=clock.now())
    assert (late.status, read(second).status) == ("surplus", "succeeded")
    assert told() == ["payment_failed", "paid"]


def test_a_payment_of_another_amount_is_a_bug(
    provider: FakeGateway, owed: Owed, read: Read
) -> None:
    del provider
    payment_id = owed(payment_method=GOOD)
    seen = Intent("pi_1", "succeeded", payment_id, 1, "TWD")
    with pytest.raises(RuntimeError, match="is not what the provider shows"), transaction():
        record(payment_id=payment_id, seen=seen, now=clock.now())
    assert read(payment_id).status == "intent"


def test_without_terminals_nobody_pays_at_one(owed: Owed) -> None:
    assert gateway.names() == ("stripe",)
    with pytest.raises(TerminalNotSetUp):
        owed(provider="terminal", payment_method="till-1")
    with pytest.raises(TerminalNotSetUp):
        gateway.provider("terminal")
