"""What the one statement is given that writes an upload (`statements.WRITE`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from kernel.hot import array
from kernel.ids import new_id
from ledger import Pair
from ledger.content import content_hash
from ledger.service.dating import book_date
from redemption import till_money
from redemption.offline.reading import Met, binaries
from redemption.offline.settling import Settled
from redemption.policy import Taken


@dataclass(frozen=True, slots=True)
class Decided:
    """What becomes of an item, if its wallet is still as it was seen.

    `hangs_on` is that wallet; what is for a person to look at, whatever is held, hangs on none.
    """

    met: Met
    settled: Settled
    hangs_on: UUID | None = None
    redemption_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is booked of an item."""

    id: UUID
    one: Decided
    pairs: Sequence[Pair]

    @property
    def booked_on(self) -> Any:
        met = self.one.met
        return book_date(
            occurred_on=met.served_on, known_on=met.known_on, first_open=met.first_open
        )


def rows(decided: Sequence[Decided], now: datetime) -> dict[str, Any]:
    """Write down what was decided, in arrays."""
    handed = [one for one in decided if one.redemption_id is not None]
    entries = [
        _Entry(new_id(), one, pairs)
        for one in handed
        if (pairs := till_money.postings(one.settled.taken, made_at_id=one.met.store_id))
    ]
    entry_ids = {entry.one.redemption_id: entry.id for entry in entries}
    versions = {one.hangs_on: one.met.version for one in decided if one.hangs_on is not None}
    return {
        "now": now,
        "wallets": array(versions),
        "versions": array(versions.values()),
        "items": Jsonb([_item(one) for one in decided]),
        "news": Jsonb([news for one in handed for news in _news(one)]),
        **_lots(handed),
        **_redemptions(handed, entry_ids),
        **_lines(handed),
        **_entries(entries),
        **_pairs(entries),
    }


def _item(one: Decided) -> dict[str, Any]:
    met, item = one.met, one.met.brought.item
    serial = met.brought.serial
    return {
        "device_id": str(item.device_id),
        "number": item.number,
        "hash": rf"\x{item.hash.hex()}",
        "previous_hash": rf"\x{item.previous_hash.hex()}",
        "item": item.text,
        "signature": rf"\x{met.brought.signature.hex()}",
        "signed_by": rf"\x{met.brought.key.public_key.hex()}",
        "store_id": str(met.store_id),
        "staff_id": str(item.staff_id) if met.known.is_staff else None,
        "serial": serial and rf"\x{serial.hex()}",
        "member_id": met.member_id and str(met.member_id),
        "product_id": str(item.product_id) if met.known.is_product else None,
        "cups": item.cups,
        "served_at": item.at.isoformat(),
        "business_day": met.business_day.isoformat(),
        "outcome": one.settled.outcome,
        "reason": one.settled.reason,
        "cups_borne": one.settled.cups_borne,
        "redemption_id": one.redemption_id and str(one.redemption_id),
        "hangs_on": one.hangs_on and str(one.hangs_on),
    }


def _news(one: Decided) -> Iterable[dict[str, Any]]:
    """What is promised with it, as with any redemption: see `redemption.jobs`."""
    member_id = str(one.met.member_id)
    of = {"member_id": member_id, "redemption_id": str(one.redemption_id)}
    yield {"member_id": member_id, "id": str(new_id()), "topic": "redemption.done", "facts": of}
    if till_money.is_taxed(one.settled.taken):
        yield {
            "member_id": member_id,
            "id": str(new_id()),
            "topic": "redemption.taxed",
            "facts": of,
        }


def _lots(handed: Sequence[Decided]) -> dict[str, Any]:
    """What leaves each lot, in one sum: two items may take from one, and it is written to once."""
    leaving: dict[tuple[UUID | None, UUID], tuple[int, int, int]] = {}
    for one in handed:
        for pick in one.settled.taken:
            lot = (one.met.member_id, pick.lot.id)
            cups, amount, vat = leaving.get(lot, (0, 0, 0))
            leaving[lot] = (cups + pick.cups, amount + pick.amount, vat + pick.vat)
    return {
        "lot_members": array(member_id for member_id, _ in leaving),
        "lot_ids": array(lot_id for _, lot_id in leaving),
        "lot_cups": array(cups for cups, _, _ in leaving.values()),
        "lot_amounts": array(amount for _, amount, _ in leaving.values()),
        "lot_vats": array(vat for _, _, vat in leaving.values()),
    }


