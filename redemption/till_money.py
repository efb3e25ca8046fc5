"""What handing over cups books, and what of it is taxed at the till. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import ledger
from kernel.errors import NotFound
from kernel.money import Taxed, without_vat
from ledger import Pair
from redemption.policy import HeldLot, Taken


@dataclass(frozen=True, slots=True)
class TopUp:
    """What a till took besides the cups: taken apart, and by which rate."""

    net: int
    vat: int
    vat_code: str

    @property
    def gross(self) -> int:
        return self.net + self.vat


def due(taken: Iterable[Taken]) -> int:
    """What all of these cups cost besides, VAT included, in minor units."""
    return sum(pick.top_up for pick in taken)


def top_ups_of(taken: Iterable[Taken]) -> list[TopUp]:
    """Tax what is paid besides, in one sum for each tax code of the terms; none where nothing is.

    Nearly always there is one code. They come in the order of the codes, as the books have them.
    """
    grosses: dict[str, int] = {}
    lots: dict[str, HeldLot] = {}
    for pick in taken:
        if pick.top_up:
            code = pick.lot.vat_code
            grosses[code] = grosses.get(code, 0) + pick.top_up
            lots.setdefault(code, pick.lot)
    prices = [(code, _taxed(lots[code], grosses[code])) for code in sorted(grosses)]
    return [TopUp(price.net, price.vat, code) for code, price in prices]


def is_taxed(taken: Iterable[Taken]) -> bool:
    """Whether anything of it is invoiced now: a top-up, or cups of a cash-value voucher."""
    return any(pick.top_up or pick.lot.is_taxed_at_till for pick in taken)


def postings(taken: Sequence[Taken], *, made_at_id: UUID) -> list[Pair]:
    """What handing over these cups books, lot by lot (E2), and then what was paid besides."""
    pairs = [pair for pick in taken for pair in _handed(pick, made_at_id)]
    for paid in top_ups_of(taken):
        pairs += ledger.policy.top_up(store_id=made_at_id, net=paid.net, vat=paid.vat)
    return pairs


def _handed(pick: Taken, made_at_id: UUID) -> list[Pair]:
    """What nobody counts is earned by the day, and handing it over books nothing."""
    if pick.lot.is_unlimited:
        return []
    pairs = ledger.policy.hand_over(
        sold_at_id=pick.lot.sold_at_id,
        made_at_id=made_at_id,
        account=pick.lot.account,
        amount=pick.amount,
        cups=pick.cups,
        offer_id=pick.lot.offer_id,
        lot_id=pick.lot.id,
    )
    if not pick.lot.is_taxed_at_till:
        return pairs
    *owing, earned = pairs
    price = _taxed(pick.lot, pick.amount)
    if price.vat == 0:
        return pairs
    vat = replace(earned, credit=ledger.policy.OUTPUT_VAT, amount=price.vat, qty=0)
    return [*owing, replace(earned, amount=price.net), vat]


def _taxed(lot: HeldLot, gross: int) -> Taxed:
    """Take the VAT out, by the rate of the day on which the drink is made.

    Raises:
        NotFound: the code of the terms has no rate yet on that day.
    """
    if lot.basis_points is None or lot.rounding is None:
        raise NotFound
    return without_vat(gross, basis_points=lot.basis_points, rounding=lot.rounding)
