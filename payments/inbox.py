"""Working off what the provider told: fetch the object, write down what it is now.

An event may be lost, doubled, late or out of order, so it only says where to look.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Select, Text, Uuid, any_, bindparam, select, update
from sqlalchemy.dialects.postgresql import ARRAY

import members
from kernel import clock, queue
from kernel.alerts import alert
from kernel.db import db, table_of
from kernel.queue import Duty
from kernel.reasons import reason_of
from kernel.transaction import again, transaction
from payments.errors import NoAnswer
from payments.exchanged import Intent, SeenDispute, SeenRepayment, Setup
from payments.gateway import CARDS, CardGateway, cards
from payments.models import Customer, Payment, ProviderEvent, Repayment
from payments.service.cards import keep_card
from payments.service.differences import note_dispute
from payments.service.dispute import record_dispute
from payments.service.record import record_all
from payments.service.record_repayment import record_repayment

log = structlog.get_logger()

_AT_ONCE = 8
"""So many objects are asked for at once: the provider takes a tenth of a second to answer."""

_BATCH = 3 * _AT_ONCE
_LEASE = timedelta(minutes=2)  # longer than three silences of the provider, one after the other
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
Told = Intent | Effect | None
"""What the provider said: of a payment, of something else as what to do about it, or nothing."""

Hint = tuple[str, str | None]
"""The kind of an event, and of which object it tells; None when there is nothing to ask."""


def read_events() -> None:
    """Work off events that are due. The RQ job; safe to run many times at once.

    A batch a time: when there is more, it queues up again behind what the events have led to. Else
    nothing would be fulfilled for as long as news come faster than they are read. The provider is
    asked for several objects at once. What it says of payments is written down as one set, and if
    that fails each alone; then the rest, one by one, which may tell of what was paid just now.
    """
    queue.begun(DUTY.job)
    claimed = again(_claim)
    asked = {
        event_id: _askers().submit(_told, cards(), *hint) for event_id, hint in claimed.items()
    }
    told = _answers(asked)
    _read({event_id: one for event_id, one in told.items() if not callable(one)})
    for event_id, one in told.items():
        if callable(one):
            _read({event_id: one})
    if len(claimed) == _BATCH:
        queue.ring(DUTY)


def _due_ids(now: datetime) -> Select[str]:
    return select(ProviderEvent.id).where(*_due(now))


DUTY = Duty("payments.inbox.read_events", "events", _due_ids)


def _due(now: datetime) -> tuple[Any, ...]:
    free = (ProviderEvent.leased_until.is_(None)) | (ProviderEvent.leased_until < now)
    return (ProviderEvent.is_open, ProviderEvent.due_at <= now, free)


def _claim() -> dict[str, Hint]:
    """Lease some events; what to ask of each, by its id."""
    now = clock.now()
    with transaction():
        due = select(ProviderEvent).where(*_due(now)).order_by(ProviderEvent.due_at)
        picked = due.limit(_BATCH).with_for_update(skip_locked=True)
        events = list(db.session.scalars(picked))
        for event in events:
            event.leased_until = now + _LEASE
        settled = _settled({event.object_ref for event in events if event.type in _OF_PAYMENTS})
        return {event.id: _hint(event, settled) for event in events}


def _settled(refs: Collection[str | None]) -> set[str | None]:
    """Those of the payments that are paid: no news of them can move them any more."""
    paid = Payment.status.in_(("succeeded", "surplus"))
    ours = select(Payment.provider_ref).where(Payment.provider_ref.in_(refs), paid)
    return set(db.session.scalars(ours)) if refs else set()


def _hint(event: ProviderEvent, settled: Collection[str | None]) -> Hint:
    tells_nothing = event.type in _OF_PAYMENTS and event.object_ref in settled
    return event.type, None if tells_nothing else event.object_ref


@cache
def _askers() -> ThreadPoolExecutor:
    """Threads that stay: each keeps its connection to the provider."""
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="inbox")


def _answers(asked: Mapping[str, Future[Told]]) -> dict[str, Told]:
    """What the provider said, by the events about which it was asked and has answered."""
    told: dict[str, Told] = {}
    for event_id, answer in asked.items():
        try:
            told[event_id] = answer.result()
        except Exception as problem:  # noqa: BLE001  one bad event must not stop the others
            _put_off(event_id, problem)
    return told


def _read(told: Mapping[str, Told]) -> None:
    try:
        again(lambda: _close(told))
    except Exception as problem:  # noqa: BLE001  as above
        if len(told) > 1:
            log.warning("inbox.one_by_one", error=reason_of(problem))
            for event_id, one in told.items():
                _read({event_id: one})
            return
        for event_id in told:
            _put_off(event_id, problem)


def _put_off(event_id: str, problem: Exception) -> None:
    reason, is_patient = reason_of(problem), isinstance(problem, NoAnswer)
    again(lambda: _postpone(event_id, reason, is_patient=is_patient))


def _told(provider: CardGateway, kind: str, ref: str | None) -> Told:
    """Fetch what an event tells of; what follows is written down later, under locks."""
    if ref is None:
        return None
    if kind in _OF_PAYMENTS:
        return provider.get_intent(ref)
    if kind in _OF_CARDS:
        setup = provider.get_setup(ref)
        return lambda now: _keep_if_ours(setup, now)
    if kind in _OF_REPAYMENTS or kind in _OF_CHARGES:
        is_charge = kind in _OF_CHARGES
        repaid = provider.list_of_charge(ref) if is_charge else [provider.get_repayment(ref)]
        return lambda now: _record_repaid(repaid, now)
    if kind in _OF_DISPUTES:
        dispute = provider.get_dispute(ref)
        return lambda now: _record_dispute(dispute, now)
    return None


def _close(told: Mapping[str, Told]) -> None:
    """What follows from the events, and their end, commit together."""
    if not told:
        return
    now = clock.now()
    with transaction():
        ended = _end(told, now)
        ours = [one for event_id, one in told.items() if event_id in ended]
        _record([one for one in ours if isinstance(one, Intent)], now)
        for one in ours:
            if callable(one):
                one(now)


def _record(seen: Sequence[Intent], now: datetime) -> None:
    """Somebody else may use the same account: what carries no payment of ours is theirs."""
    ids = {one.payment_id for one in seen if one.payment_id}
    ours = dict(iter(db.session.execute(_OURS, {"ids": list(ids)}))) if ids else {}
    times = members.times_of(ours.values(), now=now)
    moved: dict[datetime, list[tuple[UUID, Intent]]] = defaultdict(list)
    for one in seen:
        if one.payment_id in ours:
            moved[times[ours[one.payment_id]]].append((one.payment_id, one))
    for at, news in moved.items():  # all at once, but for members with a clock of their own
        record_all(news, now=at)


def _record_repaid(seen: Sequence[SeenRepayment], now: datetime) -> None:
    for one in seen:
        repayment = db.session.get(Repayment, one.repayment_id) if one.repayment_id else None
        if repayment is not None and repayment.provider == CARDS:
            at = members.times_of([repayment.member_id], now=now)[repayment.member_id]
            record_repayment(repayment_id=repayment.id, seen=one, now=at)


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


_OURS = select(Payment.id, Payment.member_id).where(
    Payment.id == any_(bindparam("ids", type_=ARRAY(Uuid))), Payment.provider == CARDS
)
_ROW = table_of(ProviderEvent)
_STILL_OPEN = (  # locked in one order, so that two who hold the same events do not wait in a ring
    select(_ROW.c.id)
    .where(_ROW.c.id == any_(bindparam("event_ids", type_=ARRAY(Text))), _ROW.c.is_open)
    .order_by(_ROW.c.id)
    .with_for_update()
    .cte("still_open")
)
_END = (
    update(_ROW)
    .where(_ROW.c.id == _STILL_OPEN.c.id)
    .values(done_at=bindparam("now"), is_open=False)
    .returning(_ROW.c.id)
)


def _end(event_ids: Collection[str], now: datetime) -> set[str]:
    """Lock the events and end them; answer those that were still to be done, see `_undone`."""
    return set(db.session.scalars(_END, {"event_ids": list(event_ids), "now": now}))


def _undone(event_id: str) -> ProviderEvent | None:
    """The event, if it is still to be done: a lease may have run out under a slow worker.

    To put it off it needs no lock: whoever works it off finds it by its own.
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
            alert(f"Event {event.id} ({event.type}) is given up; its last_error says why", now=now)
        else:
            log.warning("inbox.postponed", event_id=event.id, type=event.type)
