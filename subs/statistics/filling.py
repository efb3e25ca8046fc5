"""Filling the tables: some figures here, the others read beside on a connection of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import delete, text

from kernel.db import Base, db, table_of
from kernel.side_by_side import beside
from subs.statistics.models import CELL
from subs.statistics.months import Reach

# Nobody waits for it. What does not fit into a little memory is sorted on the disk. One statement
# counts a month and three years: a plan that was kept for the one takes hours for the other.
_PATIENCE = (
    "SET LOCAL plan_cache_mode = 'force_custom_plan'",
    "SET LOCAL statement_timeout = '20min'",
    "SET LOCAL lock_timeout = '20min'",
    "SET LOCAL work_mem = '128MB'",
)

_BROUGHT = "SELECT {columns} FROM json_populate_recordset(NULL::{table}, CAST(:cells AS json))"


@dataclass(frozen=True, slots=True)
class Filling:
    """The cells of a table within a reach, and the query that answers them, in its columns' order.

    `is_beside` where they are few thousands, so that they may be read elsewhere and brought here.
    """

    table: type[Base]
    query: str
    reach: Reach
    also: dict[str, Any]
    is_beside: bool

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
    writes cells.
    """
    here, there = _parted(fillings)
    with beside(partial(_read, there)) as reading:
        for one in here:
            _clear(one)
            _put(one, one.query, one.parameters)
        for one, cells in zip(there, reading.result(), strict=True):
            _clear(one)
            _put(one, _BROUGHT.format(columns=one.columns, table=one.name), {"cells": cells})


def _parted(fillings: Iterable[Filling]) -> tuple[list[Filling], list[Filling]]:
    parted: tuple[list[Filling], list[Filling]] = ([], [])
    for one in fillings:
        parted[one.is_beside].append(one)
    return parted


def _read(fillings: Sequence[Filling]) -> list[str]:
    """The cells of each, as JSON: PostgreSQL writes and reads it, nobody else looks into it."""
    be_patient()
    return [_read_one(one) for one in fillings]


def _read_one(filling: Filling) -> str:
    asked = f"SELECT coalesce(json_agg(cell), '[]')::text FROM ({filling.query}) AS cell"  # noqa: S608  our own words
    cells: str = db.session.execute(
        text(f"{asked} ({filling.columns})"), filling.parameters
    ).scalar_one()
    return cells


def _clear(filling: Filling) -> None:
    table: Any = filling.table
    db.session.execute(delete(table).where(table.month_on >= filling.reach.first_on))


def _put(filling: Filling, query: str, parameters: dict[str, Any]) -> None:
    put = f"INSERT INTO {filling.name} ({filling.columns}) {query}"
    db.session.execute(text(put), parameters)
