"""Everything that is held about a member: each room answers for its own part.

A room says so in its `personal.py`:

    @members.holds("orders", tables=("voucher_order", "order_item"))
    def orders(member_id: UUID) -> Rows:
        return rows_of(select(Order.id, …).where(Order.member_id == member_id))

What comes out is told to the member, so it holds no secret (no token, no seed, no key) and nothing
about anybody else. A test walks all tables for members' ids, so that a new one is not forgotten.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select

from kernel.db import db

Rows = Iterable[Mapping[str, Any]]
Read = Callable[[UUID], Rows]

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing that is held, the tables it is held in, and how to read a member's."""

    name: str
    tables: tuple[str, ...]
    read: Read


PARTS: dict[str, Part] = {}


def holds(name: str, *, tables: tuple[str, ...]) -> Callable[[Read], Read]:
    """Register the reader of one part, under its name in the document.

    It runs in a snapshot, and answers values that JSON can hold: text, numbers, times, ids.
    """

    def register(read: Read) -> Read:
        if name in PARTS:
            raise RuntimeError(f"there is a part {name} already")
        PARTS[name] = Part(name, tables, read)
        return read

    return register


def rows_of(wanted: Select[*tuple[Any, ...]]) -> Iterator[Mapping[str, Any]]:
    """Read rows some hundred at a time, each by the names of its columns."""
    rows = db.session.execute(wanted, execution_options={"yield_per": _AT_ONCE})
    for row in rows.mappings():
        yield dict(row)


def everything_held(member_id: UUID) -> Iterator[tuple[str, Rows]]:
    """All parts of all rooms, by name. In a snapshot, so that they fit together."""
    for part in PARTS.values():
        yield part.name, part.read(member_id)
