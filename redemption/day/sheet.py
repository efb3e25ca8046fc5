"""A store's business day, added up by drink, hour, clerk and selling store. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from redemption.day.cells import Cell, Day
from redemption.day.flags import Flag, flags_of


@dataclass(frozen=True, slots=True)
class Sum:
    """Cups of one drink, hour, clerk or selling store.

    `cups` were handed over, `cups_voided` of them undone since; `amount` is the net value of those
    that stayed, in minor units of `currency`; `top_up` what was paid besides, VAT included.
    """

    of: UUID | int
    currency: str
    cups: int
    cups_voided: int
    amount: int
    top_up: int

    @property
    def cups_kept(self) -> int:
        return self.cups - self.cups_voided


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a store did on a business day."""

    day: Day
    by_product: Sequence[Sum]
    by_hour: Sequence[Sum]
    by_clerk: Sequence[Sum]
    by_seller: Sequence[Sum]
    flags: Sequence[Flag]

    @property
    def cups(self) -> int:
        return sum(cell.cups for cell in self.day.cells)

    @property
    def cups_voided(self) -> int:
        return sum(cell.cups_voided for cell in self.day.cells)

    @property
    def cups_offline(self) -> int:
        return sum(cell.cups for cell in self.day.cells if cell.is_offline)

    @property
    def cups_borne(self) -> int:
        return sum(one.cups_borne for one in self.day.offline)


def sheet_of(day: Day) -> Sheet:
    """Add a day up. Each of the four ways adds up to the same cups and money."""
    return Sheet(
        day,
        by_product=_summed(day.cells, lambda cell: cell.product_id),
        by_hour=_summed(day.cells, lambda cell: cell.hour),
        by_clerk=_summed(day.cells, lambda cell: cell.staff_id),
        by_seller=_summed(day.cells, lambda cell: cell.sold_at_id),
        flags=flags_of(day),
    )


def _summed(cells: Sequence[Cell], of: Callable[[Cell], UUID | int]) -> list[Sum]:
    parts: dict[tuple[UUID | int, str], list[Cell]] = {}
    for cell in cells:
        parts.setdefault((of(cell), cell.currency), []).append(cell)
    return [
        Sum(
            key,
            currency,
            cups=sum(cell.cups for cell in mine),
            cups_voided=sum(cell.cups_voided for cell in mine),
            amount=sum(cell.amount for cell in mine),
            top_up=sum(cell.top_up for cell in mine),
        )
        for (key, currency), mine in parts.items()
    ]
