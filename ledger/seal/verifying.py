"""Whether the journal is still what was sealed: row by row, and against heads kept outside.

The chain is recomputed over what entries and lines say now, in the order of their numbers. One
that was changed, or taken out, breaks it at its own number. Whoever rewrites everything after it
as well is found by a head that lies outside.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from kernel.db import db
from kernel.transaction import again, snapshot
from ledger.content import CONTENT_HASH
from ledger.models import Seal, SealHead
from ledger.proof.registry import CHECKS, Facts, Found, plain
from ledger.proof.walks import ENTRIES, LINES, SEALS, Key, KeyWalk, Part
from ledger.seal.head import Head

_PAST_THE_DOOR = {ENTRIES.name: ("door",), LINES.name: ("stray",)}


@dataclass(frozen=True, slots=True)
class Verified:
    """How far it is, and what is wrong in the part that was just looked at."""

    label: str
    rows: int
    estimate: int
    found: Sequence[Found]


def verify(kept_outside: Iterable[Head]) -> Iterator[Verified]:
    """Look at every seal, every entry and every line, part by part, as `ledger.proof` does.

    Findings come in the order of the journal's numbers, then what has no number, then the heads:
    so the first one names the first entry that is wrong. Opens its own transactions.
    """
    estimate = again(_estimate)
    for walk in (SEALS, ENTRIES, LINES):
        yield from _walk(walk, estimate)
    yield Verified("heads", 0, estimate, again(lambda: _heads(list(kept_outside))))


def _estimate() -> int:
    with snapshot():
        return sum(walk.estimate() for walk in (SEALS, ENTRIES, LINES))


def _walk(walk: KeyWalk, estimate: int) -> Iterator[Verified]:
    after: Key | None = None
    while True:
        seen = again(lambda after=after: _look(walk, after))  # type: ignore[misc]
        part, found = seen
        yield Verified(part.label, part.rows, estimate, found)
        if part.until is None:
            return
        after = part.until


def _look(walk: KeyWalk, after: Key | None) -> tuple[Part, list[Found]]:
    with snapshot():
        part = walk.next(after)
        if walk is SEALS:
            return part, [Found("seal", plain(facts)) for facts in part.find(_LINKS)]
        checks = [CHECKS[name] for name in _PAST_THE_DOOR[walk.name]]
        return part, [found for one in checks for found in one.look_at(part)]


_LINKS = """
    WITH sealed AS MATERIALIZED (
        SELECT seal.number, seal.member_id, seal.entry_id, seal.chain, entry.book_date,
               entry.id IS NOT NULL AS is_there, entry.content_hash,
               CASE WHEN entry.id IS NOT NULL THEN {content_hash} END AS says_now,
               CASE WHEN seal.number = 1 THEN decode(repeat('00', 32), 'hex')
                    ELSE before.chain END AS chain_before
        FROM seal
        LEFT JOIN seal AS before ON before.number = seal.number - 1
        LEFT JOIN entry ON entry.member_id = seal.member_id AND entry.id = seal.entry_id
        WHERE {within seal}
    ), judged AS (
        SELECT *, CASE
            WHEN chain_before IS NULL THEN 'the number before it is missing'
            WHEN NOT is_there THEN 'the entry is missing'
            WHEN says_now <> content_hash THEN 'the entry or its lines were changed'
            WHEN chain <> sha256(chain_before || says_now)
                THEN 'the chain breaks here: the entry was changed with its hash, or a seal was'
        END AS found
        FROM sealed
    )
    SELECT number, member_id, entry_id, book_date, found FROM judged
    WHERE found IS NOT NULL
    ORDER BY number
""".replace("{content_hash}", CONTENT_HASH)


def _heads(outside: Sequence[Head]) -> list[Found]:
    """The heads that say something else than the chain does now, the earliest first."""
    with snapshot():
        rows = db.session.scalars(select(SealHead).order_by(SealHead.on_date))
        inside = [Head(row.on_date, row.number, row.chain) for row in rows]
        last = db.session.scalar(select(func.max(Seal.number))) or 0
        told = [("inside", head) for head in inside] + [("outside", head) for head in outside]
        return [
            Found("head", {**facts, "kept": where})
            for where, head in sorted(told, key=lambda one: (one[1].number, one[1].on_date))
            if (facts := _against(head, last)) is not None
        ]


def _against(head: Head, last: int) -> Facts | None:
    chain = db.session.scalar(select(Seal.chain).where(Seal.number == head.number))
    if chain == head.chain:
        return None
    if chain is not None:
        found = "the journal up to this number is another one than on that day"
    elif head.number > last:
        found = f"the journal ends at {last}: its end was cut off"
    else:
        found = "this number is missing"
    return {"on": head.on_date.isoformat(), "number": head.number, "found": found}
