"""Writing down what the provider was seen to say: by whoever comes first, once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel import outbox
from kernel.db import db
from kernel.errors import NotFound
from payments import policy
from payments.gateway import Intent
from payments.models import Payment
from payments.service.begin import lock_siblings
from payments.service.cards import keep_card
from payments.service.surplus import owe


def record(*, payment_id: UUID, seen: Intent, now: datetime) -> Payment:
    """Bring one payment to what the provider was seen to say, as `record_all` does."""
    return record_all([(payment_id, seen)], now=now)[0]


def record_all(seen: Sequence[tuple[UUID, Intent]], *, now: datetime) -> list[Payment]:
    """Bring payments to what the provider was seen to say of each, in the caller's transaction.

    Only forward, under the lock of all attempts for the same purposes, so the answer of the call
    and any number of events may come in any order. Who moves one tells the room that wanted it:
    `<purpose>.paid` once, or `<purpose>.payment_failed` once an attempt. Off session, a card that
    wants its holder is told as a failure too, though the payment waits for the holder and may
    still be paid. The number of statements does not grow, but for cards to keep and for surplus.

    Raises:
        NotFound: there is no such payment.
    """
    payments: dict[UUID, Payment] = {}
    attempts: dict[tuple[str, UUID], list[Payment]] = defaultdict(list)
    for one in lock_siblings({payment_id for payment_id, _ in seen}):
        payments[one.id] = one
        attempts[one.purpose, one.purpose_id].append(one)
    for payment_id, intent in seen:
        payment = payments.get(payment_id)
        if payment is None:
            raise NotFound
        _move(payment, intent, attempts[payment.purpose, payment.purpose_id], now)
    db.session.flush()
    return [payments[payment_id] for payment_id, _ in seen]


def _move(payment: Payment, seen: Intent, attempts: Sequence[Payment], now: datetime) -> None:
    _check_is_ours(payment, seen)
    payment.provider_ref = payment.provider_ref or seen.ref
    status = policy.moved(payment.status, _meaning(payment, seen))
    if status == payment.status:
        return
    before, payment.status = payment.status, status
    payment.failure = seen.failure or ("cancelled" if status == "cancelled" else None)
    waits = status == "requires_action" or (payment.by_holder and status in policy.OPEN)
    payment.client_secret = seen.client_secret if waits else None
    if status not in policy.OPEN:
        payment.settled_at, payment.due_at = now, None
    if status == "succeeded":
        _take(payment, seen, attempts, now)
    elif _is_news_of_failure(payment, before):
        _tell_failure(payment, now)


def _meaning(payment: Payment, seen: Intent) -> str:
    """A card that is refused in the payer's own form leaves the form open."""
    is_form_open = payment.by_holder and seen.client_secret is not None
    return policy.in_form(seen.status) if is_form_open else seen.status


def _check_is_ours(payment: Payment, seen: Intent) -> None:
    """What was asked and what is seen are one: anything else is a bug, and no money is booked."""
    asked = (payment.id, payment.provider_ref or seen.ref, payment.amount, payment.currency)
    if asked != (seen.payment_id, seen.ref or payment.provider_ref, seen.amount, seen.currency):
        raise RuntimeError(f"payment {payment.id} is not what the provider shows as {seen.ref}")


def _take(payment: Payment, seen: Intent, attempts: Sequence[Payment], now: datetime) -> None:
    if payment.keeps_card and payment.card_id is None and seen.card is not None:
        payment.card_id = keep_card(member_id=payment.member_id, seen=seen.card, now=now).id
    if any(one.status == "succeeded" for one in attempts if one is not payment):
        payment.status = "surplus"
        owe(payment, now=now)
        return
    outbox.emit(
        f"{payment.purpose}.paid",
        now=now,
        member_id=payment.member_id,
        payment_id=payment.id,
        purpose_id=payment.purpose_id,
    )


def _is_news_of_failure(payment: Payment, before: str) -> bool:
    if payment.status == "requires_action":
        return payment.is_off_session
    told_before = before == "requires_action" and payment.is_off_session
    return payment.status in ("failed", "cancelled") and not told_before


def _tell_failure(payment: Payment, now: datetime) -> None:
    outbox.emit(
        f"{payment.purpose}.payment_failed",
        now=now,
        member_id=payment.member_id,
        payment_id=payment.id,
        purpose_id=payment.purpose_id,
        failure=payment.failure,
        is_final=policy.is_final(payment.failure),
    )
