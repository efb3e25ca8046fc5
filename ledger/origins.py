"""What finance's own entries were about: the payment or the run that booked them."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from ledger.models import BreakageRun, SettlementPayment
from ledger.month import Month


def find_payment(payment_id: UUID) -> SettlementPayment | None:
    """Find a payment between stores."""
    return db.session.get(SettlementPayment, payment_id)


def find_run(*, entry_id: UUID, occurred_on: date) -> BreakageRun | None:
    """Find the run of a month's breakage that made an entry."""
    of_month = BreakageRun.first_on == Month.of(occurred_on).first_on
    return db.session.scalar(select(BreakageRun).where(of_month, BreakageRun.entry_id == entry_id))
