"""A store's business day by the tour's own count, to hold its sheet against."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from dev.tour.expected import Books, Lot
from dev.tour.reading import Reading


class Sum(NamedTuple):
    """Cups that were handed over, those of them undone; the money of those that stayed."""

    cups: int
    cups_voided: int
    amount: int
    top_up: int


class Offline(NamedTuple):
    """Items that were served without a network, by what became of them."""

    outcome: str
    reason: str | None
    items: int
    cups: int
    cups_borne: int


@dataclass
class Line:
    """Cups of one drink from one lot with the money that went with them, and what came back."""

    product: str
    clerk: str
    lot: Lot
    cups: int
    amount: int
    top_up: int
    at: str
    is_offline: bool
    cups_voided: int = 0
    amount_voided: int = 0
    top_up_voided: int = 0

    def undo(self, cups: int) -> int:
        """Take cups back: of net and top-up their share, so that parts add up to the whole."""
        net, top_up = (
            Lot("", "", whole, self.cups, used=self.cups_voided, recognised=gone).take(cups)
            for whole, gone in (
                (self.amount, self.amount_voided),
                (self.top_up, self.top_up_voided),
            )
        )
        self.cups_voided += cups
        self.amount_voided += net
        self.top_up_voided += top_up
        return net

    def sum(self) -> Sum:
        return Sum(
            self.cups,
            self.cups_voided,
            self.amount - self.amount_voided,
            self.top_up - self.top_up_voided,
        )


@dataclass
class StoreDay:
    """What a store does on one business day.

    `before` is what stores owed one another for the month when it began, `books` what this day adds
    to that, `handed` the lines of each redemption by its id.
    """

    store: str
    on: date
    before: Reading
    books: Books = field(default_factory=Books)
    handed: dict[str, list[Line]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    offline: list[Offline] = field(default_factory=list)

    def hand_over(
        self,
        redemption_id: str,
        lot: Lot,
        product: str,
        cups: int,
        *,
        clerk: str,
        at: str,
        top_up: int = 0,
        is_offline: bool = False,
    ) -> None:
        """Count cups of one drink; several of one scan in the order in which they were asked."""
        amount = self.books.redeem(lot, cups, made_at=self.store, at=at)
        line = Line(product, clerk, lot, cups, amount, top_up, at, is_offline)
        self.handed.setdefault(redemption_id, []).append(line)

    def undo(self, redemption_id: str, product: str, cups: int) -> int:
        """Count cups of one drink as undone; answer their net."""
        line = next(one for one in self.handed[redemption_id] if one.product == product)
        amount = line.undo(cups)
        self.books.void(line.lot, cups, amount, made_at=self.store, at=line.at)
        return amount

    def lines(self) -> list[Line]:
        return [line for lines in self.handed.values() for line in lines]

    def by(self, of: Callable[[Line], str]) -> dict[str, Sum]:
        """All of it, by drink, clerk or selling store."""
        parts: dict[str, list[Sum]] = {}
        for line in self.lines():
            parts.setdefault(of(line), []).append(line.sum())
        return {key: _added(some) for key, some in parts.items()}

    def total(self) -> Sum:
        return _added(line.sum() for line in self.lines())


def sums_of(told: Iterable[Mapping[str, Any]]) -> dict[str, Sum]:
    """One of the four ways in which a sheet adds up, by code."""
    return {
        one["code"]: Sum(
            one["cups"], one["cups_voided"], one["amount"]["amount"], one["top_up"]["amount"]
        )
        for one in told
    }


def offline_of(told: Iterable[Mapping[str, Any]]) -> list[Offline]:
    """What a sheet says of what was served without a network."""
    return sorted(
        (Offline(*(one[name] for name in Offline._fields)) for one in told), key=lambda one: one[0]
    )


def _added(some: Iterable[Sum]) -> Sum:
    return Sum(*map(sum, zip(*some, strict=True)))
