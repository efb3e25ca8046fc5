"""A table as CSV: the rows alone, for a spreadsheet and for programs alike (RFC 4180)."""

import csv
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from itertools import islice
from typing import IO, Any

from api.tables.column import Kind, Values
from api.tables.table import AT_ONCE, Plain, Row, Table
from kernel.safe_text import as_csv_text

# Without this mark Excel reads the file in the code page of its system, which in Taiwan is Big5.
_MARK = b"\xef\xbb\xbf"


def write_csv(file: IO[bytes], table: Table, facts: dict[str, Any], rows: Iterator[Row]) -> None:
    """Write a line of names and a line for each row; CRLF, quotes only where they are needed."""
    del facts
    file.write(_MARK)
    lines = StringIO()
    writer = csv.writer(lines)
    writer.writerow(table.names)
    shown = [_showing(column.kind) for column in table.columns]
    while some := list(islice(rows, AT_ONCE)):
        columns = zip(shown, zip(*some, strict=True), strict=True)
        writer.writerows(zip(*(show(values) for show, values in columns), strict=True))
        _pour(lines, file)
    _pour(lines, file)


def _showing(kind: Kind) -> Callable[[Values], Iterable[Plain]]:
    """What is done to a column's values; numbers are never touched, `-1` is one."""
    match kind.cell:
        case "name":
            return lambda texts: map(_harmless, texts)
        case "flag":
            return lambda flags: map(_FLAGS.get, flags)
    return lambda values: values


_FLAGS = {True: "true", False: "false"}


def _harmless(text: str | None) -> str | None:
    """Make text that stays text: an apostrophe in front of what looks like a formula."""
    if text is None:
        return None
    return as_csv_text(text)


def _pour(lines: StringIO, file: IO[bytes]) -> None:
    file.write(lines.getvalue().encode())
    lines.seek(0)
    lines.truncate()
