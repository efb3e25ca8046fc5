"""Every report worked out anew from all lines, one by one: slow, plain, and of its own mind."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from ledger.models import Entry, Line
from ledger.month import Month

OWED = {"2131", "2132", "2134", "2138"}
SIGNS = {
    "sold": (+1, {"sale"}),
    "redeemed": (-1, {"redemption"}),
    "voided": (+1, {"void", "rest"}),
    "lapsed": (-1, {"lapse"}),
    "breakage": (-1, {"breakage"}),
    "refunded": (-1, {"refund"}),
    "charged_back": (-1, {"dispute_lost"}),
    "earned": (-1, {"earning"}),
    "transferred": (+1, {"gift", "claim", "gift_return", "transfer"}),
}


@dataclass(frozen=True)
class Leg:
    """One side of one line; money and cups are credits less debits."""

    entry: Entry
    line: Line
    account: str
    debit: int
    credit: int
    cups: int

    @property
    def amount(self):
        return self.credit - self.debit


def all_legs() -> list[Leg]:
    found = select(Entry, Line).join(
        Line, (Line.member_id == Entry.member_id) & (Line.entry_id == Entry.id)
    )
    legs = []
    for entry, line in db.session.execute(found):
        legs.append(Leg(entry, line, line.debit, line.amount, 0, -line.qty))
        legs.append(Leg(entry, line, line.credit, 0, line.amount, line.qty))
    return legs


def roll_forward(legs: Iterable[Leg], first: Month, last: Month, basis: str) -> list[dict]:
    cells: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for leg in legs:
        day = leg.entry.book_date if basis == "booked" else leg.entry.occurred_on
        if leg.account not in OWED or day >= last.next_on:
            continue
        cell = cells[
            leg.line.store_id,
            leg.line.offer_id or UUID(int=0),
            leg.account,
            leg.entry.currency,
        ]
        column, sign = "adjusted", 1
        for name, (its_sign, kinds) in SIGNS.items():
            if leg.entry.kind in kinds:
                column, sign = name, its_sign
        if day < first.first_on:
            column, sign = "opening", 1
        cell[column] += sign * leg.amount
        cell[f"cups_{column}"] += sign * leg.cups
        cell["closing"] += leg.amount
        cell["cups_closing"] += leg.cups
    rows = []
    for key in sorted(cells):
        moved = {name: value for name, value in cells[key].items() if value}
        if moved:
            names = ("store_id", "offer_id", "account", "currency")
            rows.append({**dict(zip(names, key, strict=True)), **moved})
    return rows


def said(row: Any) -> dict:
    """A row of a report without its zeros."""
    return {name: value for name, value in row._asdict().items() if value != 0}


def held(legs: Iterable[Leg], on: date) -> dict:
    sums: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for leg in legs:
        if leg.account in OWED and leg.entry.book_date <= on:
            cell = sums[leg.line.store_id, leg.account, leg.entry.currency]
            cell[0] += leg.amount
            cell[1] += leg.cups
    return {key: tuple(cell) for key, cell in sums.items() if any(cell)}


def settlement(legs: Iterable[Leg], month: Month) -> dict:
    """By selling store, making store, currency: cups, amount, paid, opening, closing."""
    cells: dict[Any, list[int]] = defaultdict(lambda: [0] * 5)
    moved = set()
    for leg in legs:
        if leg.account != "2171" or leg.entry.book_date >= month.next_on:
            continue
        other = leg.line.counterpart_store_id or UUID(int=0)
        key = (leg.line.store_id, other, leg.entry.currency)
        cell = cells[key]
        cell[4] += leg.amount
        if leg.entry.book_date < month.first_on:
            cell[3] += leg.amount
            continue
        moved.add(key)
        if leg.entry.kind == "settlement":
            cell[2] -= leg.amount
        else:
            cell[0] += leg.cups
            cell[1] += leg.amount
    return {key: tuple(cell) for key, cell in cells.items() if key in moved or cell[3]}


def statement(
    legs: Iterable[Leg], month: Month, stores: set[UUID], called: dict[UUID, UUID]
) -> dict:
    """By counterpart as it is called, direction, currency: cups, opening, owed, voided, paid."""
    cells: dict[Any, list[int]] = defaultdict(lambda: [0] * 5)
    moved = set()
    for leg in legs:
        is_asked = leg.account in {"1171", "2171"} and leg.line.store_id in stores
        if not is_asked or leg.entry.book_date >= month.next_on:
            continue
        way = 1 if leg.account == "2171" else -1
        other = leg.line.counterpart_store_id or UUID(int=0)
        direction = "payable" if leg.account == "2171" else "receivable"
        key = (called.get(other, other), direction, leg.entry.currency)
        cell = cells[key]
        if leg.entry.book_date < month.first_on:
            cell[1] += way * leg.amount
            continue
        moved.add(key)
        if leg.entry.kind == "settlement":
            cell[4] -= way * leg.amount
            continue
        cell[0] += way * leg.cups
        if leg.entry.kind in {"void", "rest"}:
            cell[3] -= way * leg.amount
        else:
            cell[2] += way * leg.amount
    return {key: tuple(cell) for key, cell in cells.items() if key in moved or cell[1]}


def trial_balance(
    legs: Iterable[Leg], first_on: date, last_on: date, stores: set[UUID] | None
) -> dict:
    """By account and currency: opening, debit, credit, closing; debits are positive."""
    cells: dict[Any, list[int]] = defaultdict(lambda: [0] * 4)
    for leg in legs:
        if leg.entry.book_date > last_on or (
            stores is not None and leg.line.store_id not in stores
        ):
            continue
        cell = cells[leg.account, leg.entry.currency]
        cell[3] -= leg.amount
        if leg.entry.book_date < first_on:
            cell[0] -= leg.amount
        else:
            cell[1] += leg.debit
            cell[2] += leg.credit
    return {key: tuple(cell) for key, cell in cells.items() if any(cell)}


def vat(legs: Collection[Leg], month: Month) -> dict:
    """By store, kind, currency: net charged, net given back, VAT charged, VAT given back."""
    cells: dict[Any, list[int]] = defaultdict(lambda: [0] * 4)
    taxed = {"sale", "refund", "top_up", "dispute_lost", "adjustment", "void"}
    at_till = {
        (leg.entry.id, leg.line.lot_id)
        for leg in legs
        if leg.account == "2194"
        and leg.line.lot_id
        and leg.entry.kind in {"redemption", "rest", "void"}
    }
    for leg in legs:
        if Month.of(leg.entry.book_date) != month:
            continue
        cell = cells[leg.line.store_id, leg.entry.kind, leg.entry.currency]
        if leg.account == "2194":
            cell[2] += leg.credit
            cell[3] += leg.debit
        elif (
            (leg.entry.kind in {"redemption", "rest"} and leg.account == "4115")
            or (leg.entry.kind == "refund" and leg.account == "4111")
            or (leg.account == "4111" and (leg.entry.id, leg.line.lot_id) in at_till)
        ):
            cell[0] += leg.credit
            cell[1] += leg.debit
        elif leg.account in {"2131", "2132", "4114", "4115"} and leg.entry.kind in taxed:
            is_return = leg.entry.kind == "void" and leg.account in {"2131", "2132"}
            cell[0] += 0 if is_return else leg.credit
            cell[1] += leg.debit
    return {key: tuple(cell) for key, cell in cells.items() if any(cell)}
