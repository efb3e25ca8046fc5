from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy.event
from flask import Flask

from kernel import clock
from kernel.config import config
from kernel.db import db
from kernel.due import is_due
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments import Card, Payment, SignatureInvalid, charge, inbox, receive
from payments.gateway import Intent
from payments.models import Customer, ProviderEvent
from tests.events import event, sealed, signed
from tests.fakes import DECLINED, GOOD, SLOW, WANTS_HOLDER, FakeGateway
from tests.together import together

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]


def statements_of(work: Callable[[], None]) -> int:
    """How many statements a job takes."""
    seen: list[object] = []

    def count(*said: object) -> None:
        seen.append(said)

    sqlalchemy.event.listen(db.engine, "before_cursor_execute", count)
    try:
        work()
    finally:
        sqlalchemy.event.remove(db.engine, "before_cursor_execute", count)
    return len(seen)


def arrive(what: dict[str, Any]) -> bool:
    now = clock.now()
    body, header = signed(what, at=now)
    with transaction():
        return receive(body=body, signature=header, now=now)


def kept() -> Sequence[ProviderEvent]:
    with transaction():
        return db.session.query(ProviderEvent).order_by(ProviderEvent.received_at).all()


def news(kind: str, ref: str) -> None:
    arrive(event(f"payment_intent.{kind}", ref))


def test_an_event_is_kept_without_its_object(provider: FakeGateway) -> None:
    del provider
    what = event("payment_intent.succeeded", "pi_1")
    what["data"]["object"]["billing_details"] = {"name": "Alice"}
    assert arrive(what)
    (row,) = kept()
    assert (row.id, row.type, row.object_ref) == (what["id"], what["type"], "pi_1")
    assert row.body == {"api_version": None, "created": 1_768_363_200, "livemode": False}


def test_an_event_that_comes_twice_is_kept_once(provider: FakeGateway) -> None:
    del provider
    what = event("payment_intent.succeeded", "pi_1")
    assert [arrive(what), arrive(what)] == [True, False]
    assert len(kept()) == 1


def test_racing_deliveries_of_one_event_are_kept_once(app: Flask) -> None:
    now = clock.now()
    body, header = signed(event("payment_intent.succeeded", "pi_1"), at=now)
    answers = together(app, [lambda: receive(body=body, signature=header, now=now)] * 6)
    assert sorted(map(bool, answers)) == [False] * 5 + [True]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"evt_1"',
        b"\xff\xfe",
        b"{",
        b"{}",
        b'{"id": 1, "type": "a"}',
        b'{"id": "evt_1"}',
        b'{"id": "evt_1", "type": "a b"}',
        b'{"id": "evt_\\u0000", "type": "a"}',
        b'{"id": "evt_\\ud800", "type": "a"}',
        b'{"id": "evt_1", "type": "a", "data": {"object": {"id": {}}}}',
        b'{"id": ' + b"9" * 5_000 + b', "type": "a"}',
        b"[" * 100_000,
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(provider: FakeGateway, body: bytes) -> None:
    del provider
    now = clock.now()
    with pytest.raises(SignatureInvalid), transaction():
        receive(body=body, signature=sealed(body, at=now), now=now)
    assert kept() == []


def test_what_nobody_signed_is_refused(provider: FakeGateway) -> None:
    del provider
    body, header = signed(event("payment_intent.succeeded", "pi_1"), at=clock.now())
    with pytest.raises(SignatureInvalid), transaction():
        receive(body=body + b" ", signature=header, now=clock.now())


