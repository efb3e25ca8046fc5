"""What of a redemption goes back when it is undone, wholly or in part. Pure.

The parts add up to the whole, by the dollar: what a line gives back follows the running total of
its undone cups, as the money of a lot follows its used ones (`ledger.policy.carried`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import ledger
from kernel.money import divided
from redemption.errors import AlreadyVoided, NotSoManyTaken

WITHIN = {"clerk": timedelta(minutes=30), "manager": timedelta(hours=24)}
"""Until when each role undoes what its own store handed over."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of a redemption, with what of it has been undone before, and what its lot was then.

    `is_unlimited` is a lot whose cups nobody counts, `was_late` one that was past its end already.
    """

    lot_id: UUID
    product_id: UUID
    cups: int
    amount: int
    vat: int
    top_up: int
    cups_voided: int
    amount_voided: int
    vat_voided: int
    top_up_voided: int
    ends_at: datetime | None
    sold_at: datetime
    is_unlimited: bool = False
    was_late: bool = False

    @property
    def left(self) -> int:
        return self.cups - self.cups_voided

    @property
    def burning_order(self) -> tuple[bool, bool, bool, datetime, datetime, UUID]:
        """As `policy.Fitting` has it."""
        return (
            self.top_up > 0,
            not self.is_unlimited,
            self.was_late,
            self.ends_at or _NEVER,
            self.sold_at,
            self.lot_id,
        )


@dataclass(frozen=True, slots=True)
class Back:
    """Cups of one line that go back, with the money that went with them."""

    line: Standing
    cups: int
    amount: int
    vat: int
    top_up: int


def choose_back(lines: Iterable[Standing], *, items: Mapping[UUID, int] | None) -> list[Back]:
    """Choose the cups that go back: of each drink those that burned last; None for all of them.

    So what stays is what fewer cups would have taken.

    Raises:
        AlreadyVoided: nothing is left to undo.
        NotSoManyTaken: of a drink fewer cups are left than shall go back.
    """
    lines = [line for line in lines if line.left]
    if not lines:
        raise AlreadyVoided
    if items is None:
        return [_back(line, line.left) for line in lines]
    return [back for product_id, cups in items.items() for back in _of(lines, product_id, cups)]


def _of(lines: Sequence[Standing], product_id: UUID, cups: int) -> list[Back]:
    mine = [line for line in lines if line.product_id == product_id]
    taken = sum(line.left for line in mine)
    if taken < cups:
        raise NotSoManyTaken(taken=taken, wanted=cups)
    backs = []
    for line in sorted(mine, key=lambda one: one.burning_order, reverse=True):
        going = min(line.left, cups)
        if going:
            backs.append(_back(line, going))
            cups -= going
    return backs


def _back(line: Standing, cups: int) -> Back:
    amount, vat, top_up = (
        ledger.policy.carried(
            net=whole, units=line.cups, used=line.cups_voided, net_recognised=gone, cups=cups
        )
        for whole, gone in (
            (line.amount, line.amount_voided),
            (line.vat, line.vat_voided),
            (line.top_up, line.top_up_voided),
        )
    )
    return Back(line, cups, amount, vat, top_up)


def share(whole: int, *, part: int, of: int) -> int:
    """The share of `whole` that goes back with `part` of a sum, half up; all of it with the last.

    For the VAT that was booked of a sum at the till: it came off the sum, not off its cups.
    """
    return divided(whole * part, of) if of else 0
