"""How far somebody has heard: what the id of an event says, and Last-Event-ID brings back.

Ids of rows sort by the time at which they were made, but a row is seen when its transaction has
committed, so one that was made earlier may come later. So a place is the newest row that was heard,
and in short the others of the half minute before it: what is not among them has not been heard. It
holds whichever process somebody comes back to.

    newest row's id 36 | "~" | 8 signs for each of the others
"""

import re
from base64 import urlsafe_b64encode
from itertools import islice
from uuid import UUID

from kernel.ids import new_id

LOOKS_BACK_MS = 30_000
"""No transaction lives longer: the hot path's statements end after ten seconds."""

_MOST = 120
"""So many others are named, in a header of 8 KB at most; the eldest of more may come twice."""

_SHORT = 8
_FORM = re.compile(r"(?P<newest>[0-9a-f-]{36})(?:~(?P<others>(?:[A-Za-z0-9_-]{8})*))?")
_MS = 80
"""A UUIDv7 begins with its milliseconds: they stand above so many bits."""


def before(one: UUID, milliseconds: int) -> UUID:
    """The least id of so much earlier."""
    return UUID(int=max(0, (one.int >> _MS) - milliseconds) << _MS)


class Place:
    """What one follower has heard: all until half a minute before the newest row, and then some."""

    def __init__(self, newest: UUID) -> None:
        self._newest = newest
        self._heard: dict[str, int] = {}
        """Rows that were heard, in short, with their milliseconds."""

    @classmethod
    def read(cls, text: str | None) -> "Place | None":
        """The place that an event's id named, or a row's id by itself; None for anything else."""
        found = _FORM.fullmatch(text or "")
        try:
            newest = UUID(found["newest"] if found else "")
        except ValueError:
            return None
        if found is None or newest > before(new_id(), -LOOKS_BACK_MS):
            return None  # of a time to come: then nothing would ever be new
        place, others = cls(newest), found["others"] or ""
        for start in range(len(others) - _SHORT, -1, -_SHORT):
            place._heard[others[start : start + _SHORT]] = newest.int >> _MS
        place.hear(newest)
        return place

    @property
    def since(self) -> UUID:
        """What is before this was heard."""
        return before(self._newest, LOOKS_BACK_MS)

    def has(self, one: UUID) -> bool:
        """Whether a row of the last half minute was heard."""
        return _short(one) in self._heard

    def hear(self, one: UUID) -> None:
        """Note that a row was heard, and forget those that are long gone."""
        self._heard[_short(one)] = one.int >> _MS
        self._newest = max(self._newest, one)
        gone = self.since.int >> _MS
        while self._heard and self._heard[eldest := next(iter(self._heard))] < gone:
            del self._heard[eldest]

    def __str__(self) -> str:
        newest = _short(self._newest)
        latest = islice(reversed(self._heard), _MOST + 1)
        others = "".join(short for short in latest if short != newest)
        return f"{self._newest}~{others}" if others else str(self._newest)


def _short(one: UUID) -> str:
    """48 of the bits by which rows of one half minute differ."""
    return urlsafe_b64encode(one.bytes[10:]).decode("ascii")
