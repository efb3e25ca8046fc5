"""All that must always be true of the books, read in a few statements.

A run of the checks keeps its place, part by part, and reads on two connections: that is for
millions of rows. A test leaves some dozens, and hundreds of tests look at what they leave.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import psycopg
from sqlalchemy import text

import invoicing.proof
import redemption.offline.proof
import redemption.proof
import vouchers.proof
from kernel.db import db
from kernel.transaction import snapshot
from ledger.proof import MONTHS, Found, KeyWalk, Part
from ledger.proof.registry import checks_on, walks
from ledger.proof.walks import Walk
from ledger.reports import reading

REGISTERED = (invoicing.proof, redemption.offline.proof, redemption.proof, vouchers.proof)
_BOUNDS = re.compile(r"\{(?:within|near) \w+\}")
_VALUE = re.compile(r"(?<![:\w]):(\w+)")
# Planning all checks takes far longer than looking for what is not there.
_PLAN_ONCE = "SET LOCAL plan_cache_mode = force_generic_plan"

Asked = tuple[str, str]
"""The name of a check, and a statement of it."""


@dataclass(frozen=True, slots=True)
class _Noting(Part):
    """A part that notes what a check would ask of it, for all to be asked at once."""

    asked: list[Asked] = field(default_factory=list)
    values: list[Mapping[str, Any]] = field(default_factory=list)

    def find(self, statement: str, **more: Any) -> list[dict[str, Any]]:
        self.asked.append((self.label, statement))
        self.values.append({**self.params, **more})
        return []


def everything_wrong() -> list[Found]:
    """What does not hold, of any check and anywhere in the books, as of one moment."""
    # A report plans for the month that is asked for, and so would whatever is asked after it.
    with snapshot(), patch.object(reading, "_SETTINGS", _PLAN_ONCE):
        db.session.execute(text(_PLAN_ONCE))
        at_once = [walk for walk in walks() if walk.name != MONTHS.name]
        found = _wrong([(walk, part) for walk in at_once for part in _parts(walk)])
        for part in _parts(MONTHS):
            found += _wrong([(MONTHS, part)])
    return found


def _parts(walk: Walk) -> Iterator[Part]:
    """A table whole, whatever its size; a month each of the months."""
    if isinstance(walk, KeyWalk):
        yield Part(walk.name, 0, None)
        return
    part = walk.next(None)
    while part is not None:
        yield part
        part = walk.next(part.until) if part.until else None


def _wrong(ways: Sequence[tuple[Walk, Part]]) -> list[Found]:
    """What the checks of these walks find: most say what to ask, some ask by themselves."""
    found: list[Found] = []
    asked: list[Asked] = []
    values: list[Mapping[str, Any]] = []
    for walk, part in ways:
        for check in checks_on(walk):
            noting = _Noting(
                check.name, part.rows, part.until, part.params, asked=asked, values=values
            )
            found += check.look_at(noting)
    statement, places = _together(tuple(asked))
    # Past SQLAlchemy and what psycopg makes of names: both would read all of it at every run.
    cursor = psycopg.RawCursor(db.session.connection().connection.driver_connection)
    cursor.execute(statement, [values[at][name] for at, name in places], prepare=True)
    return found + [Found(name, facts) for name, facts in cursor]


@cache
def _together(asked: tuple[Asked, ...]) -> tuple[bytes, list[tuple[int, str]]]:
    """One statement for all, and of which of them each of its values is, by name."""
    places: list[tuple[int, str]] = []
    branches = []
    for at, (name, statement) in enumerate(asked):

        def number(value: re.Match[str], at: int = at) -> str:
            place = (at, value[1])  # two checks may mean two things by one name
            if place not in places:
                places.append(place)
            return f"${places.index(place) + 1}"

        whole = _VALUE.sub(number, _BOUNDS.sub("true", statement))
        branches.append(f"SELECT '{name}', to_jsonb(broken) FROM ({whole}) AS broken")
    return " UNION ALL ".join(branches).encode(), places
