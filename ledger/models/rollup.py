"""Sums of lines, folded in the background: what makes reports fast. All of it can be rebuilt.

A line has two legs, its debit and its credit. A leg's cell is where it is summed: by store and
account; legs of what is owed to shoppers also by offer, legs between stores also by counterpart.
Where a cell has no offer or counterpart it holds NOBODY. `cups` are credits minus debits.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped

from kernel.db import Base


class RollupDay(Base):
    """What one account of one store moved on one day, by kind of event."""

    __tablename__ = "rollup_day"
    __table_args__ = (PrimaryKeyConstraint("book_date", "account", "store_id", "kind", "currency"),)

    book_date: Mapped[date]
    account: Mapped[str]
    store_id: Mapped[UUID]
    kind: Mapped[str]
    currency: Mapped[str]
    debit: Mapped[int]
    credit: Mapped[int]
    cups: Mapped[int]


class RollupMonth(Base):
    """What one cell moved in one month, by kind of event. `first_on` is the month's first day."""

    __tablename__ = "rollup_month"
    __table_args__ = (
        PrimaryKeyConstraint(
            "first_on",
            "account",
            "store_id",
            "offer_id",
            "counterpart_store_id",
            "kind",
            "currency",
        ),
        CheckConstraint("extract(day FROM first_on) = 1", "starts_on_the_first"),
    )

    first_on: Mapped[date]
    account: Mapped[str]
    store_id: Mapped[UUID]
    offer_id: Mapped[UUID]
    counterpart_store_id: Mapped[UUID]
    kind: Mapped[str]
    currency: Mapped[str]
    debit: Mapped[int]
    credit: Mapped[int]
    cups: Mapped[int]


class RollupForward(Base):
    """How what one store owes for one offer moved in one month: a row of the roll-forward.

    The liability cells of `rollup_month` with their kinds side by side, signed as in the report
    (`ledger.reports.roll_forward`): a report of a large chain reads a quarter of the rows.
    """

    __tablename__ = "rollup_forward"
    __table_args__ = (
        PrimaryKeyConstraint("first_on", "store_id", "offer_id", "account", "currency"),
        CheckConstraint("extract(day FROM first_on) = 1", "starts_on_the_first"),
    )

    first_on: Mapped[date]
    store_id: Mapped[UUID]
    offer_id: Mapped[UUID]
    account: Mapped[str]
    currency: Mapped[str]
    sold: Mapped[int]
    redeemed: Mapped[int]
    voided: Mapped[int]
    lapsed: Mapped[int]
    breakage: Mapped[int]
    refunded: Mapped[int]
    charged_back: Mapped[int]
    earned: Mapped[int]
    transferred: Mapped[int]
    adjusted: Mapped[int]
    cups_sold: Mapped[int]
    cups_redeemed: Mapped[int]
    cups_voided: Mapped[int]
    cups_lapsed: Mapped[int]
    cups_breakage: Mapped[int]
    cups_refunded: Mapped[int]
    cups_charged_back: Mapped[int]
    cups_earned: Mapped[int]
    cups_transferred: Mapped[int]
    cups_adjusted: Mapped[int]


class MonthBalance(Base):
    """The balance of a cell at the end of a closed month: credits minus debits since the beginning.

    Dense: cells that did not move in the month are there too. A reopened month keeps the balances
    of its earlier versions; the ones that count have `book_month.version` of a closed month.
    """

    __tablename__ = "month_balance"
    __table_args__ = (
        PrimaryKeyConstraint(
            "first_on",
            "version",
            "account",
            "store_id",
            "offer_id",
            "counterpart_store_id",
            "currency",
        ),
        CheckConstraint("extract(day FROM first_on) = 1", "starts_on_the_first"),
    )

    first_on: Mapped[date]
    version: Mapped[int]
    account: Mapped[str]
    store_id: Mapped[UUID]
    offer_id: Mapped[UUID]
    counterpart_store_id: Mapped[UUID]
    currency: Mapped[str]
    balance: Mapped[int]
    cups: Mapped[int]
