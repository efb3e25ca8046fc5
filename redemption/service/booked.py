"""What of a redemption is taxed at the till as the books have it, and what its cups book."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

import ledger
from kernel.db import db
from ledger import Pair, policy
from ledger.models import Entry, Line
from redemption.models import Redemption, RedemptionLine
from redemption.void_policy import Back, share
from vouchers.models import Lot, OfferVersion


@dataclass(frozen=True, slots=True)
class Charged:
    """A sum at the till, VAT included, and the VAT in it."""

    gross: int = 0
    vat: int = 0

    def part(self, gross: int) -> "Charged":
        return Charged(gross, share(self.vat, part=gross, of=self.gross))

    def less(self, other: "Charged") -> "Charged":
        return Charged(self.gross - other.gross, self.vat - other.vat)


@dataclass(frozen=True, slots=True)
class Booked:
    """Of one redemption: the sales at the till by lot (cash-value vouchers), the top-ups by code.

    `codes` are the tax codes of its lots: by these what was paid besides is taxed.
    """

    sales: Mapping[UUID, Charged]
    top_ups: Mapping[str, Charged]
    codes: Mapping[UUID, str]

    @property
    def top_up(self) -> Charged:
        """All that was paid besides."""
        return total(self.top_ups.values())

    def share_of(self, backs: Iterable[Back]) -> "Booked":
        """What of it goes back with these cups."""
        going: dict[UUID, int] = defaultdict(int)
        paid: dict[str, int] = defaultdict(int)
        for back in backs:
            going[back.line.lot_id] += back.amount
            paid[self.codes[back.line.lot_id]] += back.top_up
        return replace(
            self,
            sales={lot_id: sale.part(going[lot_id]) for lot_id, sale in self.sales.items()},
            top_ups={code: part.part(paid[code]) for code, part in self.top_ups.items()},
        )

    def less(self, going: "Booked") -> "Booked":
        """What stays when that has gone."""
        return replace(
            self,
            sales={lot_id: sale.less(going.sales[lot_id]) for lot_id, sale in self.sales.items()},
            top_ups={code: part.less(going.top_ups[code]) for code, part in self.top_ups.items()},
        )


def booked_of(redemption: Redemption) -> Booked:
    """What stands in the books of a redemption now, as its entry has it."""
    taken = _taken(redemption)
    codes = {one.lot_id: one.vat_code for one in taken}
    entry = redemption.entry_id and db.session.get_one(
        Entry, (redemption.member_id, redemption.entry_id)
    )
    if not entry:
        return Booked({}, {}, codes)
    booked = db.session.scalars(
        select(Line)
        .where(
            Line.member_id == entry.member_id,
            Line.book_date == entry.book_date,
            Line.entry_id == entry.id,
        )
        .order_by(Line.ordinal)
    ).all()
    vats: dict[UUID | None, int] = defaultdict(int)
    for line in booked:
        if line.credit == policy.OUTPUT_VAT:
            vats[line.lot_id] += line.amount
    sold: dict[UUID, int] = defaultdict(int)
    paid: dict[str, int] = defaultdict(int)
    for one in taken:
        if one.is_taxed_at_till:
            sold[one.lot_id] += one.amount
        paid[one.vat_code] += one.top_up
    return Booked(
        {lot_id: Charged(gross, vats[lot_id]) for lot_id, gross in sold.items()},
        _by_code([line for line in booked if line.debit == policy.CASH], paid),
        codes,
    )


def total(parts: Iterable[Charged]) -> Charged:
    """Add sums up."""
    parts = list(parts)
    return Charged(sum(one.gross for one in parts), sum(one.vat for one in parts))


def pairs_of(
    redemption: Redemption,
    lines: Iterable[RedemptionLine],
    lots: Mapping[UUID, Lot],
    staying: Booked,
) -> Sequence[Pair]:
    """What handing over the cups that stay books: lot by lot, and then what was paid besides."""
    cups: dict[UUID, int] = defaultdict(int)
    money: dict[UUID, int] = defaultdict(int)
    for line in lines:
        if lots[line.lot_id].units:
            cups[line.lot_id] += line.cups - line.cups_voided
            money[line.lot_id] += line.amount - line.amount_voided
    handed = [
        pair
        for lot_id in cups
        if cups[lot_id]
        for pair in _handed(
            redemption,
            lots[lot_id],
            cups=cups[lot_id],
            amount=money[lot_id],
            vat=staying.sales[lot_id].vat if lot_id in staying.sales else 0,
        )
    ]
    paid = [
        pair
        for _, part in sorted(staying.top_ups.items())
        for pair in policy.top_up(
            store_id=redemption.store_id, net=part.gross - part.vat, vat=part.vat
        )
    ]
    return handed + paid


def _handed(redemption: Redemption, lot: Lot, *, cups: int, amount: int, vat: int) -> list[Pair]:
    pairs = ledger.policy.hand_over(
        sold_at_id=lot.store_id,
        made_at_id=redemption.store_id,
        account=lot.account,
        amount=amount,
        cups=cups,
        offer_id=lot.offer_id,
        lot_id=lot.id,
    )
    if not vat:
        return pairs
    *owing, earned = pairs
    taxed = replace(earned, credit=policy.OUTPUT_VAT, amount=vat, qty=0)
    return [*owing, replace(earned, amount=amount - vat), taxed]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What has not come back of a line, and how its lot is taxed."""

    lot_id: UUID
    amount: int
    top_up: int
    vat_code: str
    is_taxed_at_till: bool


def _taken(redemption: Redemption) -> Sequence[_Kept]:
    lines, terms = RedemptionLine, OfferVersion
    mine = (
        select(
            lines.lot_id,
            lines.amount - lines.amount_voided,
            lines.top_up - lines.top_up_voided,
            terms.vat_code,
            terms.vat_timing == "redemption",
        )
        .join(Lot, (Lot.member_id == lines.member_id) & (Lot.id == lines.lot_id))
        .join(terms, terms.id == Lot.offer_version_id)
        .where(lines.member_id == redemption.member_id, lines.redemption_id == redemption.id)
    )
    return [_Kept(*row) for row in db.session.execute(mine)]


def _by_code(lines: Sequence[Line], grosses: Mapping[str, int]) -> dict[str, Charged]:
    """Tell the top-ups of an entry apart: they are in it one after the other, by their codes."""
    left, parts = list(lines), dict[str, Charged]()
    for code in sorted(code for code, gross in grosses.items() if gross):
        mine: list[Line] = []
        while left and sum(line.amount for line in mine) < grosses[code]:
            mine.append(left.pop(0))
        vat = sum(line.amount for line in mine if line.credit == policy.OUTPUT_VAT)
        parts[code] = Charged(sum(line.amount for line in mine), vat)
    return parts
