"""A table as XLSX: a sheet of rows, as many more as they need, and a last one about them."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, count, islice
from typing import IO, Any

from api.tables.about import about_lines
from api.tables.cells import CellWriter
from api.tables.table import AT_ONCE, Row, Table
from api.tables.workbook import MOST_ROWS, Sheet, Workbook, letters


def write_xlsx(
    file: IO[bytes],
    table: Table,
    facts: dict[str, Any],
    rows: Iterator[Row],
    *,
    made_at: datetime,
    most_rows: int = MOST_ROWS,
) -> None:
    """Write the file. A sheet has up to `most_rows` rows with its head; the rest go on the next."""
    cells = CellWriter()
    widths = [column.kind.width for column in table.columns]
    with Workbook(file) as workbook:
        for number in count(1):
            name = "rows" if number == 1 else f"rows {number}"
            with workbook.sheet(name, widths=widths, frozen_rows=1) as sheet:
                sheet.add([cells.line(table.names, is_head=True)])
                _fill(sheet, table, cells, rows, most_rows=most_rows)
            ahead = next(rows, None)
            if ahead is None:
                break
            rows = chain([ahead], rows)
        lines = about_lines(table, facts, made_at=made_at, cut=cells.cut)
        with workbook.sheet("about", widths=(28, 60, 24, 24)) as sheet:
            for line in lines:
                sheet.add([cells.line(line.values, is_head=line.is_head)])


def _fill(
    sheet: Sheet, table: Table, cells: CellWriter, rows: Iterator[Row], *, most_rows: int
) -> None:
    """Write as many rows as fit, an empty cell where there is no value."""
    columns = [
        (letters(place), cells.writer(column.kind)) for place, column in enumerate(table.columns)
    ]
    while some := list(islice(rows, min(AT_ONCE, sheet.room(most_rows)))):
        sheet.add(
            [
                (letter, write(value))
                for (letter, write), value in zip(columns, row, strict=True)
                if value is not None
            ]
            for row in some
        )
