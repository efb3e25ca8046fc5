"""The books before and after the tour, against what the tour must have added."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dev.tour.expected import Books
from dev.tour.reading import NOTHING, Reading, Row

_SIGNS = {"sold": 1, "redeemed": -1, "voided": 1, "lapsed": -1, "refunded": -1}


class Compared(NamedTuple):
    """One row of a report: what it was, what it must be now, and what it is."""

    place: tuple[str, str, str]
    before: Row
    expected: Row
    seen: Row

    def added(self, kind: str) -> tuple[int, int]:
        """What the tour has added, in cups and money."""
        cups = f"cups_{kind}"
        return self.seen[cups] - self.before[cups], self.seen[kind] - self.before[kind]

    def wrong(self) -> Iterator[str]:
        """A sentence for each number that is off."""
        for name in NOTHING:
            if self.seen[name] != self.expected[name]:
                where = " ".join(self.place)
                yield f"{where}, {name}: expected {self.expected[name]}, seen {self.seen[name]}"


class Debt(NamedTuple):
    """One cell of the settlement, in cups and money that the tour has added."""

    place: tuple[str, str, str]
    expected: tuple[int, int]
    seen: tuple[int, int]

    def wrong(self) -> Iterator[str]:
        if self.seen != self.expected:
            month, sold_at, made_at = self.place
            expected, seen = (f"{money} for {cups} cups" for cups, money in self[1:])
            yield f"{month}, {sold_at} owes {made_at}: expected {expected}, seen {seen}"


def roll_forward(
    before: Reading, after: Reading, books: Books, months: Sequence[str], offers: Sequence[str]
) -> list[Compared]:
    """Compare each store's row of each of these offers, month after month.

    A month opens with what the one before closed with; one that had not begun when the tour
    did, had nothing in it.
    """
    places = {*before.rows, *after.rows, *books.moved}
    compared = []
    for store, offer in sorted({place[1:] for place in places if place[2] in offers}):
        closing: Row | None = None
        for month in months:
            was = before.rows.get((month, store, offer)) or _begun(closing)
            expected = _expected(was, books, (month, store, offer), closing)
            seen = after.rows.get((month, store, offer), NOTHING)
            compared.append(Compared((month, store, offer), was, expected, seen))
            closing = expected
    return compared


def settlement(before: Reading, after: Reading, books: Books, months: Sequence[str]) -> list[Debt]:
    """Compare what stores owe one another, month by month."""
    places = {*before.owed, *after.owed, *books.owed}
    return [
        Debt(place, _both(books, place), _difference(before, after, place))
        for place in sorted(places)
        if place[0] in months
    ]


def _expected(
    was: Row, books: Books, place: tuple[str, str, str], last: Row | None
) -> dict[str, int]:
    expected = dict(was)
    moved = books.moved.get(place, {})
    for prefix, unit in (("", "money"), ("cups_", "cups")):
        if last is not None:
            expected[f"{prefix}opening"] = last[f"{prefix}closing"]
        for kind in _SIGNS:
            expected[f"{prefix}{kind}"] += moved[kind][unit] if kind in moved else 0
        flow = sum(sign * expected[f"{prefix}{kind}"] for kind, sign in _SIGNS.items())
        expected[f"{prefix}closing"] = expected[f"{prefix}opening"] + flow
    return expected


def _begun(closing: Row | None) -> Row:
    """A month of which nothing had been read: it opens and closes with what was there."""
    if closing is None:
        return NOTHING
    kept = {"opening": closing["closing"], "closing": closing["closing"]}
    cups = {f"cups_{name}": closing["cups_closing"] for name in kept}
    return {**NOTHING, **kept, **cups}


def _both(books: Books, place: tuple[str, str, str]) -> tuple[int, int]:
    amount: Mapping[str, int] = books.owed.get(place, {})
    return amount.get("cups", 0), amount.get("money", 0)


def _difference(before: Reading, after: Reading, place: tuple[str, str, str]) -> tuple[int, int]:
    cups, money = after.owed.get(place, (0, 0))
    cups_before, money_before = before.owed.get(place, (0, 0))
    return cups - cups_before, money - money_before
