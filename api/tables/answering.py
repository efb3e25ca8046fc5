"""Answering with a table, in the form that was asked for, in bounded memory.

The whole answer is written before the first byte of it is sent, to memory while it is small and
else to a temporary file that is gone when it was sent. So the rows may come straight from an open
transaction, which is over before a slow reader begins; the answer has a length; and what breaks
at the last row is a problem, and no half of a file that looks like a whole one.
"""

import re
from collections.abc import Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Request, Response
from werkzeug.wsgi import wrap_file

from api.tables.as_csv import write_csv
from api.tables.as_json import write_json
from api.tables.as_xlsx import write_xlsx
from api.tables.formats import Format
from api.tables.table import Table
from api.tables.turns import workbook_turn
from kernel import clock

_IN_MEMORY = 1 << 20
_LONGEST_VALUE = 20
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


def table_answer(
    table: Table,
    value: Any,
    *,
    form: Format,
    name: str,
    sent: Request,
) -> Response:
    """Answer what a view answered; a file is called `name` and what was asked for."""
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed when it has been sent
    try:
        _write(file, table, value, form)
        size = file.tell()
        file.seek(0)
        response = _response(file, size, sent)
    except BaseException:
        file.close()
        raise
    response.content_type = form.content_type
    response.vary.add("Accept")
    if form.name != "json":
        named = file_name(name, sent.args, form.name)
        response.headers["Content-Disposition"] = f'attachment; filename="{named}"'
    return response


def file_name(name: str, query: Mapping[str, str], ending: str) -> str:
    """Name a file in plain ASCII: `deferred-revenue-2026-01.xlsx`. Long values stay out, as ids."""
    asked = [
        value for key, value in query.items() if key != "format" and len(value) <= _LONGEST_VALUE
    ]
    plain = _NOT_IN_NAMES.sub("-", "-".join([name, *asked])).strip("-")
    return f"{plain[:100]}.{ending}"


def _write(file: IO[bytes], table: Table, value: Any, form: Format) -> None:
    facts, rows = table.facts_of(value), table.rows_of(value)
    match form.name:
        case "json":
            write_json(file, table, facts, rows)
        case "csv":
            write_csv(file, table, facts, rows)
        case _:
            with workbook_turn():
                write_xlsx(file, table, facts, rows, made_at=clock.now())


def _response(file: IO[bytes], size: int, sent: Request) -> Response:
    if size <= _IN_MEMORY:
        with file:
            return Response(file.read())
    response = Response(wrap_file(sent.environ, file), direct_passthrough=True)
    response.content_length = size
    return response
