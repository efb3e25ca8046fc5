"""What an upload answers of each item."""

from dataclasses import dataclass
from uuid import UUID

from redemption.offline.log import Item
from redemption.offline.reading import Earlier
from redemption.offline.settling import Settled


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item: `applied`, `overdrawn`, `review`, or a `duplicate`.

    A duplicate has come before: `earlier` says what became of it, and the rest tells it as it
    stands now. `cups_borne` of its `cups` the chain bears.
    """

    device_id: UUID
    number: int
    outcome: str
    cups: int
    cups_borne: int
    reason: str | None
    redemption_id: UUID | None
    earlier: str | None = None


def of_settled(item: Item, settled: Settled, redemption_id: UUID | None) -> Outcome:
    """What became of an item that is new."""
    return Outcome(
        item.device_id,
        item.number,
        settled.outcome,
        item.cups,
        settled.cups_borne,
        settled.reason,
        redemption_id,
    )


def of_earlier(item: Item, earlier: Earlier) -> Outcome:
    """What became of an item that came before."""
    return Outcome(
        item.device_id,
        item.number,
        "duplicate",
        item.cups,
        earlier.cups_borne,
        earlier.reason,
        earlier.redemption_id,
        earlier.outcome,
    )
