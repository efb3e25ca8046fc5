"""What each item that was served offline takes from its wallet, and what the chain bears. Pure.

All items of a wallet are served again, on paper, in the order in which they say to have been
served, whatever the order in which they became known. So the outcome is a function of the set of
items and of what the wallet held (docs/adr/0044): of each two uploads of the same items, in any
order and any pieces, it is the same.

A later item never changes what an earlier one takes. So when one becomes known, only those after it
are given back and served again: that is the same as to begin anew, and leaves more as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from kernel.errors import Conflict
from redemption import policy
from redemption.errors import InsufficientCups
from redemption.policy import Fitting, HeldLot, Taken, Wanted


class Place(NamedTuple):
    """Where an item stands among all of its wallet: by when it was served, then by its log."""

    at: datetime
    device_id: UUID
    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """An item as its wallet meets it.

    `at` is when it was served, as far as the till's clock is believed. `lots` are what the wallet
    held then and still holds, as this drink at this store finds them (`policy.HeldLot`), with all
    that is served from here on given back. Their limits are none: what was served is not refused,
    only counted.
    """

    place: Place
    at: datetime
    serial: bytes
    wanted: Wanted
    lots: Sequence[HeldLot]


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of an item: what it takes, how many of its cups nobody pays for, and why."""

    outcome: str
    taken: Sequence[Taken] = ()
    cups_borne: int = 0
    reason: str | None = None

    @property
    def picks(self) -> list[tuple[UUID, int]]:
        """From which lots how many cups: what must be the same in every order."""
        return sorted((pick.lot.id, pick.cups) for pick in self.taken)


OVERDRAWN = ("capsule-used", "insufficient-cups")
"""Why the chain bears cups: the capsule's had been collected, or nothing was left."""
UNFIT = (
    "product-mismatch",
    "covers-less",
    "channel-not-accepted",
    "store-not-accepted",
    "lot-frozen",
    "top-up-due",
)
"""Why a person has to look at what was settled: there are cups, but not for this."""
REASONS = (*OVERDRAWN, *UNFIT)


def settle(items: Iterable[Served], *, rights: Mapping[bytes, int]) -> dict[Place, Settled]:
    """Serve the items of one wallet in their order.

    `rights` is how many cups each capsule may still take: those that it is for, less those that it
    has taken. More than them a wallet never pays for, in however many stores it was shown.
    """
    book = _Book(dict(rights))
    return {one.place: book.serve(one) for one in sorted(items, key=lambda one: one.place)}


@dataclass(slots=True)
class _Book:
    """What is left as the items are gone through: of each capsule's right, and of each lot."""

    rights: dict[bytes, int]
    gone: dict[UUID, tuple[int, int, int]] = field(default_factory=dict)

    def serve(self, one: Served) -> Settled:
        wanted = one.wanted.cups
        allowed = min(wanted, self.rights.get(one.serial, 0))
        if allowed <= 0:
            return Settled("overdrawn", (), wanted, "capsule-used")
        try:
            wanted_now = replace(one.wanted, cups=allowed)
            taken = take(self._lots(one), wanted_now, at=one.at, free_only=True)
        except Conflict as unfit:
            return Settled("review", (), 0, unfit.code)
        cups = sum(pick.cups for pick in taken)
        self._note(one.serial, taken, cups)
        if cups == wanted:
            return Settled("applied", taken)
        reason = "insufficient-cups" if cups < allowed else "capsule-used"
        return Settled("overdrawn", taken, wanted - cups, reason)

    def _lots(self, one: Served) -> list[HeldLot]:
        return [self._as_left(lot) if lot.id in self.gone else lot for lot in one.lots]

    def _as_left(self, lot: HeldLot) -> HeldLot:
        cups, amount, vat = self.gone[lot.id]
        return replace(
            lot,
            used=lot.used + cups,
            net_recognised=lot.net_recognised + amount,
            vat_gone=lot.vat_gone + vat,
        )

    def _note(self, serial: bytes, taken: Sequence[Taken], cups: int) -> None:
        self.rights[serial] -= cups
        for pick in taken:
            if pick.lot.is_unlimited:
                continue
            before = self.gone.get(pick.lot.id, (0, 0, 0))
            self.gone[pick.lot.id] = (
                before[0] + pick.cups,
                before[1] + pick.amount,
                before[2] + pick.vat,
            )


def take(lots: Sequence[HeldLot], wanted: Wanted, *, at: datetime, free_only: bool) -> list[Taken]:
    """Take what there is, up to what is wanted, by the rules of any till but for limits.

    Nobody was asked for a top-up. So a cup that costs one is either no cup (`free_only`), or taken
    last, and the chain bears what it costs besides.

    Raises:
        Conflict: something is held, but nothing that is good for this.
    """
    fitting = _fitting([lot for lot in lots if lot.left], wanted, at=at)
    good = [one for one in fitting if not (free_only and one.each)]
    if fitting and not good:
        raise _TopUpDue
    taken, cups = [], wanted.cups
    for one in good:
        if cups:
            taken.append(policy.take_from(replace(one, each=0), min(one.lot.left, cups)))
            cups -= taken[-1].cups
    return taken


def _fitting(lots: Sequence[HeldLot], wanted: Wanted, *, at: datetime) -> list[Fitting]:
    """What fits, in the order in which it burns, also where it is less than is wanted."""
    try:
        return policy.fit(lots, wanted=wanted, now=at)
    except InsufficientCups as short:
        held = short.facts["held"]
        return policy.fit(lots, wanted=replace(wanted, cups=held), now=at) if held else []


class _TopUpDue(Conflict):
    code = "top-up-due"
