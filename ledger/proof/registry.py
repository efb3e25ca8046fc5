"""What must always be true of the books, check by check. Rooms above add theirs by `check`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from ledger.proof.walks import MOST, Part, Walk

Facts = dict[str, Any]
Find = Callable[[Part], Iterable[Facts]]


@dataclass(frozen=True, slots=True)
class Found:
    """Something that does not hold: the name of the check that says so, and what is where."""

    invariant: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant, proved part by part of its walk. `says` is what must be true, in words."""

    name: str
    invariant: int
    walk: Walk
    find: Find
    says: str

    def look_at(self, part: Part) -> list[Found]:
        """What does not hold in one part; facts are plain JSON."""
        return [Found(self.name, plain(facts)) for facts in islice(self.find(part), MOST)]


CHECKS: dict[str, Check] = {}


def check(name: str, *, invariant: int, walk: Walk) -> Callable[[Find], Find]:
    """Register a check under a word and the number of the invariant that it proves.

    The function answers findings of one part, by one statement; the first line of its docstring is
    what the reader is told must be true.
    """

    def register(find: Find) -> Find:
        if name in CHECKS:
            raise RuntimeError(f"there is a check {name} already")
        says = (find.__doc__ or "").partition("\n")[0]
        CHECKS[name] = Check(name, invariant, walk, find, says)
        return find

    return register


def walks() -> list[Walk]:
    """All walks that some check takes, in the order in which they were first named."""
    return list({one.walk.name: one.walk for one in CHECKS.values()}.values())


def checks_on(walk: Walk) -> Sequence[Check]:
    """The checks that take a walk."""
    return [one for one in CHECKS.values() if one.walk.name == walk.name]


def plain(facts: Facts) -> Facts:
    """Facts as JSON holds them; what is not there is left out."""
    return {name: _text(fact) for name, fact in facts.items() if fact is not None}


def _text(fact: Any) -> Any:
    if isinstance(fact, bytes | memoryview):
        return bytes(fact).hex()
    if isinstance(fact, UUID):
        return str(fact)
    if isinstance(fact, date | datetime):
        return fact.isoformat()
    return fact if isinstance(fact, bool | int | str) else str(fact)
