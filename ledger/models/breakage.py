"""Estimates of what will never be collected, by offer, and what was booked by them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped

from kernel.db import Base


class BreakageEstimate(Base):
    """From a month on, how much of an offer will not be collected. A change adds a row.

    off: nothing is estimated. proportional: `basis_points` of all that was sold, recognised in the
    proportion in which the rest is collected (IFRS 15 B46). remote: what is left will hardly ever
    be collected, so all of it is recognised.
    """

    __tablename__ = "breakage_estimate"
    __table_args__ = (
        PrimaryKeyConstraint("offer_id", "first_on", "version"),
        CheckConstraint("method IN ('off', 'proportional', 'remote')", "method_known"),
        CheckConstraint("basis_points BETWEEN 0 AND 9999", "rate_sane"),
        CheckConstraint("method = 'proportional' OR basis_points = 0", "rate_is_proportional"),
        CheckConstraint("extract(day FROM first_on) = 1", "starts_on_the_first"),
        CheckConstraint("reason <> ''", "has_a_reason"),
    )

    offer_id: Mapped[UUID]
    first_on: Mapped[date]
    version: Mapped[int]
    method: Mapped[str]
    basis_points: Mapped[int]
    reason: Mapped[str]
    made_by_id: Mapped[UUID]
    made_at: Mapped[datetime]


class BreakageRun(Base):
    """What was booked for an offer at the end of a month, and from which figures.

    Figures are of the whole pool of the offer at one store since the beginning: `sold` and `cups`
    net of refunds and disputes, `redeemed` cups and what they carried; `recognised` is breakage
    to date. One entry for each run that moves something.
    """

    __tablename__ = "breakage_run"
    __table_args__ = (PrimaryKeyConstraint("first_on", "offer_id", "store_id", "account", "run"),)

    offer_id: Mapped[UUID]
    store_id: Mapped[UUID]
    account: Mapped[str]
    first_on: Mapped[date]
    run: Mapped[int]
    estimate_version: Mapped[int]
    sold: Mapped[int]
    cups_sold: Mapped[int]
    redeemed: Mapped[int]
    cups_redeemed: Mapped[int]
    recognised: Mapped[int]
    amount: Mapped[int]
    entry_id: Mapped[UUID | None]
    made_at: Mapped[datetime]
