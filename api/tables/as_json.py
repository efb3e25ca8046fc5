"""A table as JSON: what marshmallow would write, in pieces."""

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from api import strict_json
from api.tables.table import AT_ONCE, ROWS, Row, Table


def write_json(file: IO[bytes], table: Table, facts: dict[str, Any], rows: Iterator[Row]) -> None:
    """Write one object: the facts and the rows, in the order of the schema."""
    before = b"{"
    for part in table.parts:
        if part == ROWS:
            file.write(before + strict_json.write(part) + b":")
            _write_rows(file, table.names, rows)
        elif part in facts:
            file.write(before + strict_json.write(part) + b":" + strict_json.write(facts[part]))
        else:
            continue
        before = b","
    file.write(b"}")


def _write_rows(file: IO[bytes], names: list[str], rows: Iterator[Row]) -> None:
    before = b"["
    while some := [dict(zip(names, row, strict=True)) for row in islice(rows, AT_ONCE)]:
        file.write(before + strict_json.write(some)[1:-1])
        before = b","
    file.write(b"[]" if before == b"[" else b"]")
