"""Money that passes a counter: cash in a drawer, and what a shift has taken, counted at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, literal, select, union_all

from chain.models import Shift
from kernel.db import db
from kernel.errors import NotFound
from payments import policy
from payments.errors import CountUnexplained, PaymentUnderWay, ShiftClosed
from payments.gateway import CASH
from payments.models import Payment, Repayment, ShiftTotal


@dataclass(frozen=True, slots=True)
class ShiftSum:
    """What a shift took less what it handed out, in one currency, in minor units."""

    currency: str
    cash: int
    terminal: int


def hold_shift(shift_id: UUID) -> None:
    """Keep a shift from being counted until the open transaction ends.

    Raises:
        NotFound: there is no such shift.
        ShiftClosed: it was counted.
    """
    held = select(Shift.id).where(Shift.id == shift_id).with_for_update(read=True)
    if db.session.scalar(held) is None:
        raise NotFound
    if _totals(shift_id):
        raise ShiftClosed


def shift_sums(shift_id: UUID) -> Sequence[ShiftSum]:
    """What a shift has taken and handed out so far, by currency."""
    came = select(Payment.currency, Payment.provider, Payment.amount.label("amount")).where(
        Payment.shift_id == shift_id, Payment.status.in_(policy.PAID)
    )
    went = select(
        Repayment.currency, Repayment.provider, (-Repayment.amount).label("amount")
    ).where(Repayment.shift_id == shift_id, Repayment.status == "succeeded")
    moved = union_all(came, went).subquery()
    is_cash = moved.c.provider == literal(CASH)
    sums = (
        select(
            moved.c.currency,
            func.sum(case((is_cash, moved.c.amount), else_=0)),
            func.sum(case((is_cash, 0), else_=moved.c.amount)),
        )
        .group_by(moved.c.currency)
        .order_by(moved.c.currency)
    )
    return [
        ShiftSum(currency, int(cash), int(terminal))
        for currency, cash, terminal in db.session.execute(sums)
    ]


def close_shift(
    *,
    shift_id: UUID,
    counted: Mapping[str, int],
    note: str | None,
    by_id: UUID,
    now: datetime,
) -> Sequence[ShiftTotal]:
    """Write down what is in the drawer at a shift's end, in the caller's transaction, once.

    `counted` is by currency, in minor units; name at least one. What was taken in a currency that
    is not named counts as none in the drawer. A repetition answers what was written first.

    Raises:
        NotFound: there is no such shift.
        CountUnexplained: the drawer holds another sum than was recorded, and there is no note.
        PaymentUnderWay: a terminal of this shift still waits for a card.
    """
    locked = select(Shift.id).where(Shift.id == shift_id).with_for_update()
    if db.session.scalar(locked) is None:
        raise NotFound
    closed = _totals(shift_id)
    if closed:
        return closed
    if not counted:
        raise ValueError("a count names a currency")
    _refuse_waiting(shift_id)
    sums = {one.currency: one for one in shift_sums(shift_id)}
    for currency in sorted(counted.keys() | sums.keys()):
        was = sums.get(currency, ShiftSum(currency, 0, 0))
        found = counted.get(currency, 0)
        if found != was.cash and not note:
            raise CountUnexplained(currency=currency, expected=was.cash, counted=found)
        db.session.add(
            ShiftTotal(
                shift_id=shift_id,
                currency=currency,
                cash=was.cash,
                terminal=was.terminal,
                counted=found,
                note=note,
                closed_by_id=by_id,
                closed_at=now,
            )
        )
    db.session.flush()
    return _totals(shift_id)


def _refuse_waiting(shift_id: UUID) -> None:
    waiting = select(Payment.id).where(
        Payment.shift_id == shift_id, Payment.status.in_(policy.OPEN)
    )
    payment_id = db.session.scalar(waiting.limit(1))
    if payment_id is not None:
        raise PaymentUnderWay(payment_id=str(payment_id))


def _totals(shift_id: UUID) -> Sequence[ShiftTotal]:
    mine = select(ShiftTotal).where(ShiftTotal.shift_id == shift_id)
    return db.session.scalars(mine.order_by(ShiftTotal.currency)).all()
