"""How far somebody has heard: what the id of an event says, and Last-Event-ID brings back.

Ids of rows sort by the time at which they were made, but a row is seen when its transaction has
committed, so one that was made earlier may come later. So a place is the newest row that was heard,
and in short the others of the half minute before it: what is not among them has not been heard. It
holds whichever process somebody comes back to.

    newest row's id 36 | "~" | 8 signs for each of the others | "~" | since when they listen 12
"""

import re
from base64 import urlsafe_b64encode
from uuid import UUID

from kernel.ids import new_id

LOOKS_BACK_MS = 30_000
"""No transaction lives longer: the hot path's statements end after ten seconds."""

_UNDER_WAY_MS = 2_000
"""Who comes hears what is under way: it may be in no count that they read."""

_MOST = 120
"""So many others are known, in a header of 8 KB at most; the eldest of more may come twice."""

_SHORT = 8
_FORM = re.compile(
    r"(?P<newest>[0-9a-f-]{36})"
    r"(?:~(?P<others>(?:[A-Za-z0-9_-]{8})*)(?:~(?P<floor>[0-9a-f]{12}))?)?"
)
_MS = 80
"""A UUIDv7 begins with its milliseconds: they stand above so many bits."""


def before(one: UUID, milliseconds: int) -> UUID:
    """The least id of so much earlier."""
    return _first_of((one.int >> _MS) - milliseconds)


class Place:
    """What one follower has heard: nothing from before `floor` is for them."""

    def __init__(self, newest: UUID, *, floor: UUID) -> None:
        self._newest, self._floor = newest, floor
        self._heard: dict[str, None] = {}
        """The latest rows that were heard, in short."""

    @classmethod
    def here(cls) -> "Place":
        """Whoever comes for the first time listens from now on."""
        now = before(new_id(), _UNDER_WAY_MS)
        return cls(now, floor=now)

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
        place = cls(newest, floor=_first_of(int(found["floor"] or "0", 16)))
        others = found["others"] or ""
        for start in range(0, len(others), _SHORT):
            place._heard[others[start : start + _SHORT]] = None
        place.hear(newest)
        return place

    @property
    def since(self) -> UUID:
        """What is before this was heard, or is not for them."""
        return max(self._floor, before(self._newest, LOOKS_BACK_MS))

    def has(self, one: UUID) -> bool:
        """Whether a row was heard, or is not for them."""
        return _short(one) in self._heard or one < self.since

    def hear(self, one: UUID) -> None:
        """Note that a row was heard."""
        self._heard[_short(one)] = None
        self._newest = max(self._newest, one)
        if len(self._heard) > _MOST:
            del self._heard[next(iter(self._heard))]

    def __str__(self) -> str:
        newest, others = _short(self._newest), list(self._heard)
        text = f"{self._newest}~{''.join(short for short in others if short != newest)}"
        if self._floor > before(self._newest, LOOKS_BACK_MS):
            text += f"~{self._floor.int >> _MS:012x}"
        return text.rstrip("~")


def _first_of(milliseconds: int) -> UUID:
    """The least id of a millisecond."""
    return UUID(int=max(0, milliseconds) << _MS)


def _short(one: UUID) -> str:
    """48 of the bits by which rows of one half minute differ."""
    return urlsafe_b64encode(one.bytes[10:]).decode("ascii")
