"""The intents to be paid off session, as rows, for many purposes at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from payments import policy
from payments.gateway import CARDS
from payments.models import Card, Payment
from payments.service.asking import Asking, age_of, asking_of

_WRITE = text("""
    INSERT INTO payment (
        id, member_id, purpose, purpose_id, attempt, provider, amount, repaid, currency, card_id,
        method_ref, keeps_card, is_off_session, by_holder, status, created_at, asked_at, due_at)
    SELECT id, member_id, :purpose, purpose_id, attempt, :provider, amount, 0, currency, card_id,
           method_ref, false, true, false, 'intent', :now, :asked_at, :look_at
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:members AS uuid[]), CAST(:purposes AS uuid[]),
        CAST(:attempts AS bigint[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]),
        CAST(:cards AS uuid[]), CAST(:methods AS text[])
    ) AS wanted (id, member_id, purpose_id, attempt, amount, currency, card_id, method_ref)
""")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Money that is wanted from a saved card. `is_first`: nobody can have asked for it before."""

    member_id: UUID
    purpose_id: UUID
    amount: int
    currency: str
    card_id: UUID
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt to be paid. `asking` is what to ask for it; None where it is paid already."""

    payment_id: UUID
    asking: Asking | None


def begin_all(*, purpose: str, wanted: Sequence[Wanted], now: datetime) -> list[Begun]:
    """Answer for each what `begin` would.

    An open attempt goes on, a paid one is paid, else the next one begins. In the caller's
    transaction, under a lock of the caller's on what the money is for. The attempts are marked as
    asked for: whoever dies before asking leaves them to the sweep. The number of statements does
    not grow with the set.
    """
    known = _attempts(purpose, [one.purpose_id for one in wanted if not one.is_first])
    going_on = {
        purpose_id: begun
        for purpose_id, attempts in known.items()
        if (begun := _going_on(attempts, now)) is not None
    }
    fresh = [one for one in wanted if one.purpose_id not in going_on]
    made = _write(purpose, fresh, known, now) if fresh else {}
    return [(going_on.get(one.purpose_id) or made[one.purpose_id]) for one in wanted]


def _attempts(purpose: str, purpose_ids: Sequence[UUID]) -> dict[UUID, list[Payment]]:
    """Lock all attempts for purposes, in one order, as they are now."""
    found: dict[UUID, list[Payment]] = defaultdict(list)
    if purpose_ids:
        theirs = (
            select(Payment)
            .where(Payment.purpose == purpose, Payment.purpose_id.in_(purpose_ids))
            .order_by(Payment.purpose_id, Payment.attempt)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        for payment in db.session.scalars(theirs):
            found[payment.purpose_id].append(payment)
    return found


def _going_on(attempts: Sequence[Payment], now: datetime) -> Begun | None:
    paid = next((one for one in attempts if one.status == "succeeded"), None)
    if paid is not None:
        return Begun(paid.id, None)
    newest = attempts[-1]
    if newest.status not in policy.OPEN:
        return None
    if newest.asked_at is None:
        newest.asked_at, newest.is_off_session = clock.common(), True
    newest.due_at = policy.next_look_at(age=age_of(newest.asked_at), now=now)
    return Begun(newest.id, asking_of(newest, asked_at=newest.asked_at))


def _write(
    purpose: str, wanted: Sequence[Wanted], known: Mapping[UUID, Sequence[Payment]], now: datetime
) -> dict[UUID, Begun]:
    asked_at = clock.common()
    refs = _refs({one.card_id for one in wanted})
    ids = [new_id() for _ in wanted]
    methods = [refs[one.card_id] for one in wanted]
    db.session.execute(
        _WRITE,
        {
            "ids": ids,
            "members": [one.member_id for one in wanted],
            "purpose": purpose,
            "purposes": [one.purpose_id for one in wanted],
            "attempts": [len(known.get(one.purpose_id, ())) + 1 for one in wanted],
            "provider": CARDS,
            "amounts": [one.amount for one in wanted],
            "currencies": [one.currency for one in wanted],
            "cards": [one.card_id for one in wanted],
            "methods": methods,
            "now": now,
            "asked_at": asked_at,
            "look_at": policy.next_look_at(age=age_of(None), now=now),
        },
    )
    return {
        one.purpose_id: Begun(payment_id, _asking(one, payment_id, method_ref, asked_at))
        for one, payment_id, method_ref in zip(wanted, ids, methods, strict=True)
    }


def _refs(card_ids: set[UUID]) -> dict[UUID, str]:
    found = db.session.execute(select(Card.id, Card.provider_ref).where(Card.id.in_(card_ids)))
    return {card.id: card.provider_ref for card in found}


def _asking(wanted: Wanted, payment_id: UUID, method_ref: str, asked_at: datetime) -> Asking:
    return Asking(
        payment_id=payment_id,
        purpose_id=wanted.purpose_id,
        member_id=wanted.member_id,
        provider=CARDS,
        amount=wanted.amount,
        currency=wanted.currency,
        method_ref=method_ref,
        keeps_card=False,
        is_off_session=True,
        provider_ref=None,
        asked_at=asked_at,
    )
