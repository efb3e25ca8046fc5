"""Probes that answer with tables."""

from collections.abc import Iterator
from typing import Any

from marshmallow import Schema
from sqlalchemy import func, select, text

from api.auth import anyone
from api.fields import Text
from api.routing import Resource
from api.tables import TABLE, column, rows_of
from chain.models import LegalEntity
from kernel.db import db
from kernel.errors import Conflict, TryAgain
from kernel.ids import new_id
from kernel.transaction import after_commit

tables = Resource("tables", "/v1/tables", "Tables: for the tests of the frame.")


class TooMany(Conflict):
    code = "frame-probe-too-many"


class NumbersQuery(Schema):
    """How many."""

    up_to = Text(load_default="3", most=80, metadata={"description": "The last number."})


class NumberView(Schema):
    """One number."""

    number = column.Money("The number.")
    name = column.Text("What it is called.")


class NumbersView(Schema):
    """All numbers."""

    up_to = Text(required=True, metadata={"description": "The last number."})
    rows = rows_of(NumberView, "By number.")


@tables.get("/all-numbers", guard=anyone, query=NumbersQuery, answer=NumbersView,
            transaction="own", produces=TABLE)  # fmt: skip
def list_numbers(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the numbers from 1 on."""
    last = query["up_to"]
    return {"up_to": last, "rows": _numbers(int(last) if last.isdecimal() else 1)}


def _numbers(last: int) -> Iterator[tuple[int, str]]:
    for number in range(1, last + 1):
        yield number, f"=number {number}"


@tables.get("/<uuid:set_id>/spoilt", guard=anyone, answer=NumbersView,
            transaction="own", produces=TABLE)  # fmt: skip
def list_until_it_breaks(*, set_id: Any) -> dict[str, Any]:
    """List many numbers, and break at the last one."""

    def rows() -> Iterator[tuple[int, str]]:
        yield from _numbers(10_000)
        raise ValueError(f"{set_id} holds no more")

    return {"up_to": "10000", "rows": rows()}


@tables.get("/refused", guard=anyone, answer=NumbersView, refusals=(TooMany,),
            transaction="snapshot", produces=TABLE)  # fmt: skip
def list_until_refused() -> dict[str, Any]:
    """List some numbers, and refuse the rest."""

    def rows() -> Iterator[tuple[int, str]]:
        yield from _numbers(1_000)
        raise TooMany

    return {"up_to": "1000", "rows": rows()}


tried: list[int] = []


@tables.get("/again", guard=anyone, answer=NumbersView, transaction="snapshot", produces=TABLE)
def list_at_the_second_try() -> dict[str, Any]:
    """Lose against another transaction in the middle of the rows, once."""
    tried.append(len(tried))

    def rows() -> Iterator[tuple[int, str]]:
        yield from _numbers(1_000)
        if len(tried) == 1:
            raise TryAgain

    return {"up_to": "1000", "rows": rows()}


@tables.get("/streamed", guard=anyone, answer=NumbersView, transaction="snapshot", produces=TABLE)
def list_from_the_database() -> dict[str, Any]:
    """Read the numbers from an open cursor, in the frame's own transaction."""
    asked = text("SELECT 'n' AS name, number FROM generate_series(1, 5000) AS number")
    rows = db.session.execute(asked, execution_options={"yield_per": 500})
    return {"up_to": "5000", "rows": rows}


@tables.get("/changed", guard=anyone, transaction="snapshot")
def write_in_a_snapshot() -> Any:
    """Try to write where only reading is allowed."""
    db.session.add(LegalEntity(id=new_id(), code=str(new_id()), name="Alice"))
    return {}


@tables.get("/promised", guard=anyone, transaction="snapshot")
def promise_in_a_snapshot() -> Any:
    """Try to promise something where only reading is allowed."""
    after_commit(lambda: None)


@tables.get("/counted", guard=anyone, transaction="snapshot")
def count_in_a_snapshot() -> Any:
    """Say in which mode the transaction reads."""
    count = db.session.scalar(select(func.count()).select_from(LegalEntity))
    modes = [
        db.session.scalar(text(f"SHOW {name}"))
        for name in ("transaction_isolation", "transaction_read_only")
    ]
    return {"count": count, "modes": modes}
