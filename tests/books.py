"""All that must always be true of the books, read in a few statements.

A run of the checks keeps its place, part by part, and reads on two connections: that is for
millions of rows. A test leaves some dozens, and hundreds of tests look at what they leave.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text

import invoicing.proof
import redemption.proof
import vouchers.proof
from kernel.db import db
from kernel.transaction import snapshot
from ledger.proof import MONTHS, Found, KeyWalk, Part
from ledger.proof.registry import checks_on, walks
from ledger.proof.walks import Walk

REGISTERED = (invoicing.proof, redemption.proof, vouchers.proof)
_BOUNDS = re.compile(r"\{(?:within|near) \w+\}")
_VALUE = re.compile(r"(?<![:\w]):(\w+)")


@dataclass(frozen=True, slots=True)
class _Noting(Part):
    """A part that notes what a check would ask of it, for all to be asked at once."""

    asked: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def find(self, statement: str, **more: Any) -> list[dict[str, Any]]:
        mine = f"{self.label}_{len(self.asked)}"  # two checks may mean two things by one name
        self.values.update({f"{mine}_{name}": it for name, it in {**self.params, **more}.items()})
        whole = _BOUNDS.sub("true", statement)
        self.asked.append(_VALUE.sub(rf":{mine}_\1", whole))
        return []


def everything_wrong() -> list[Found]:
    """What does not hold, of any check and anywhere in the books, as of one moment."""
    with snapshot():
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
    branches: list[str] = []
    values: dict[str, Any] = {}
    for walk, part in ways:
        for check in checks_on(walk):
            noting = _Noting(check.name, part.rows, part.until, part.params, values=values)
            found += check.look_at(noting)
            branches += [
                f"SELECT '{check.name}', to_jsonb(broken) FROM ({one}) AS broken"
                for one in noting.asked
            ]
    rows = db.session.execute(_read(" UNION ALL ".join(branches)), values)
    return found + [Found(name, facts) for name, facts in rows]


@cache
def _read(statement: str) -> TextClause:
    return text(statement)
