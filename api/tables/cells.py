"""How plain values become cells of a workbook."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from api.tables.column import Kind
from api.tables.table import Plain
from kernel.safe_text import looks_like_formula, readable

if TYPE_CHECKING:  # loaded only by who makes a workbook
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

LONGEST_TEXT = 32_767  # in UTF-16 units, as Excel counts
_CUT = "…"
_DIGITS = 10**15  # what Excel keeps of a number
# Excel takes 1900 for a leap year, so it counts days rightly from here on.
_FIRST_DAY = date(1900, 3, 1)

_LOOKS = {
    "head": {"bold": True},
    "whole": {"num_format": "#,##0"},
    "count": {"num_format": "0"},
    "share": {"num_format": "0.00%"},
    "day": {"num_format": "yyyy\\-mm\\-dd"},
    "quoted": {"num_format": "@", "quote_prefix": True},  # stays text when somebody edits it
    "plain": {},
}

Write = Callable[[int, int, Any], object]


class CellWriter:
    """Writes what is in cells of `sheet`; `cut` counts the texts that were too long for one.

    Each value is written as what it is, never as what it looks like, so nothing becomes a formula
    or a link.
    """

    def __init__(self, book: "Workbook") -> None:
        self._looks = {name: book.add_format(look) for name, look in _LOOKS.items()}
        self._sheet: Worksheet
        self.cut = 0

    def turn_to(self, sheet: "Worksheet") -> None:
        """Go on in this sheet."""
        self._sheet = sheet

    def writer(self, kind: Kind) -> Write:
        """Answer what writes the values of such a column, each at its row and place."""
        look = self._looks.get(kind.cell)
        sheet = self._sheet
        match kind.cell:
            case "text":
                return sheet.write_string
            case "name":
                return self._name
            case "whole" | "count":
                return lambda row, place, number: self._whole(row, place, number, kind.cell)
            case "share":
                return lambda row, place, share: sheet.write_number(row, place, float(share), look)
            case "day":
                return self._day
            case "flag":
                return sheet.write_boolean

    def line(self, row: int, values: Iterable[Plain], *, is_head: bool = False) -> None:
        """Write values of any sort side by side."""
        for place, value in enumerate(values):
            match value:
                case None:
                    pass
                case _ if is_head:
                    self._text(row, place, readable(str(value)), "head")
                case bool():
                    self._sheet.write_boolean(row, place, value)
                case int():
                    self._whole(row, place, value, "whole")
                case str():
                    self._name(row, place, value)

    def _name(self, row: int, place: int, name: str) -> None:
        """Write text that somebody typed, as text whatever it looks like."""
        text = self._fitting(readable(name))
        self._text(row, place, text, "quoted" if looks_like_formula(text) else "plain")

    def _text(self, row: int, place: int, text: str, look: str) -> None:
        """Write text.

        In constant memory the library takes what begins with <r> and ends with </r> for its own
        XML and does not escape it, so such a text goes in two parts.
        """
        styled = self._looks[look]
        if text.startswith("<r>"):
            plain = self._looks["plain"]
            self._sheet.write_rich_string(row, place, text[:1], plain, text[1:], styled)
        else:
            self._sheet.write_string(row, place, text, styled)

    def _whole(self, row: int, place: int, number: int, look: str) -> None:
        """Write an integer; one of more digits than Excel keeps as text, so that it keeps them."""
        if -_DIGITS < number < _DIGITS:
            self._sheet.write_number(row, place, number, self._looks[look])
        else:
            self._sheet.write_string(row, place, str(number))

    def _day(self, row: int, place: int, written: str) -> None:
        day = date.fromisoformat(written)
        if day < _FIRST_DAY:
            self._sheet.write_string(row, place, written)
        else:
            at = datetime.combine(day, time.min)
            self._sheet.write_datetime(row, place, at, self._looks["day"])

    def _fitting(self, text: str) -> str:
        """Cut what Excel would not open, and end it so that one sees it."""
        if len(text) <= LONGEST_TEXT // 2:
            return text
        units = text.encode("utf-16-le")
        if len(units) <= 2 * LONGEST_TEXT:
            return text
        self.cut += 1
        return units[: 2 * (LONGEST_TEXT - len(_CUT))].decode("utf-16-le", "ignore") + _CUT
