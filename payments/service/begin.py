"""The intent to be paid, as a row, before anybody is asked for money."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import aliased

from kernel.db import db
from kernel.errors import TryAgain
from kernel.ids import new_id
from payments import policy
from payments.gateway import CARDS, refuse_unless_set_up
from payments.models import Card, Payment
from payments.service.shift import hold_shift


@dataclass(frozen=True, slots=True)
class _Way:
    """How somebody wants to pay: at whom, in which form, with what."""

    provider: str
    by_holder: bool
    method_ref: str | None

    def is_other_than(self, payment: Payment) -> bool:
        if (self.provider, self.by_holder) != (payment.provider, payment.by_holder):
            return True
        return self.method_ref is not None and payment.method_ref not in (None, self.method_ref)


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
    provider: str = CARDS,
    by_holder: bool = False,
    shift_id: UUID | None = None,
    now: datetime,
) -> Payment:
    """Answer the attempt with which to be paid for a purpose, in the caller's transaction.

    What has been paid is paid; an attempt that is still open goes on, whatever way it is paid; else
    the next one begins. An attempt of which nobody has heard gives way to another way of paying.
    `amount` is in minor units of ours; name a saved card or a `payment_method`, or neither and name
    it to `charge`. At the counter `provider` is `terminal`, the `payment_method` is the terminal's
    name, and `shift_id` says who asks. With `by_holder` the payer chooses in the provider's form.

    Raises:
        TerminalNotSetUp: there are no card terminals.
        ShiftClosed: the shift's money was counted.
    """
    refuse_unless_set_up(provider)
    attempts = lock_attempts(purpose, purpose_id)
    way = _Way(provider, by_holder, _method_of(card_id) if card_id else payment_method)
    going_on = _going_on(attempts, way, now)
    if going_on is not None:
        return going_on
    if shift_id is not None:
        hold_shift(shift_id)
    return add_attempt(
        attempt=len(attempts) + 1,
        member_id=member_id,
        purpose=purpose,
        purpose_id=purpose_id,
        amount=amount,
        currency=currency,
        provider=provider,
        by_holder=by_holder,
        shift_id=shift_id,
        card_id=card_id,
        method_ref=way.method_ref,
        keeps_card=save_card,
        created_at=now,
    )


def add_attempt(**facts: object) -> Payment:
    """Write the next attempt down, in the caller's transaction.

    Raises:
        TryAgain: a racer began the same attempt just now; whoever looks again finds it.
    """
    row = insert(Payment).values(id=new_id(), **facts).on_conflict_do_nothing()
    made: Payment | None = db.session.scalar(row.returning(Payment))
    if made is None:
        raise TryAgain
    return made


_LOCK = (
    select(Payment)
    .where(Payment.purpose == bindparam("for"), Payment.purpose_id == bindparam("for_id"))
    .order_by(Payment.attempt)
    .with_for_update()
    .execution_options(populate_existing=True)
)


def lock_attempts(purpose: str, purpose_id: UUID) -> Sequence[Payment]:
    """Lock all attempts to be paid for a purpose, in their order, as they are now."""
    return db.session.scalars(_LOCK, {"for": purpose, "for_id": purpose_id}).all()


_SEEN = aliased(Payment)
_LOCK_SIBLINGS = (
    select(Payment)
    .where(
        tuple_(Payment.purpose, Payment.purpose_id).in_(
            select(_SEEN.purpose, _SEEN.purpose_id).where(
                _SEEN.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
            )
        )
    )
    .order_by(Payment.purpose, Payment.purpose_id, Payment.attempt)
    .with_for_update(of=Payment)
    .execution_options(populate_existing=True)
)


def lock_siblings(payment_ids: Collection[UUID]) -> Sequence[Payment]:
    """Lock all attempts for the purposes of these payments, purpose by purpose, as they are now."""
    return db.session.scalars(_LOCK_SIBLINGS, {"ids": list(payment_ids)}).all()


def give_way(payment: Payment, *, now: datetime) -> None:
    """Drop an attempt of which no provider has heard, in the caller's transaction."""
    payment.status, payment.settled_at = "cancelled", now
    payment.failure = policy.NEVER_ASKED
    db.session.flush()


def _going_on(attempts: Sequence[Payment], way: _Way, now: datetime) -> Payment | None:
    paid = next((one for one in attempts if one.status == "succeeded"), None)
    if paid is not None or not attempts:
        return paid
    newest = attempts[-1]
    if newest.status not in policy.OPEN:
        return None
    if newest.asked_at is None and way.is_other_than(newest):
        give_way(newest, now=now)
        return None
    return newest


def _method_of(card_id: UUID) -> str:
    return db.session.scalars(select(Card.provider_ref).where(Card.id == card_id)).one()
