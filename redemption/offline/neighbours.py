"""What the items of one batch say of each other's log, before any of them is kept. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from redemption.offline.reading import Brought, Met


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The items of a batch by device, key and number."""

    hashes: Mapping[tuple[UUID, bytes, int], set[bytes]]

    def told(self, met: Met) -> Met:
        """An item, with what the others of its batch say of it."""
        item, key = met.brought.item, met.brought.key.public_key
        before = self.hashes.get((item.device_id, key, item.number - 1), set())
        has_mate = len(self.hashes[item.device_id, key, item.number]) > 1
        is_broken = not before <= {item.previous_hash}
        if not has_mate and not is_broken:
            return met
        known = replace(
            met.known,
            has_mate=met.known.has_mate or has_mate,
            is_broken=met.known.is_broken or is_broken,
        )
        return replace(met, known=known)


def neighbours_among(brought: Iterable[Brought]) -> Neighbours:
    """Sort a batch by its logs' numbers."""
    hashes: dict[tuple[UUID, bytes, int], set[bytes]] = {}
    for one in brought:
        place = (one.item.device_id, one.key.public_key, one.item.number)
        hashes.setdefault(place, set()).add(one.item.hash)
    return Neighbours(hashes)
