"""Disputes: what a bank takes back, whatever the order in which it is heard of."""

from collections.abc import Callable
from itertools import permutations
from uuid import UUID

import pytest
from flask import Flask

import payments
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments import Dispute, Payment, inbox, receive
from payments.models import PaymentDifference
from tests.events import event, signed
from tests.fakes import FakeGateway
from tests.together import together

Paid = Callable[..., Payment]
Told = Callable[[], list[str]]

KINDS = ("created", "funds_withdrawn", "updated", "closed", "funds_reinstated")


def tell(*kinds: str, ref: str) -> None:
    for kind in kinds:
        now = clock.now()
        body, header = signed(event(f"charge.dispute.{kind}", ref), at=now)
        with transaction():
            receive(body=body, signature=header, now=now)
    inbox.read_events()


def of(payment: Payment) -> list[Dispute]:
    with transaction():
        return list(payments.list_disputes(payment_id=payment.id))


def test_a_dispute_is_written_down_and_told(provider: FakeGateway, paid: Paid, told: Told) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref)
    tell("created", ref=seen.ref)
    (dispute,) = of(payment)
    assert (dispute.status, dispute.followed, dispute.closed_at) == ("open", None, None)
    assert (dispute.amount, dispute.currency, dispute.reason) == (100, "TWD", "fraudulent")
    assert dispute.opened_at == seen.opened_at
    assert told() == ["paid", "dispute"]
    with transaction():
        row = db.session.query(Outbox).filter(Outbox.topic.endswith(".dispute")).one()
    assert row.facts == {"dispute_id": str(dispute.id), "purpose_id": str(payment.purpose_id)}


@pytest.mark.faults
@pytest.mark.parametrize("outcome", ["won", "lost"])
@pytest.mark.parametrize("order", list(permutations(KINDS[:4])))
def test_events_in_any_order_doubled_and_late_end_the_same(
    provider: FakeGateway, paid: Paid, told: Told, order: tuple[str, ...], outcome: str
) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref)
    tell(*order[:2], ref=seen.ref)
    provider.dispute(payment.provider_ref, ref=seen.ref, status=outcome)
    tell(*order[2:], *order, *order, ref=seen.ref)
    (dispute,) = of(payment)
    assert (dispute.status, dispute.opened_at) == (outcome, seen.opened_at)
    assert dispute.closed_at is not None
    assert told() == ["paid", "dispute", "dispute"]


def test_one_that_is_heard_of_when_it_is_over_is_told_once(
    provider: FakeGateway, paid: Paid, told: Told
) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref, status="lost")
    tell("closed", "created", ref=seen.ref)
    assert [one.status for one in of(payment)] == ["lost"]
    assert told() == ["paid", "dispute"]


def test_what_was_decided_is_never_open_again(provider: FakeGateway, paid: Paid) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref, status="won")
    tell("closed", ref=seen.ref)
    provider.dispute(payment.provider_ref, ref=seen.ref, status="open")
    tell("updated", ref=seen.ref)
    assert [one.status for one in of(payment)] == ["won"]


def test_an_inquiry_takes_no_money_until_it_becomes_a_dispute(
    provider: FakeGateway, paid: Paid, told: Told
) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref, status="inquiry")
    tell("created", ref=seen.ref)
    assert of(payment) == []
    provider.dispute(payment.provider_ref, ref=seen.ref)
    tell("updated", ref=seen.ref)
    assert [one.status for one in of(payment)] == ["open"]
    assert told() == ["paid", "dispute"]


def test_racing_events_open_one_dispute(
    app: Flask, provider: FakeGateway, paid: Paid, told: Told
) -> None:
    payment = paid()
    seen = provider.dispute(payment.provider_ref)
    together(app, [lambda: payments.record_dispute(seen, now=clock.now())] * 6)
    assert len(of(payment)) == 1
    assert told() == ["paid", "dispute"]


def test_a_dispute_of_somebody_elses_payment_is_shown_to_finance(
    provider: FakeGateway, paid: Paid, told: Told
) -> None:
    paid()
    seen = provider.dispute("pi_of_somebody_else")
    tell("created", "updated", ref=seen.ref)
    with transaction():
        difference = db.session.query(PaymentDifference).one()
    assert (difference.kind, difference.ref) == ("dispute_unknown_to_us", seen.ref)
    assert told() == ["paid"]


def test_a_dispute_of_a_charge_without_a_payment_is_nobodys(
    provider: FakeGateway, owed: Callable[..., UUID], told: Told
) -> None:
    owed()  # has no reference either
    seen = provider.dispute(None)
    tell("created", ref=seen.ref)
    with transaction():
        difference = db.session.query(PaymentDifference).one()
        assert db.session.query(Dispute).count() == 0
    assert (difference.kind, difference.ref) == ("dispute_unknown_to_us", seen.ref)
    assert told() == []


def test_what_is_disputed_is_found_by_what_was_paid_for(provider: FakeGateway, paid: Paid) -> None:
    held, decided, other = paid(), paid(), paid()
    for payment, status in ((held, "open"), (held, "lost"), (decided, "lost")):
        tell("created", ref=provider.dispute(payment.provider_ref, status=status).ref)
    asked = [one.purpose_id for one in (held, decided, other)]
    with transaction():
        assert payments.find_disputed(purpose=held.purpose, purpose_ids=asked) == {held.purpose_id}
        assert payments.find_disputed(purpose="another", purpose_ids=asked) == set()


@pytest.mark.breaks_books
def test_a_dispute_is_read_and_locked_by_its_id(provider: FakeGateway, paid: Paid) -> None:
    payment = paid()
    tell("created", ref=provider.dispute(payment.provider_ref).ref)
    (dispute,) = of(payment)
    with transaction():
        assert payments.get_dispute(dispute.id).id == dispute.id
        payments.lock_dispute(dispute.id).followed = "open"
    assert of(payment)[0].followed == "open"


@pytest.mark.parametrize("read", [payments.get_dispute, payments.lock_dispute])
def test_a_dispute_that_nobody_knows_is_not_found(
    app: Flask, read: Callable[[UUID], Dispute]
) -> None:
    del app
    with pytest.raises(NotFound), transaction():
        read(new_id())
