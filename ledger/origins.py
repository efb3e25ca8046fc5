"""What finance's own entries were about: the payment or the run that booked them."""

from datetime import date
from uuid import UUID

from kernel.db import db
from ledger.models import BreakageRun, SettlementPayment
from ledger.month import Month
from ledger.service.estimating import list_runs


def find_payment(payment_id: UUID) -> SettlementPayment | None:
    """Find a payment between stores."""
    return db.session.get(SettlementPayment, payment_id)


def find_run(*, entry_id: UUID, occurred_on: date) -> BreakageRun | None:
    """Find the run of a month's breakage that made an entry."""
    runs = list_runs(Month.of(occurred_on))
    return next((run for run in runs if run.entry_id == entry_id), None)
