"""What a workbook says about its rows: title, facts, control totals, and what the columns mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.tables.cells import LONGEST_TEXT
from api.tables.table import Plain, Table


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the sheet; a head is bold."""

    values: list[Plain]
    is_head: bool = False


_EMPTY = Line([])


def about_lines(
    table: Table, facts: dict[str, Any], *, made_at: datetime, cut: int
) -> Iterator[Line]:
    """List everything; `cut` texts among the rows were longer than a cell can be."""
    yield Line([table.title], is_head=True)
    yield Line(["made_at", made_at.isoformat(timespec="seconds")])
    if cut:
        told = f"{cut} texts longer than {LONGEST_TEXT} characters were cut; they end with …"
        yield Line(["cut", told])
    for name, fact in facts.items():
        yield from _told(name, fact)
    yield _EMPTY
    yield Line(["column", "meaning"], is_head=True)
    for column in table.columns:
        yield Line([column.name, column.about])


def _told(name: str, fact: Any) -> Iterator[Line]:
    """A fact is a line, several are a line each, and a list of them is a small table."""
    if isinstance(fact, dict):
        for part, inner in fact.items():
            yield from _told(f"{name}.{part}", inner)
    elif isinstance(fact, list):
        yield _EMPTY
        yield Line([name], is_head=True)
        yield from _listed(fact)
        yield _EMPTY
    else:
        yield Line([name, _plain(fact)])


def _listed(facts: list[Any]) -> Iterator[Line]:
    if facts and isinstance(facts[0], dict):
        yield Line(list(facts[0]), is_head=True)
    for fact in facts:
        yield Line(
            [_plain(part) for part in fact.values()] if isinstance(fact, dict) else [_plain(fact)]
        )


def _plain(fact: Any) -> Plain:
    return fact if isinstance(fact, str | int) or fact is None else str(fact)
