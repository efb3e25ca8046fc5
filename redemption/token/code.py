"""What a shown code says, whichever kind it is of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["phone", "code", "card", "capsule"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the chain has signed in a capsule, and the step in which the phone showed it."""

    serial: bytes
    key_id: int
    cups: int
    store_group: int
    ends_at: datetime
    step: int


@dataclass(frozen=True, slots=True)
class Code:
    """A code taken apart. Whether it `is_genuine` is already known; whether fresh, depends.

    A `phone`'s is good once in its step, one that is read aloud (`code`) once at all: its step is
    0. What has no step is good more often: a `card`, and a `capsule`, whose `credential_id` is its
    serial.
    """

    kind: Kind
    credential_id: bytes
    step: int | None
    is_genuine: bool
    sealed: Sealed | None = None

    @property
    def step_used(self) -> int | None:
        """The step that this code uses up; None for a card, which has none."""
        return self.step if self.sealed is None else self.sealed.step