def test_an_event_pays_when_the_answer_was_lost(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    provider.fail("charge", "after")
    payment = charge(payment_id=owed(), payment_method=GOOD)
    (ref,) = provider.intents
    news("succeeded", ref)
    inbox.read_events()
    assert (read(payment.id).status, read(payment.id).provider_ref) == ("succeeded", ref)
    assert told() == ["paid"]


def test_what_an_event_says_is_not_believed(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    payment = charge(payment_id=owed(), payment_method=WANTS_HOLDER)
    news("succeeded", str(payment.provider_ref))
    inbox.read_events()
    assert read(payment.id).status == "requires_action"
    assert told() == []
    assert provider.taken == []


HISTORY = ("created", "requires_action", "payment_failed", "succeeded")


@pytest.mark.faults
@pytest.mark.parametrize("order", list(permutations(HISTORY)))
def test_events_in_any_order_doubled_and_late_end_the_same(
    provider: FakeGateway, owed: Owed, read: Read, told: Told, order: tuple[str, ...]
) -> None:
    payment = charge(payment_id=owed(), payment_method=WANTS_HOLDER)
    ref = str(payment.provider_ref)
    provider.refuse_authentication(ref)
    early, late = order[:2], order[2:]
    for kind in early:
        news(kind, ref)
    inbox.read_events()
    provider.authenticate(ref)
    for kind in (*late, "succeeded", *order):
        news(kind, ref)
    inbox.read_events()
    assert read(payment.id).status == "succeeded"
    assert told().count("paid") == 1
    assert told().count("payment_failed") <= 1
    assert all(not row.is_open and row.done_at for row in kept())


def test_two_workers_tell_the_news_once(
    app: Flask, provider: FakeGateway, owed: Owed, told: Told
) -> None:
    payment = charge(payment_id=owed(), payment_method=SLOW)
    provider.finish(str(payment.provider_ref))
    for _ in range(12):
        news("succeeded", str(payment.provider_ref))

    provider.calls.clear()
    together(app, [inbox.read_events] * 4, in_transactions=False)
    assert told() == ["paid"]
    assert provider.calls == ["get_intent"] * 12  # each event was one worker's
    assert all(row.done_at for row in kept())


@pytest.mark.parametrize("kind", ["customer.created", "charge.succeeded", "payment_intent.created"])
def test_an_event_that_tells_us_nothing_is_done_at_once(provider: FakeGateway, kind: str) -> None:
    arrive(event(kind, "obj_1"))
    inbox.read_events()
    assert [row.is_open for row in kept()] == [False]
    assert provider.calls == []


def test_news_of_what_is_paid_already_asks_nobody(
    provider: FakeGateway, owed: Owed, told: Told
) -> None:
    payment = charge(payment_id=owed(), payment_method=GOOD)
    provider.calls.clear()
    news("succeeded", str(payment.provider_ref))
    inbox.read_events()
    assert [row.is_open for row in kept()] == [False]
    assert (provider.calls, told()) == ([], ["paid"])


@pytest.mark.parametrize("payment_id", [None, new_id()])
def test_a_payment_of_somebody_else_on_the_account_is_left_alone(
    provider: FakeGateway, told: Told, payment_id: UUID | None
) -> None:
    provider.intents["pi_x"] = Intent("pi_x", "succeeded", payment_id, 5, "TWD")
    news("succeeded", "pi_x")
    inbox.read_events()
    assert [row.is_open for row in kept()] == [False]
    assert told() == []


def test_a_silent_provider_is_asked_later_and_never_given_up(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    payment = charge(payment_id=owed(), payment_method=SLOW)
    provider.finish(str(payment.provider_ref))
    news("succeeded", str(payment.provider_ref))
    provider.is_silent = True
    for _ in range(12):
        inbox.read_events()
        pass_time(timedelta(hours=1, seconds=1))
    (row,) = kept()
    assert (row.is_open, row.tries, row.last_error) == (True, 12, "NoAnswer: ")
    provider.is_silent = False
    inbox.read_events()
    assert read(payment.id).status == "succeeded"


def test_an_event_that_breaks_is_given_up_after_ten_tries(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    news("succeeded", "pi_unknown")
    for _ in range(11):
        inbox.read_events()
        pass_time(timedelta(hours=1, seconds=1))
    (row,) = kept()
    assert (row.is_open, row.done_at, row.tries) == (False, None, 10)
    assert len(provider.calls) == 10


def test_somebody_is_told_of_an_event_that_is_given_up(
    provider: FakeGateway, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    del provider
    monkeypatch.setenv("ALERT_TO", "+886912345678")
    config.cache_clear()
    news("succeeded", "pi_of_nobody")
    for _ in range(10):
        inbox.read_events()
        pass_time(timedelta(hours=1))
    monkeypatch.undo()
    config.cache_clear()
    with transaction():
        alert = db.session.query(Outbox).filter_by(topic="alert.raised").one()
    assert kept()[0].id in alert.facts["text"]


def test_the_event_of_a_dead_worker_is_taken_over_when_its_lease_is_over(
    provider: FakeGateway, owed: Owed, read: Read, pass_time: PassTime
) -> None:
    payment = charge(payment_id=owed(), payment_method=SLOW)
    provider.finish(str(payment.provider_ref))
    news("succeeded", str(payment.provider_ref))
    with transaction():
        db.session.query(ProviderEvent).one().leased_until = clock.now() + timedelta(minutes=2)
    inbox.read_events()
    assert read(payment.id).status == "processing"
    pass_time(timedelta(minutes=3))
    inbox.read_events()
    assert read(payment.id).status == "succeeded"


def test_a_card_saved_by_its_holder_is_written_down(provider: FakeGateway) -> None:
    del provider
    member_id = new_id()
    with transaction():
        db.session.add(Customer(member_id=member_id, provider_ref="cus_a"))
    arrive(event("setup_intent.succeeded", "seti_cus_a"))
    arrive(event("setup_intent.succeeded", "seti_cus_a"))
    inbox.read_events()
    with transaction():
        assert db.session.query(Card).one().member_id == member_id


def test_a_refused_card_is_heard_of_by_event(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    provider.fail("charge", "after")
    payment = charge(payment_id=owed(), payment_method=DECLINED)
    news("payment_failed", next(iter(provider.intents)))
    inbox.read_events()
    assert read(payment.id).failure == "generic_decline"
    assert told() == ["payment_failed"]


def test_duty_calls_only_for_what_is_due(provider: FakeGateway) -> None:
    del provider
    with transaction():
        assert not is_due(inbox.DUTY, clock.now())
    arrive(event("customer.created", "cus_1"))
    with transaction():
        assert is_due(inbox.DUTY, clock.now())
    inbox.read_events()
    with transaction():
        assert not is_due(inbox.DUTY, clock.now())


def test_events_of_many_payments_are_written_down_together(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    def statements_for(payments: int) -> int:
        charged = [charge(payment_id=owed(), payment_method=SLOW) for _ in range(payments)]
        for one in charged:
            provider.finish(str(one.provider_ref))
            news("succeeded", str(one.provider_ref))
        taken = statements_of(inbox.read_events)
        assert [read(one.id).status for one in charged] == ["succeeded"] * payments
        return taken

    assert statements_for(20) == statements_for(1)
    assert told() == ["paid"] * 21


def test_an_event_that_breaks_stops_none_of_those_that_were_fetched_with_it(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    charged = [charge(payment_id=owed(), payment_method=SLOW) for _ in range(3)]
    for one in charged:
        provider.finish(str(one.provider_ref))
        news("succeeded", str(one.provider_ref))
    ref = str(charged[1].provider_ref)
    provider.intents[ref] = replace(provider.intents[ref], amount=1)
    inbox.read_events()
    now = [read(one.id).status for one in charged]
    assert now == ["succeeded", "processing", "succeeded"]
    assert told() == ["paid"] * 2
    assert sorted((row.tries, row.is_open) for row in kept()) == [(0, False)] * 2 + [(1, True)]


@pytest.mark.usefixtures("world")
def test_two_attempts_for_one_purpose_that_are_both_paid_leave_a_surplus(
    provider: FakeGateway, owed: Owed, read: Read, told: Told
) -> None:
    purpose_id, member_id = new_id(), new_id()
    first = charge(
        payment_id=owed(member_id=member_id, purpose_id=purpose_id), payment_method=DECLINED
    )
    second = charge(
        payment_id=owed(member_id=member_id, purpose_id=purpose_id), payment_method=SLOW
    )
    for one in (first, second):
        ref = str(one.provider_ref)
        provider.intents[ref] = replace(provider.intents[ref], status="succeeded", failure=None)
        news("succeeded", ref)
    inbox.read_events()
    assert sorted([read(first.id).status, read(second.id).status]) == ["succeeded", "surplus"]
    assert told().count("paid") == 1
