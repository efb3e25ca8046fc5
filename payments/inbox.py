"""Working off what the provider told: fetch the object, write down what it is now.

An event may be lost, doubled, late or out of order, so it only says where to look.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, select

from kernel import clock, queue
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction
from payments.errors import NoAnswer
from payments.exchanged import Intent, SeenDispute, SeenRepayment, Setup
from payments.gateway import CARDS, cards
from payments.models import Customer, Payment, ProviderEvent, Repayment
from payments.service.cards import keep_card
from payments.service.differences import note_dispute
from payments.service.dispute import record_dispute
from payments.service.record import record
from payments.service.record_repayment import record_repayment

log = structlog.get_logger()

_BATCH = 20
_LEASE = timedelta(minutes=2)
_TRIES = 10

# `payment_intent.created` tells nothing: we made it.
_OF_PAYMENTS = {
    f"payment_intent.{state}"
    for state in ("succeeded", "payment_failed", "requires_action", "processing", "canceled")
}
_OF_CARDS = {"setup_intent.succeeded"}
_OF_REPAYMENTS = {f"refund.{state}" for state in ("created", "updated", "failed")}
_OF_CHARGES = {"charge.refunded"}
_OF_DISPUTES = {
    f"charge.dispute.{state}"
    for state in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
}

Effect = Callable[[datetime], None]


def read_events() -> None:
    """Work off events that are due. The RQ job; safe to run many times at once.

    A batch a time: when there is more, it queues up again behind what the events have led to. Else
    nothing would be fulfilled for as long as news come faster than they are read.
    """
    queue.begun(DUTY.job)
    claimed = again(_claim)
    for event in claimed:
        _read(event)
    if len(claimed) == _BATCH:
        queue.ring(DUTY)


def _due_ids(now: datetime) -> Select[str]:
    return select(ProviderEvent.id).where(*_due(now))


DUTY = Duty("payments.inbox.read_events", "events", _due_ids)


def _due(now: datetime) -> tuple[Any, ...]:
    free = (ProviderEvent.leased_until.is_(None)) | (ProviderEvent.leased_until < now)
    return (ProviderEvent.is_open, ProviderEvent.due_at <= now, free)


def _claim() -> list[ProviderEvent]:
    now = clock.now()
    with transaction():
        due = select(ProviderEvent).where(*_due(now)).order_by(ProviderEvent.due_at)
        picked = due.limit(_BATCH).with_for_update(skip_locked=True)
        events = list(db.session.scalars(picked))
        for event in events:
            event.leased_until = now + _LEASE
        return events


def _read(event: ProviderEvent) -> None:
    try:
        _act(event)
    except Exception as problem:  # noqa: BLE001  one bad event must not stop the others
        reason = f"{type(problem).__name__}: {problem}"[:500]
        is_patient = isinstance(problem, NoAnswer)
        again(lambda: _postpone(event.id, reason, is_patient=is_patient))


def _act(event: ProviderEvent) -> None:
    effect = _effect(event.type, event.object_ref) if event.object_ref else None
    again(lambda: _close(event.id, effect))


def _effect(kind: str, ref: str) -> Effect | None:
    """Fetch what an event tells of; answer how to write it down, which is done under locks."""
    if kind in _OF_PAYMENTS:
        intent = cards().get_intent(ref)
        return lambda now: _record_if_ours(intent, now)
    if kind in _OF_CARDS:
        setup = cards().get_setup(ref)
        return lambda now: _keep_if_ours(setup, now)
    if kind in _OF_REPAYMENTS:
        repaid = cards().get_repayment(ref)
        return lambda now: _record_repaid([repaid], now)
    if kind in _OF_CHARGES:
        of_charge = cards().list_of_charge(ref)
        return lambda now: _record_repaid(of_charge, now)
    if kind in _OF_DISPUTES:
        dispute = cards().get_dispute(ref)
        return lambda now: _record_dispute(dispute, now)
    return None


def _close(event_id: str, effect: Effect | None) -> None:
    """The effect and the event's end commit together."""
    now = clock.now()
    with transaction():
        event = _undone(event_id)
        if event is None:
            return
        if effect is not None:
            effect(now)
        event.done_at, event.is_open = now, False


def _record_if_ours(seen: Intent, now: datetime) -> None:
    """Somebody else may use the same account: what carries no payment of ours is theirs."""
    payment = db.session.get(Payment, seen.payment_id) if seen.payment_id else None
    if payment is not None and payment.provider == CARDS:
        record(payment_id=payment.id, seen=seen, now=now)


def _record_repaid(seen: Sequence[SeenRepayment], now: datetime) -> None:
    for one in seen:
        repayment = db.session.get(Repayment, one.repayment_id) if one.repayment_id else None
        if repayment is not None and repayment.provider == CARDS:
            record_repayment(repayment_id=repayment.id, seen=one, now=now)


def _record_dispute(seen: SeenDispute, now: datetime) -> None:
    """What is not ours is kept as a difference, for finance."""
    if record_dispute(seen, now=now) is None and seen.status != "inquiry":
        note_dispute(seen, now=now)


def _keep_if_ours(seen: Setup, now: datetime) -> None:
    if seen.status != "succeeded" or seen.card is None:
        return
    ours = select(Customer.member_id).where(Customer.provider_ref == seen.customer_ref)
    member_id = db.session.scalar(ours)
    if member_id is not None:
        keep_card(member_id=member_id, seen=seen.card, now=now)


def _undone(event_id: str) -> ProviderEvent | None:
    """The event, if it is still to be done: a lease may have run out under a slow worker.

    It needs no lock: whoever works it off a second time finds the payment, under its own lock,
    where it belongs.
    """
    event = db.session.get(ProviderEvent, event_id)
    return event if event and event.is_open else None


def _postpone(event_id: str, reason: str, *, is_patient: bool) -> None:
    """Later again. After some tries it is given up, unless only the provider was silent."""
    now = clock.now()
    with transaction():
        event = _undone(event_id)
        if event is None:
            return
        event.tries += 1
        event.last_error = reason
        event.leased_until = None
        event.due_at = now + timedelta(seconds=min(2**event.tries, 3_600))
        if event.tries >= _TRIES and not is_patient:
            event.is_open = False
            log.error("inbox.dead", event_id=event.id, type=event.type)
        else:
            log.warning("inbox.postponed", event_id=event.id, type=event.type)
