"""How plain values become cells of a workbook."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache, partial
from typing import Any

from api.tables.column import Kind
from api.tables.safe_text import looks_like_formula, readable
from api.tables.table import Plain
from api.tables.workbook import (
    LONGEST_TEXT,
    flag_cell,
    harmless_text_cell,
    letters,
    number_cell,
    text_cell,
    whole_cell,
)

_CUT = "…"
_SHORT = 100
# Excel counts days from here on, and rightly only from March 1900 on: its 1900 was a leap year.
_DAY_0 = date(1899, 12, 30).toordinal()
_FIRST_DAY = date(1900, 3, 1).toordinal()

Write = Callable[[Any], str]


class CellWriter:
    """Writes what is in cells; `cut` counts the texts that were too long for one."""

    def __init__(self) -> None:
        self.cut = 0

    def writer(self, kind: Kind) -> Write:
        """Answer what writes the values of such a column."""
        match kind.cell:
            case "text":
                return harmless_text_cell
            case "name":
                return self.name
            case "whole" | "count":
                return partial(whole_cell, look=kind.cell)
            case "share":
                return partial(number_cell, look="share")
            case "day":
                return _day
            case "flag":
                return flag_cell

    def name(self, text: str) -> str:
        """Write text that somebody typed, as text whatever it looks like."""
        return _known_name(text) if len(text) < _SHORT else _name(self._fitting(text))

    def line(self, values: Sequence[Plain], *, is_head: bool = False) -> Iterator[tuple[str, str]]:
        """Write values of any sort side by side."""
        for place, value in enumerate(values):
            if value is not None:
                yield letters(place), self._any(value, is_head=is_head)

    def _any(self, value: str | int, *, is_head: bool) -> str:
        if is_head:
            return text_cell(readable(str(value)), "head")
        match value:
            case bool():
                return flag_cell(value)
            case int():
                return whole_cell(value, "whole")
        return self.name(value)

    def _fitting(self, text: str) -> str:
        """Cut what Excel would not open, and end it so that one sees it."""
        if len(text) <= LONGEST_TEXT // 2:
            return text
        units = readable(text).encode("utf-16-le")
        if len(units) <= 2 * LONGEST_TEXT:
            return text
        self.cut += 1
        return units[: 2 * (LONGEST_TEXT - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def _name(text: str) -> str:
    text = readable(text)
    return text_cell(text, "quoted" if looks_like_formula(text) else "plain")


@lru_cache(1_024)  # a report says the same names, accounts and days again and again
def _known_name(text: str) -> str:
    return _name(text)


@lru_cache(1_024)
def _day(day: str) -> str:
    ordinal = date.fromisoformat(day).toordinal()
    return text_cell(day) if ordinal < _FIRST_DAY else number_cell(ordinal - _DAY_0, "day")
