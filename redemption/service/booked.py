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
class Taxed:
    """A sum at the till, VAT included, and the VAT in it."""

    gross: int = 0
    vat: int = 0

    def part(self, gross: int) -> "Taxed":
        return Taxed(gross, share(self.vat, part=gross, of=self.gross))

    def less(self, other: "Taxed") -> "Taxed":
        return Taxed(self.gross - other.gross, self.vat - other.vat)


@dataclass(frozen=True, slots=True)
class Booked:
    """Of one redemption: the sales at the till by lot (cash-value vouchers), and the top-up."""

    sales: Mapping[UUID, Taxed]
    top_up: Taxed

    def share_of(self, backs: Iterable[Back]) -> "Booked":
        """What of it goes back with these cups."""
        going: dict[UUID, int] = defaultdict(int)
        top_up = 0
        for back in backs:
            going[back.line.lot_id] += back.amount
            top_up += back.top_up
        return Booked(
            {lot_id: sale.part(going[lot_id]) for lot_id, sale in self.sales.items()},
            self.top_up.part(top_up),
        )

    def less(self, going: "Booked") -> "Booked":
        """What stays when that has gone."""
        return Booked(
            {lot_id: sale.less(going.sales[lot_id]) for lot_id, sale in self.sales.items()},
            self.top_up.less(going.top_up),
        )


def booked_of(redemption: Redemption) -> Booked:
    """What stands in the books of a redemption now, as its entry has it."""
    entry = redemption.entry_id and db.session.get_one(
        Entry, (redemption.member_id, redemption.entry_id)
    )
    if not entry:
        return Booked({}, Taxed())
    lines = db.session.scalars(
        select(Line).where(
            Line.member_id == entry.member_id,
            Line.book_date == entry.book_date,
            Line.entry_id == entry.id,
        )
    ).all()
    vats: dict[UUID | None, int] = defaultdict(int)
    for line in lines:
        if line.credit == policy.OUTPUT_VAT:
            vats[line.lot_id] += line.amount
    paid = sum(line.amount for line in lines if line.debit == policy.CASH)
    return Booked(
        {lot_id: Taxed(gross, vats[lot_id]) for lot_id, gross in _sold(redemption).items()},
        Taxed(paid, vats[None]),
    )


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
    paid = staying.top_up
    return handed + policy.top_up(
        store_id=redemption.store_id, net=paid.gross - paid.vat, vat=paid.vat
    )


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


def _sold(redemption: Redemption) -> dict[UUID, int]:
    """The cups that were sold at the till: of each lot, what of its money has not come back."""
    standing: dict[UUID, int] = defaultdict(int)
    for line in db.session.scalars(
        select(RedemptionLine)
        .join(Lot, (Lot.member_id == RedemptionLine.member_id) & (Lot.id == RedemptionLine.lot_id))
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(
            RedemptionLine.member_id == redemption.member_id,
            RedemptionLine.redemption_id == redemption.id,
            OfferVersion.vat_timing == "redemption",
        )
    ):
        standing[line.lot_id] += line.amount - line.amount_voided
    return standing
