"""The latest closed month is reopened: proposed by one person, approved by another."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from ledger.errors import PeriodState, ReopeningEnded, ReopeningOrder
from ledger.models import BookMonth, Reopening
from ledger.month import Month
from ledger.service.periods import alone, latest, note_step, shut_out_finance


def propose(*, month: Month, reason: str, by_id: UUID, now: datetime) -> Reopening:
    """Ask somebody else to let the latest closed month be reopened.

    Raises:
        PeriodState: it is not closed.
        ReopeningOrder: a later month is closed too.
        ReopeningExists: it was proposed before, for this version.
    """
    alone()
    row = _latest_closed(month)
    wish = Reopening(
        id=new_id(),
        first_on=month.first_on,
        version=row.version,
        reason=reason,
        proposed_by_id=by_id,
        proposed_at=now,
    )
    db.session.add(wish)
    db.session.flush()
    return wish


def approve(*, reopening_id: UUID, by_id: UUID, now: datetime) -> Reopening:
    """Reopen the month, back to soft: its closing becomes a version, and the next one another.

    The balances of the earlier versions stay.

    Raises:
        NotFound: there is no such proposal.
        TwoPeople: it is one's own.
        ReopeningEnded: it was approved before.
        PeriodState, ReopeningOrder: the month is not the latest closed one any more.
    """
    alone()
    wish = db.session.get(Reopening, reopening_id, populate_existing=True)
    if wish is None:
        raise NotFound
    if wish.approved_at is not None:
        raise ReopeningEnded
    month = Month(wish.first_on)
    row = _latest_closed(month)
    wish.approved_by_id, wish.approved_at = by_id, now
    db.session.flush()
    _reopen(row, by_id=by_id, now=now)
    return wish


def list_reopenings() -> Sequence[Reopening]:
    """All proposals there ever were, the latest first."""
    return db.session.scalars(select(Reopening).order_by(Reopening.id.desc())).all()


def _latest_closed(month: Month) -> BookMonth:
    row = db.session.get(BookMonth, month.first_on, populate_existing=True)
    if row is None or row.state != "closed":
        state, version = (row.state, row.version) if row else ("open", 1)
        raise PeriodState(state=state, version=version)
    last = latest("closed")
    if last is not row:
        assert last is not None  # this one is closed
        raise ReopeningOrder(latest=str(Month(last.first_on)))
    return row


def _reopen(row: BookMonth, *, by_id: UUID, now: datetime) -> None:
    shut_out_finance(Month(row.first_on))
    row.state, row.closed_at, row.digest = "soft", None, None
    row.version += 1
    db.session.flush()
    note_step(row, "reopened", by_id=by_id, now=now)
