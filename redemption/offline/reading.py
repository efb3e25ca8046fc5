"""All that the decision about items needs, as the one reading brings it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import TupleRow

from kernel import hot
from kernel.hot import array
from redemption import token
from redemption.models import OfflineItem
from redemption.offline import log, settling, statements
from redemption.offline.judging import SKEW, Known, is_quarantined, sealed_in
from redemption.offline.log import Item
from redemption.offline.settling import Place, Served
from redemption.policy import HeldLot, Wanted
from redemption.token import Code


class Key(NamedTuple):
    """What an item was signed by: the key of its device, or one from before it was replaced."""

    public_key: bytes
    is_former: bool


@dataclass(frozen=True, slots=True)
class Brought:
    """An item as a till brought it, with its signature, which is good; and what it shows."""

    item: Item
    signature: bytes
    key: Key
    code: Code | None

    @property
    def serial(self) -> bytes | None:
        """The serial of its capsule, if it is one of ours and was shown by who has it."""
        sealed = sealed_in(self.code)
        return None if sealed is None else sealed.serial

    @property
    def place(self) -> Place:
        item = self.item
        return Place(item.at, item.device_id, item.number, item.hash)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What became of an item that came before."""

    outcome: str
    reason: str | None
    redemption_id: UUID | None
    cups_borne: int


@dataclass(frozen=True, slots=True)
class Met:
    """An item, and everything about it as of one moment.

    `changes_log`: there are items of its log, next to it, that were good before it came and are not
    now; what is quarantined changes nothing. `has_later`: of the same wallet items are settled that
    were served after it. `spent`: cups that its capsule has taken. `lots` are what the wallet held
    when it was served, as this drink finds them there.
    """

    brought: Brought
    lots: list[HeldLot]
    earlier: Earlier | None
    known: Known
    changes_log: bool
    has_later: bool
    store_id: UUID
    channel: str
    served_at: datetime
    served_on: date
    business_day: date
    known_on: date
    first_open: date | None
    spent: int
    version: int | None
    list_price: int | None

    @property
    def member_id(self) -> UUID | None:
        return self.known.member_id

    @property
    def right(self) -> int:
        """How many cups its capsule may still take."""
        sealed = sealed_in(self.brought.code)
        return 0 if sealed is None else max(0, sealed.cups - self.spent)

    def served(self) -> Served:
        """It, as `settling` has it."""
        item, serial = self.brought.item, self.brought.serial
        assert serial is not None  # what has no capsule is not settled
        assert self.list_price is not None  # nor what is no drink of ours
        wanted = Wanted(cups=item.cups, list_price=self.list_price, channel=self.channel)
        return Served(self.brought.place, self.served_at, serial, wanted, self.lots)


def bring(item: Item, signature: bytes, key: Key) -> Brought:
    """Take apart what the item says was shown."""
    return Brought(item, signature, key, token.parse(item.capsule))


def bring_again(row: OfflineItem) -> Brought:
    """The same of an item that is here. Its key was not replaced when it came, or it is charged."""
    return bring(log.read(row.item), row.signature, Key(row.signed_by, is_former=False))


def meet(read: hot.Run, brought: Sequence[Brought], *, now: datetime) -> list[Met]:
    """Read everything about items, in one statement, and answer them in the same order."""
    rows = read(statements.READ, _asked(brought, [now] * len(brought), now))
    return _met(brought, rows, now)


def meet_again(
    read: hot.Run,
    brought: Sequence[Brought],
    *,
    known_at: Mapping[Place, datetime],
    lot_ids: Collection[UUID],
    now: datetime,
) -> list[Met]:
    """Read items once more that came at `known_at`, with the lots that cups are given back to."""
    asked = _asked(brought, [known_at.get(one.place, now) for one in brought], now)
    rows = read(statements.READ_AGAIN, {**asked, "lot_ids": array(lot_ids)})
    return _met(brought, rows, now)


def binaries(values: Iterable[bytes | None]) -> str:
    """Write a list as `hot.array` does, of bytes, in hex."""
    return array(None if value is None else rf"\\x{value.hex()}" for value in values)


def _asked(
    brought: Sequence[Brought], known_at: Sequence[datetime], now: datetime
) -> dict[str, Any]:
    items = [one.item for one in brought]
    return {
        "ordinals": array(range(len(items))),
        "device_ids": array(item.device_id for item in items),
        "numbers": array(item.number for item in items),
        "hashes": binaries(item.hash for item in items),
        "previous": binaries(item.previous_hash for item in items),
        "signers": binaries(one.key.public_key for one in brought),
        "serials": binaries(one.serial for one in brought),
        "product_ids": array(item.product_id for item in items),
        "staff_ids": array(item.staff_id for item in items),
        "ats": array(item.at.isoformat() for item in items),
        "knowns": array(at.isoformat() for at in known_at),
        "settled": array(settling.REASONS),
        "now": now,
    }


def _met(brought: Sequence[Brought], rows: Iterable[TupleRow], now: datetime) -> list[Met]:
    found: dict[int, Met] = {}
    for row in rows:
        ordinal = row[0]
        if ordinal not in found:
            found[ordinal] = _one(brought[ordinal], row[1:_LOT_AT], now)
        lot = _lot(row[_LOT_AT:], by=found[ordinal].brought.item.at)
        if lot is not None:
            found[ordinal].lots.append(lot)
    return [found[ordinal] for ordinal in range(len(brought))]


_LOT_AT = 28


def _one(brought: Brought, row: TupleRow, now: datetime) -> Met:
    (
        outcome, reason, redemption_id, cups_borne,
        has_mate, is_broken, breaks_next, has_later,
        store_id, channel, store_group, revoked_at,
        served_at, served_on, business_day, known_on, first_open,
        member_id, issued_at, ends_at, capsule_revoked_at, spent,
        version, blocked_at, is_staff, own_member_id, list_price,
    ) = row  # fmt: skip
    known = Known(
        store_group=store_group,
        revoked_at=revoked_at,
        is_key_replaced=brought.key.is_former,
        has_mate=has_mate,
        is_broken=is_broken,
        member_id=member_id,
        capsule_issued_at=issued_at,
        capsule_ends_at=ends_at,
        capsule_revoked_at=capsule_revoked_at,
        blocked_at=blocked_at,
        is_product=list_price is not None,
        is_staff=is_staff,
        own_member_id=own_member_id,
    )
    return Met(
        brought=brought,
        lots=[],
        earlier=outcome and Earlier(outcome, reason, redemption_id, cups_borne),
        known=known,
        changes_log=(has_mate or breaks_next) and not is_quarantined(known, now=now),
        has_later=has_later,
        store_id=store_id,
        channel=channel,
        served_at=served_at,
        served_on=served_on,
        business_day=business_day,
        known_on=known_on,
        first_open=first_open,
        spent=spent,
        version=version,
        list_price=list_price,
    )


def _lot(row: TupleRow, *, by: datetime) -> HeldLot | None:
    """A lot as the item finds it, if it was in the wallet by then; a till's clock may be slow."""
    came_at, *held, is_unlimited = row
    if came_at is None or came_at > by + SKEW:
        return None
    return HeldLot(*(*held, *_NO_LIMITS, is_unlimited))


_NO_LIMITS = (None, None, None, 0, None)
"""Of cups a scan, a day and apart: what was served is not refused."""
