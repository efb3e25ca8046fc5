"""Rows are written as marshmallow would, only faster."""

import json
from dataclasses import make_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields

from api import strict_json
from api.fields import MoneyField, Text
from api.tables import Table, column, rows_of
from api.tables.as_json import write_json
from api.tables.table import AT_ONCE

from .sample import FULL, NAMES, NOTHING, EverythingView, NumbersView

Row = make_dataclass("Row", NAMES, slots=True, frozen=True)

ROWS = st.tuples(
    st.none() | st.uuids(),
    st.none() | st.text() | st.integers(),
    st.none() | st.dates(),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=0),
    st.none() | st.integers(),
    st.none() | st.integers(),
    st.none() | st.decimals(-10, 10, allow_nan=False) | st.integers(-1, 1),
    st.none() | st.booleans(),
)


def json_of(schema: Schema, answer: object) -> bytes:
    table, file = Table(schema), BytesIO()
    write_json(file, table, table.facts_of(answer), table.rows_of(answer))
    return file.getvalue()


def in_every_form(rows):
    """The same rows as objects, as dicts, and as one that is read once."""
    yield [Row(*row) for row in rows]
    yield [dict(zip(NAMES, row, strict=True)) for row in rows]
    yield (SimpleNamespace(**dict(zip(NAMES, row, strict=True))) for row in rows)


@given(rows=st.lists(ROWS, max_size=4))
def test_a_table_in_json_is_what_marshmallow_writes(rows):
    answer = {"period": "2026-01", "formula": "a - b", "rows": [Row(*row) for row in rows]}
    expected = strict_json.write(EverythingView().dump(answer))

    written = [json_of(EverythingView(), {**answer, "rows": form}) for form in in_every_form(rows)]
    by_place = json_of(EverythingView(), {**answer, "rows": rows})

    assert {*written, by_place} == {expected}


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_no_row_is_lost_where_one_piece_ends(count):
    written = json_of(NumbersView(), {"rows": ((number,) for number in range(count))})

    assert [row["number"] for row in json.loads(written)["rows"]] == list(range(count))


def test_a_fact_that_is_not_there_is_left_out():
    written = json_of(EverythingView(), {"period": "2026-01", "rows": []})

    assert written == b'{"period":"2026-01","rows":[]}'


def test_values_may_lie_deeper_and_be_named_otherwise():
    class RateView(Schema):
        month = column.Text("When.", attribute="counted.month")
        due = column.Count("Due.", attribute="counted.due", data_key="periods")

    schema = Schema.from_dict({"rows": rows_of(RateView, "By month.")})()
    deep = SimpleNamespace(counted=SimpleNamespace(month="2026-01", due=3))
    keyed = {"counted": {"month": "2026-01", "due": 3}}

    for row in (deep, keyed):
        expected = strict_json.write(schema.dump({"rows": [row]}))
        assert json_of(schema, {"rows": [row]}) == expected
        assert expected == b'{"rows":[{"month":"2026-01","periods":3}]}'


@pytest.mark.parametrize("row", [FULL[:-1], (*FULL, 1), ()])
def test_a_tuple_of_another_width_is_a_bug(row):
    with pytest.raises(ValueError, match="argument"):
        json_of(EverythingView(), {"period": "2026-01", "rows": [row]})


def test_tuples_of_different_widths_are_a_bug():
    with pytest.raises(ValueError, match="argument"):
        json_of(EverythingView(), {"period": "2026-01", "rows": [FULL, FULL[:-1]]})


def test_a_value_that_is_missing_is_a_bug():
    row = SimpleNamespace(**dict(zip(NAMES[:-1], FULL, strict=False)))

    with pytest.raises(AttributeError, match="is_due"):
        json_of(EverythingView(), {"period": "2026-01", "rows": [row]})


def test_a_value_of_another_kind_is_a_bug():
    wrong = ("x", None, None, None, "many", None, None, None, None)

    with pytest.raises(ValueError, match="many"):
        json_of(EverythingView(), {"period": "2026-01", "rows": [wrong]})


def test_the_title_is_the_first_line_of_the_schemas_docstring():
    assert Table(EverythingView()).title == "Everything there is"


def test_a_schema_without_rows_is_no_table():
    with pytest.raises(TypeError, match="rows"):
        Table(Schema.from_dict({"period": Text()})())


@pytest.mark.parametrize("field", [fields.Integer(), MoneyField(), fields.List(fields.String())])
def test_a_field_that_is_no_column_is_refused(field):
    row = Schema.from_dict({"amount": field})

    with pytest.raises(TypeError, match="amount is no column"):
        Table(Schema.from_dict({"rows": rows_of(row, "By nothing.")})())


def test_a_sum_that_the_database_made_a_decimal_is_a_whole_number():
    row = (*NOTHING[:4], Decimal(952), *NOTHING[5:])

    written = json.loads(json_of(EverythingView(), {"period": "2026-01", "rows": [row]}))

    assert written["rows"][0]["amount"] == 952


def test_a_row_in_full_reads_as_the_documents_say():
    written = json.loads(json_of(EverythingView(), {"period": "2026-01", "rows": [FULL]}))

    assert written["rows"] == [
        {
            "store_id": "0199b5a0-0000-7000-8000-000000000001",
            "name": "珍珠奶茶 10+1",
            "book_on": date(2026, 1, 14).isoformat(),
            "event_at": datetime(2026, 1, 14, 4, 30, 0, 500, tzinfo=UTC).isoformat(),
            "amount": 952,
            "cups": -2,
            "lines": 11,
            "rate": "0.9513",
            "is_due": True,
        }
    ]
