"""Answering with a table, in the form that was asked for, in bounded memory (`api/files.py`)."""

import re
from collections.abc import Mapping
from typing import IO, Any

from flask import Request, Response

from api.files import file_answer, name_file
from api.tables.as_csv import write_csv
from api.tables.as_json import write_json
from api.tables.as_xlsx import write_xlsx
from api.tables.formats import Format
from api.tables.table import Table
from api.tables.turns import workbook_turn
from kernel import clock

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
    response = file_answer(
        lambda file: _write(file, table, value, form), content_type=form.content_type, sent=sent
    )
    response.vary.add("Accept")
    if form.name != "json":
        name_file(response, file_name(name, sent.args, form.name))
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
