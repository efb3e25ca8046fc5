"""A store pays another for cups that it had sold and the other made."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text

import chain
from kernel.db import db
from kernel.ids import NOBODY, new_id
from kernel.turns import take_turn
from ledger import policy
from ledger.errors import PeriodInvalid, SettlementExceedsDebt
from ledger.models import SettlementPayment
from ledger.month import Month
from ledger.service.moved import LEGS
from ledger.service.periods import check_day
from ledger.service.posting import Event, post

_OWED = text(f"""
WITH {LEGS}
SELECT total(amount) FROM leg
WHERE account = :account AND store_id = :payer_id AND counterpart_store_id = :payee_id
  AND currency = :currency
""")  # noqa: S608  of our own text


def pay(
    *,
    payer_id: UUID,
    payee_id: UUID,
    amount: int,
    currency: str,
    paid_on: date,
    reference: str,
    by_id: UUID,
    now: datetime,
) -> SettlementPayment:
    """Record a payment, in the books of both stores (E2).

    One at a time for two stores, so that a debt is not paid twice. A day in a month that is no
    longer open is booked today, with both dates.

    Raises:
        NotFound: there is no such store.
        PeriodInvalid: the day is to come, or before the books.
        SettlementExceedsDebt: the payer owes less than that.
    """
    for store_id in (payer_id, payee_id):
        chain.get_store(store_id)
    _check_paid(paid_on, now)
    take_turn(hashlib.sha256(b"%b pays %b" % (payer_id.bytes, payee_id.bytes)).digest())
    owed = find_owed(payer_id=payer_id, payee_id=payee_id, currency=currency)
    if amount > owed:
        raise SettlementExceedsDebt(owed=max(owed, 0), currency=currency)
    payment = SettlementPayment(
        id=new_id(),
        payer_id=payer_id,
        payee_id=payee_id,
        amount=amount,
        currency=currency,
        paid_on=paid_on,
        reference=reference,
        recorded_by_id=by_id,
        recorded_at=now,
    )
    payment.entry_id = _book(payment, now)
    db.session.add(payment)
    db.session.flush()
    return payment


def find_owed(*, payer_id: UUID, payee_id: UUID, currency: str) -> int:
    """What a store owes another by all that is booked until now."""
    asked = {"payer_id": payer_id, "payee_id": payee_id, "currency": currency}
    owed: int = db.session.execute(_OWED, {"account": policy.DUE_TO_STORE, **asked}).scalar_one()
    return owed


def list_payments(*, after: UUID | None = None, limit: int) -> Sequence[SettlementPayment]:
    """Payments between stores in the order in which they were recorded."""
    rows = select(SettlementPayment).order_by(SettlementPayment.id).limit(limit)
    if after is not None:
        rows = rows.where(SettlementPayment.id > after)
    return db.session.scalars(rows).all()


def _check_paid(paid_on: date, now: datetime) -> None:
    if paid_on > chain.today_on(now):
        raise PeriodInvalid(period=str(Month.of(paid_on)))
    check_day(paid_on, now=now)


def _book(payment: SettlementPayment, now: datetime) -> UUID:
    return post(
        Event(
            member_id=NOBODY,
            kind="settlement",
            source_id=payment.id,
            pairs=policy.settlement(
                payer_id=payment.payer_id, payee_id=payment.payee_id, amount=payment.amount
            ),
            event_at=now,
            occurred_on=payment.paid_on,
            known_on=chain.today_on(now),
            currency=payment.currency,
        )
    )
