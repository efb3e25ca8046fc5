"""What an export reads: the entries of a month, and balances where it begins and ends.

Everything comes through server-side cursors and is let go again, so that the size of a chain does
not matter. The caller holds a snapshot.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, select

from kernel.db import db
from kernel.ids import NOBODY
from ledger.export import statements
from ledger.export.naming import Cell
from ledger.legs import BETWEEN_STORES, OWED
from ledger.models import BookMonth
from ledger.month import Month

CUPS = "CUPS"
"""The commodity of cups. (CUP would be a currency: the Cuban peso.)"""

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a line: debits are positive, in money and in cups."""

    cell: Cell
    amount: int
    cups: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A line: its debit and its credit."""

    ordinal: int
    debit: Leg
    credit: Leg
    offer_id: UUID
    counterpart_store_id: UUID


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry with its lines; `number` is its seal's, None while it is not sealed."""

    id: UUID
    number: int | None
    kind: str
    book_date: date
    occurred_on: date
    currency: str
    reverses_id: UUID | None
    pairs: list[Pair]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a cell holds at a moment, by commodity: debits minus credits since the beginning."""

    cell: Cell
    amounts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A month as it is read for an export, in the state in which it is found."""

    month: Month
    state: str
    version: int
    digest: bytes | None

    @classmethod
    def of(cls, month: Month) -> "Reading":
        """Find out how the month stands: without a row it is open."""
        found = db.session.get(BookMonth, month.first_on)
        if found is None:
            return cls(month, "open", 1, None)
        return cls(month, found.state, found.version, found.digest)

    @property
    def is_closed(self) -> bool:
        return self.state == "closed"

    def opening(self) -> Iterator[Standing]:
        """What every cell held before the month, by store and account."""
        return _balances_before(self.month.first_on)

    def closing(self) -> Iterator[Standing]:
        """What every cell holds at the month's end: of a closed month, what was written then.

        So the lines of a closed month prove its balances, which all reports build on.
        """
        if not self.is_closed:
            return _balances_before(self.month.next_on)
        bounds = {"first_on": self.month.first_on, "version": self.version}
        return _standings(_streamed(statements.CLOSED, bounds))

    def currencies(self) -> list[str]:
        """The currencies that the month holds, by code."""
        return sorted({each for cell in self.closing() for each in cell.amounts} - {CUPS})

    def days(self) -> list[date]:
        length = (self.month.next_on - self.month.first_on).days
        return [self.month.first_on + timedelta(days=day) for day in range(length)]

    def entries_on(self, day: date) -> Iterator[Posted]:
        """The entries booked on a day, in the order in which they were made."""
        rows = _streamed(statements.ENTRIES_ON, {"day": day, "nobody": NOBODY})
        for _, lines in groupby(rows, key=attrgetter("entry_id", "member_id")):
            yield _posted(list(lines))


def _balances_before(day: date) -> Iterator[Standing]:
    last = db.session.scalar(
        select(BookMonth)
        .where(BookMonth.state == "closed", BookMonth.first_on < day)
        .order_by(BookMonth.first_on.desc())
        .limit(1)
    )
    bounds = {
        "base_on": last and last.first_on,
        "version": last and last.version,
        "from_on": Month(last.first_on).next_on if last else date.min,
        "until_on": day,
    }
    return _standings(_streamed(statements.BEFORE, bounds))


def _streamed(statement: TextClause, bounds: Mapping[str, Any]) -> Iterator[Row[Any]]:
    found = db.session.execute(statement, bounds, execution_options={"yield_per": _AT_ONCE})
    with found:
        yield from found


def _standings(rows: Iterator[Row[Any]]) -> Iterator[Standing]:
    """Cells with all their commodities; cups of several currencies are one sum."""
    for cell, held in groupby(rows, key=_cell_of):
        amounts: dict[str, int] = {}
        cups = 0
        for row in held:
            amounts[row.currency] = row.amount
            cups += row.cups
        yield Standing(cell, {**amounts, CUPS: cups})


def _cell_of(row: Row[Any]) -> Cell:
    return Cell(row.account, row.store_id, row.offer_id, row.counterpart_store_id)


def _posted(rows: list[Row[Any]]) -> Posted:
    first = rows[0]
    return Posted(
        id=first.entry_id,
        number=first.number,
        kind=first.kind,
        book_date=first.book_date,
        occurred_on=first.occurred_on,
        currency=first.currency,
        reverses_id=first.reverses_id,
        pairs=[_pair(row) for row in rows],
    )


def _pair(row: Row[Any]) -> Pair:
    return Pair(
        ordinal=row.ordinal,
        debit=Leg(_cell(row.debit, row), row.amount, row.qty),
        credit=Leg(_cell(row.credit, row), -row.amount, -row.qty),
        offer_id=row.offer_id,
        counterpart_store_id=row.counterpart_store_id,
    )


def _cell(account: str, row: Row[Any]) -> Cell:
    return Cell(
        account,
        row.store_id,
        row.offer_id if account in OWED else NOBODY,
        row.counterpart_store_id if account in BETWEEN_STORES else NOBODY,
    )
