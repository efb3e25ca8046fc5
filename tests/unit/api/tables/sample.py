"""A table of every kind of column, and rows of it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from uuid import UUID
from zipfile import ZipFile

from marshmallow import Schema
from openpyxl import load_workbook

from api.fields import Text
from api.tables import Table, column, rows_of
from api.tables.as_csv import write_csv
from api.tables.as_xlsx import write_xlsx

MADE_AT = datetime(2026, 2, 1, 3, 0, tzinfo=UTC)


class KindsView(Schema):
    """A row of everything."""

    store_id = column.Id("Which store.", allow_none=True)
    name = column.Text("Its name.", allow_none=True)
    book_on = column.Day("Its day.", allow_none=True)
    event_at = column.Moment("Its moment.", allow_none=True)
    amount = column.Money("Its money.", allow_none=True)
    cups = column.Cups("Its cups.", allow_none=True)
    lines = column.Count("Its lines.", allow_none=True)
    rate = column.Percent("Its rate.", allow_none=True)
    is_due = column.Flag("Whether.", allow_none=True)


class EverythingView(Schema):
    """Everything there is.

    And more.
    """

    period = Text(required=True, metadata={"description": "The month."})
    rows = rows_of(KindsView, "As they come.")
    formula = Text(metadata={"description": "How."})


class NameView(Schema):
    name = column.Text("Somebody's.", allow_none=True)


class NamesView(Schema):
    """Names."""

    rows = rows_of(NameView, "As they come.")


class NumberView(Schema):
    number = column.Money("Some.")


class NumbersView(Schema):
    """Numbers."""

    rows = rows_of(NumberView, "As they come.")


NAMES = list(KindsView().fields)
FULL = (
    UUID("0199b5a0-0000-7000-8000-000000000001"),
    "珍珠奶茶 10+1",
    date(2026, 1, 14),
    datetime(2026, 1, 14, 4, 30, 0, 500, tzinfo=UTC),
    952,
    -2,
    11,
    Decimal("0.95126"),
    True,
)
NOTHING = (None,) * len(FULL)


def csv_of(schema: Schema, *rows: tuple[object, ...]) -> bytes:
    """The rows as a CSV file."""
    table, file = Table(schema), BytesIO()
    write_csv(file, table, {}, table.rows_of({"rows": iter(rows)}))
    return file.getvalue()


def xlsx_of(schema: Schema, *rows: tuple[object, ...], facts=None, **options) -> BytesIO:
    """The rows as an XLSX file."""
    table, file = Table(schema), BytesIO()
    written = table.rows_of({"rows": iter(rows)})
    write_xlsx(file, table, facts or {}, written, made_at=MADE_AT, **options)
    file.seek(0)
    return file


def cells_of(file: BytesIO, sheet: str = "rows") -> list[tuple[object, ...]]:
    """What somebody else's reader finds in a sheet."""
    return list(load_workbook(file)[sheet].iter_rows(values_only=True))


def xml_of(file: BytesIO, part: str = "xl/worksheets/sheet1.xml") -> str:
    return ZipFile(file).read(part).decode()
