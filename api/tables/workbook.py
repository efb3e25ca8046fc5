"""An XLSX file as it is made: a zip of XML (ECMA-376), written straight through, in bounded memory.

Sheets are written one after the other and rows from the top; nothing is held. Only what tables
need is here: text, numbers, yes and no. There is no way to write a formula or a link.

XlsxWriter, which can do everything, needs six times the CPU for that (8 s for 100,000 rows of ten
columns, against 1.3 s), in a process that serves tills, and 9 MB in each.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Self
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from api.tables import package

MOST_ROWS = 1_048_576
LONGEST_TEXT = 32_767  # in UTF-16 units, as Excel counts
# Beyond 2 GiB a part would need the zip's 64-bit form, which not every Excel opens.
_MOST_BYTES = 1_500_000_000
_DIGITS = 10**15  # what Excel keeps of a number
_LEVEL = 3  # of compression: four fifths of the time of the usual 6, a sixth more bytes
_LOOK = {name: number for number, name in enumerate(package.LOOKS)}

_SPECIAL = re.compile(r"[&<>\r]|_x[0-9A-Fa-f]{4}_")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def text_cell(text: str, look: str = "plain") -> str:
    """Write text that XML can hold, of at most `LONGEST_TEXT`, as text."""
    if _SPECIAL.search(text):  # `_x0041_` would be read as A
        text = escape(_ESCAPE.sub("_x005F_", text), {"\r": "&#13;"})
    kept = "" if text.strip() == text else ' xml:space="preserve"'
    styled = f' s="{_LOOK[look]}"' if look != "plain" else ""
    return f'{styled} t="inlineStr"><is><t{kept}>{text}</t></is></c>'


def harmless_text_cell(text: str) -> str:
    """Write text that has nothing in it for which `text_cell` takes care, such as an id."""
    return f' t="inlineStr"><is><t>{text}</t></is></c>'


def number_cell(number: int | str, look: str) -> str:
    """Write a number: an integer, or a decimal as text."""
    return f' s="{_LOOK[look]}"><v>{number}</v></c>'


def whole_cell(number: int, look: str) -> str:
    """Write an integer; one of more digits than Excel keeps becomes text, so that it keeps them."""
    if -_DIGITS < number < _DIGITS:
        return f' s="{_LOOK[look]}"><v>{number}</v></c>'
    return text_cell(str(number))


def flag_cell(flag: bool) -> str:
    """Write yes or no."""
    return f' t="b"><v>{flag:d}</v></c>'


Cells = Iterable[tuple[str, str]]


def row_of(cells: Cells, number: int) -> str:
    """Write a row of cells: each the letters of its column, and what is in it, as written above."""
    placed = [f'<c r="{letter}{number}"{cell}' for letter, cell in cells]
    return f'<row r="{number}">{"".join(placed)}</row>'


def letters(column: int) -> str:
    """Name a column, counted from 0: A, B … Z, AA, AB and so on."""
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


class Sheet:
    """A sheet that is being written; `next_row` is the number of the row to come."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part = part
        self._bytes = 0
        self.next_row = 1

    def room(self, most_rows: int) -> int:
        """How many more rows fit, of so many that a sheet may have."""
        return most_rows + 1 - self.next_row if self._bytes < _MOST_BYTES else 0

    def add(self, rows: Iterable[Cells]) -> None:
        """Write rows, from `next_row` on."""
        written = [row_of(cells, number) for number, cells in enumerate(rows, self.next_row)]
        self._bytes += self._part.write("".join(written).encode())
        self.next_row += len(written)


class Workbook:
    """The file. Leaving it without an error completes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_LEVEL)
        self._sheets: list[str] = []
        self._write("_rels/.rels", package.ROOT)
        self._write("xl/styles.xml", package.STYLE_SHEET)

    @contextmanager
    def sheet(self, name: str, *, widths: Iterable[int], frozen_rows: int = 0) -> Iterator[Sheet]:
        """Begin a sheet; `widths` are those of its columns, in characters."""
        self._sheets.append(name)
        with self._zip.open(f"xl/worksheets/sheet{len(self._sheets)}.xml", "w") as part:
            part.write(package.sheet_head(widths, frozen_rows).encode())
            yield Sheet(part)
            part.write(b"</sheetData></worksheet>")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            numbers = range(1, len(self._sheets) + 1)
            self._write("xl/workbook.xml", package.workbook(self._sheets))
            self._write("xl/_rels/workbook.xml.rels", package.relations(numbers))
            self._write("[Content_Types].xml", package.content_types(numbers))
        self._zip.close()

    def _write(self, name: str, xml: str) -> None:
        with self._zip.open(name, "w") as part:
            part.write(xml.encode())
