"""A table as XLSX: a sheet of rows, as many more as they need, and a last one about them."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain, count, islice
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from api.tables.about import about_lines
from api.tables.cells import CellWriter
from api.tables.refusals import WorkbookTooBig
from api.tables.table import Row, Table

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 1_048_576  # of Excel, the head among them
MOST_ROWS = 2_000_000  # about three minutes of work

# After so many rows, less than half a millisecond, tills in other threads of the process get their
# turn. Python alone would let them wait 5 ms, after each answer of the database anew.
_AT_ONCE = 4

_NO_GUESSING = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_xlsx(
    file: IO[bytes],
    table: Table,
    facts: dict[str, Any],
    rows: Iterator[Row],
    *,
    made_at: datetime,
    sheet_rows: int = SHEET_ROWS,
    most_rows: int = MOST_ROWS,
) -> None:
    """Write the file. A sheet has up to `sheet_rows` rows with its head; the rest go on the next.

    Raises:
        WorkbookTooBig: there are more rows than `most_rows`, or a sheet has 2 GiB.
    """
    rows = _counted(rows, most_rows)
    with _workbook(file, made_at=made_at, most_rows=most_rows) as book:
        cells = CellWriter(book)
        for number in count(1):
            sheet = book.add_worksheet("rows" if number == 1 else f"rows {number}")
            sheet.freeze_panes(1, 0)
            _set_widths(sheet, [column.kind.width for column in table.columns])
            cells.turn_to(sheet)
            cells.line(0, table.names, is_head=True)
            _fill(table, cells, islice(rows, sheet_rows - 1))
            ahead = next(rows, None)
            if ahead is None:
                break
            rows = chain([ahead], rows)
        sheet = book.add_worksheet("about")
        _set_widths(sheet, (28, 60, 24, 24))
        cells.turn_to(sheet)
        lines = about_lines(table, facts, made_at=made_at, cut=cells.cut)
        for place, line in enumerate(lines):
            cells.line(place, line.values, is_head=line.is_head)


@contextmanager
def _workbook(file: IO[bytes], *, made_at: datetime, most_rows: int) -> Iterator["Workbook"]:
    """Open the file. Leaving it without an error completes it; nothing else is left behind.

    The library holds one row; the others wait in files, in a folder of their own that goes with
    whatever is still in it.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415  few processes need it
    from xlsxwriter.exceptions import FileSizeError  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        book = Workbook(file, {"constant_memory": True, "tmpdir": folder, **_NO_GUESSING})
        book.set_properties({"created": made_at})
        try:
            yield book
            with suppress(FileSizeError):  # forgotten here, so that its zip ends before `file`
                book.close()
                return
        finally:
            for sheet in book.worksheets():
                sheet.row_data_fh.close()  # type: ignore[attr-defined]  # None until opened
    raise WorkbookTooBig(most=most_rows)


def _counted(rows: Iterator[Row], most: int) -> Iterator[Row]:
    yield from islice(rows, most)
    if next(rows, None) is not None:
        raise WorkbookTooBig(most=most)


def _set_widths(sheet: "Worksheet", widths: Iterable[int]) -> None:
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)


def _fill(table: Table, cells: CellWriter, rows: Iterable[Row]) -> None:
    """Write the rows under the head, an empty cell where there is no value."""
    writers = [cells.writer(column.kind) for column in table.columns]
    for number, row in enumerate(rows, 1):
        for place, (write, value) in enumerate(zip(writers, row, strict=True)):
            if value is not None:
                write(number, place, value)
        if number % _AT_ONCE == 0:
            time.sleep(0)
