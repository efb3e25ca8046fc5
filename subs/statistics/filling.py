"""Filling the tables: half of the work here, the other read beside on a connection of its own."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO, Any

from sqlalchemy import delete, text

from kernel.db import Base, db, table_of
from kernel.side_by_side import beside
from subs.statistics.models import CELL
from subs.statistics.months import Reach

# Nobody waits for it. What does not fit into a little memory is sorted on the disk, so what a count
# takes does not grow with the chain: a statement has some such pieces at once. One statement counts
# a month and three years: a plan that was kept for the one takes hours for the other. Cells that
# are read beside are fetched through a cursor, and all of them are wanted.
_PATIENCE = (
    "SET LOCAL plan_cache_mode = 'force_custom_plan'",
    "SET LOCAL statement_timeout = '20min'",
    "SET LOCAL lock_timeout = '20min'",
    "SET LOCAL work_mem = '32MB'",
    "SET LOCAL max_parallel_workers_per_gather = 0",
    "SET LOCAL cursor_tuple_fraction = 1",
)

_BROUGHT = "SELECT {columns} FROM json_populate_recordset(NULL::{table}, CAST(:cells AS json))"
_AT_ONCE = 2_000

Cells = IO[bytes]
"""Cells on their way from one connection to the other: a file with a line of JSON for each."""


@dataclass(frozen=True, slots=True)
class Filling:
    """The cells of a table within a reach, and the query that answers them, in its columns' order.

    `has_few` cells, some thousands, where they may be read elsewhere and brought here.
    """

    table: type[Base]
    query: str
    reach: Reach
    also: dict[str, Any]
    has_few: bool

    @property
    def name(self) -> str:
        return table_of(self.table).name

    @property
    def columns(self) -> str:
        own = [column.name for column in table_of(self.table).columns if column.name not in CELL]
        return ", ".join([*CELL, *own])

    @property
    def parameters(self) -> dict[str, Any]:
        return {**self.reach.parameters, **self.also}


def be_patient() -> None:
    """Settle the open transaction for long statements."""
    for setting in _PATIENCE:
        db.session.execute(text(setting))


def fill(fillings: Iterable[Filling]) -> None:
    """Count cells anew, in the open transaction: half of the work on another connection and core.

    Only reading is done there, of what is committed. Whoever counts holds the turn, so nobody else
    writes cells. What is read waits in files, so that this process holds some of it only. There the
    first of those with few cells is begun with; here, after all others, the last: whichever of the
    two is done earlier takes more of them.
    """
    many, few = _parted(fillings)
    with ExitStack() as kept:
        with beside(partial(_read, few, kept)) as reading:
            for one in chain(many, _taken(few.pop)):  # one by one: the other takes, too
                _clear(one)
                _put(one, one.query, one.parameters)
            brought = reading.result()
        for one, cells in brought:
            _clear(one)
            _bring(one, cells)


def _parted(fillings: Iterable[Filling]) -> tuple[deque[Filling], deque[Filling]]:
    parted: tuple[deque[Filling], deque[Filling]] = (deque(), deque())
    for one in fillings:
        parted[one.has_few].append(one)
    return parted


def _taken(take: Callable[[], Filling]) -> Iterator[Filling]:
    while True:
        try:
            yield take()
        except IndexError:  # the other thread took the last one
            return


def _read(few: deque[Filling], kept: ExitStack) -> list[tuple[Filling, Cells]]:
    """Write down the cells of each, as JSON that PostgreSQL makes and reads, and nobody else."""
    be_patient()
    read: list[tuple[Filling, Cells]] = []
    for filling in _taken(few.popleft):
        asked = f"SELECT row_to_json(cell)::text FROM ({filling.query}) AS cell ({filling.columns})"  # noqa: S608  our own words
        found = db.session.scalars(
            text(asked), filling.parameters, execution_options={"yield_per": _AT_ONCE}
        )
        cells = kept.enter_context(TemporaryFile())  # noqa: SIM115  `fill` closes it
        cells.writelines(line.encode() + b"\n" for line in found)
        read.append((filling, cells))
    return read


def _bring(filling: Filling, cells: Cells) -> None:
    query = _BROUGHT.format(columns=filling.columns, table=filling.name)
    cells.seek(0)
    while lines := list(islice(cells, _AT_ONCE)):
        _put(filling, query, {"cells": f"[{b','.join(lines).decode()}]"})


def _clear(filling: Filling) -> None:
    table: Any = filling.table
    db.session.execute(delete(table).where(table.month_on >= filling.reach.first_on))


def _put(filling: Filling, query: str, parameters: dict[str, Any]) -> None:
    put = f"INSERT INTO {filling.name} ({filling.columns}) {query}"
    db.session.execute(text(put), parameters)