def _redemptions(handed: Sequence[Decided], entry_ids: dict[UUID | None, UUID]) -> dict[str, Any]:
    mets = [one.met for one in handed]
    items = [met.brought.item for met in mets]
    return {
        "redemption_members": array(met.member_id for met in mets),
        "redemption_ids": array(one.redemption_id for one in handed),
        "store_ids": array(met.store_id for met in mets),
        "till_ids": array(item.device_id for item in items),
        "clerk_ids": array(item.staff_id for item in items),
        "redemption_cups": array(sum(pick.cups for pick in one.settled.taken) for one in handed),
        "redeemed_ats": array(met.served_at.isoformat() for met in mets),
        "business_days": array(met.business_day.isoformat() for met in mets),
        "credentials": binaries(met.brought.serial for met in mets),
        "redemption_entries": array(entry_ids.get(one.redemption_id) for one in handed),
    }


def _lines(handed: Sequence[Decided]) -> dict[str, Any]:
    """Which cups came from which lot."""
    lines: list[tuple[Decided, Taken]] = [
        (one, pick) for one in handed for pick in one.settled.taken
    ]
    return {
        "line_members": array(one.met.member_id for one, _ in lines),
        "line_redemptions": array(one.redemption_id for one, _ in lines),
        "line_lots": array(pick.lot.id for _, pick in lines),
        "line_products": array(one.met.brought.item.product_id for one, _ in lines),
        "line_offers": array(pick.lot.offer_id for _, pick in lines),
        "line_cups": array(pick.cups for _, pick in lines),
        "line_amounts": array(pick.amount for _, pick in lines),
        "line_vats": array(pick.vat for _, pick in lines),
    }


def _entries(entries: Sequence[_Entry]) -> dict[str, Any]:
    """Each belongs to the day on which it was served, and is booked there if that is still open."""
    mets = [entry.one.met for entry in entries]
    return {
        "entry_members": array(met.member_id for met in mets),
        "entry_ids": array(entry.id for entry in entries),
        "entry_sources": array(entry.one.redemption_id for entry in entries),
        "event_ats": array(met.served_at.isoformat() for met in mets),
        "occurred_ons": array(met.served_on.isoformat() for met in mets),
        "book_dates": array(entry.booked_on.isoformat() for entry in entries),
        "currencies": array(_currency(entry.one) for entry in entries),
        "content_hashes": binaries(_content_hash(entry) for entry in entries),
    }


def _content_hash(entry: _Entry) -> bytes:
    one = entry.one
    assert one.met.member_id is not None  # it took from a lot
    assert one.redemption_id is not None
    return content_hash(
        member_id=one.met.member_id,
        entry_id=entry.id,
        kind="redemption",
        source_id=one.redemption_id,
        event_at=one.met.served_at,
        occurred_on=one.met.served_on,
        book_date=entry.booked_on,
        currency=_currency(one),
        reverses_id=None,
        pairs=entry.pairs,
    )


def _currency(one: Decided) -> str:
    return one.settled.taken[0].lot.currency


def _pairs(entries: Sequence[_Entry]) -> dict[str, Any]:
    pairs = [
        (entry, ordinal, pair) for entry in entries for ordinal, pair in enumerate(entry.pairs, 1)
    ]
    return {
        "pair_members": array(entry.one.met.member_id for entry, _, _ in pairs),
        "pair_entries": array(entry.id for entry, _, _ in pairs),
        "pair_dates": array(entry.booked_on.isoformat() for entry, _, _ in pairs),
        "books": array(pair.store_id for _, _, pair in pairs),
        "debits": array(pair.debit for _, _, pair in pairs),
        "credits": array(pair.credit for _, _, pair in pairs),
        "amounts": array(pair.amount for _, _, pair in pairs),
        "qtys": array(pair.qty for _, _, pair in pairs),
        "counterparts": array(pair.counterpart_store_id for _, _, pair in pairs),
        "pair_offers": array(pair.offer_id for _, _, pair in pairs),
        "pair_lots": array(pair.lot_id for _, _, pair in pairs),
        "pair_ordinals": array(ordinal for _, ordinal, _ in pairs),
    }
