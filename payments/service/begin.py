"""The intent to be paid, as a row, before anybody is asked for money."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from kernel.db import db
from kernel.errors import TryAgain
from kernel.ids import new_id
from payments import policy
from payments.models import Card, Payment


def begin(
    *,
    member_id: UUID,
    purpose: str,
    purpose_id: UUID,
    amount: int,
    currency: str,
    card_id: UUID | None = None,
    payment_method: str | None = None,
    save_card: bool = False,
    now: datetime,
) -> Payment:
    """Answer the attempt with which to be paid for a purpose, in the caller's transaction.

    What has been paid is paid; an attempt that is still open goes on, whatever card it is with;
    else the next one begins. An attempt of which the provider has not heard gives way to another
    card. `amount` is in minor units of ours; name a saved card or a `payment_method`, or neither
    and name it to `charge`.
    """
    attempts = lock_attempts(purpose, purpose_id)
    method_ref = _method_of(card_id) if card_id else payment_method
    going_on = _going_on(attempts, method_ref, now)
    if going_on is not None:
        return going_on
    made: Payment | None = db.session.scalar(
        insert(Payment)
        .values(
            id=new_id(),
            member_id=member_id,
            purpose=purpose,
            purpose_id=purpose_id,
            attempt=len(attempts) + 1,
            amount=amount,
            currency=currency,
            card_id=card_id,
            method_ref=method_ref,
            keeps_card=save_card,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Payment)
    )
    if made is None:
        raise TryAgain  # a racer began the same attempt just now: look again, and find it
    return made


def lock_attempts(purpose: str, purpose_id: UUID) -> Sequence[Payment]:
    """Lock all attempts to be paid for a purpose, in their order, as they are now."""
    ours = select(Payment).where(Payment.purpose == purpose, Payment.purpose_id == purpose_id)
    locked = ours.order_by(Payment.attempt).with_for_update()
    return db.session.scalars(locked.execution_options(populate_existing=True)).all()


def _going_on(attempts: Sequence[Payment], method_ref: str | None, now: datetime) -> Payment | None:
    paid = next((one for one in attempts if one.status == "succeeded"), None)
    if paid is not None or not attempts:
        return paid
    newest = attempts[-1]
    if newest.status not in policy.OPEN:
        return None
    is_other = method_ref is not None and newest.method_ref not in (None, method_ref)
    if newest.asked_at is None and is_other:
        newest.status, newest.settled_at = "cancelled", now
        newest.failure = policy.NEVER_ASKED
        db.session.flush()
        return None
    return newest


def _method_of(card_id: UUID) -> str:
    return db.session.scalars(select(Card.provider_ref).where(Card.id == card_id)).one()
