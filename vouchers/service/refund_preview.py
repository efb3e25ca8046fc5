"""What would come back for cups, line by line: decided without any effect.

The verb (`service.refund`) decides by the same functions, under the wallets' locks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import select, tuple_

import chain
import ledger
from kernel.db import db
from ledger.policy import Returned
from vouchers import refund_policy as policy
from vouchers.day_use import days_gone, unearned
from vouchers.models import GiftItem, Lot, OfferVersion
from vouchers.refund_errors import NotRefundable, WholeRestOnly
from vouchers.refund_origin import PaidFor, paid_for
from vouchers.refund_packs import packs_of
from vouchers.refund_shares import Share, backs, share_out
from vouchers.service.refund_wish import Part, Wish, find_lots, parts_of
from vouchers.slices import Slice, left_in, slice_of


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """What comes back of one part, and the terms that say so."""

    part: Part
    terms: OfferVersion
    returned: Returned
    share: Share | None = None

    @property
    def takes_cups(self) -> bool:
        """Whether the cups go with it; of several payments for them, with the first."""
        return self.share is None or self.share.is_first


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes back to one payer, of one payment, by one rule."""

    paid_for: PaidFor
    reason: policy.Reason
    basis: policy.Basis
    lines: Sequence[DecidedLine]

    @property
    def gross(self) -> int:
        return sum(line.returned.net + line.returned.vat for line in self.lines)

    @property
    def kept(self) -> int:
        return sum(line.returned.kept_net + line.returned.kept_vat for line in self.lines)

    @property
    def fee(self) -> int:
        return sum(line.returned.fee_net + line.returned.fee_vat for line in self.lines)

    @property
    def payable(self) -> int:
        return sum(line.returned.payable for line in self.lines)

    @property
    def currency(self) -> str:
        return self.lines[0].part.lot.currency


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A part with all that is decided from. `back` is what comes back before the fee.

    `kept_before` is what of its pack was kept before, and the VAT in it.
    """

    part: Part
    terms: OfferVersion
    origin: PaidFor
    way: policy.Way
    carried: Slice
    back: int
    share: Share | None = None
    kept_before: tuple[int, int] = (0, 0)

    @property
    def lot(self) -> Lot:
        return self.part.lot


def preview(wish: Wish, *, now: datetime) -> list[Decision]:
    """Say what would come back now. Refuses what the verb would refuse."""
    return decide_wish(wish, find_lots(wish), now=now)


def decide_wish(wish: Wish, lots: Sequence[Lot], *, now: datetime) -> list[Decision]:
    """Decide on what somebody asked for.

    Raises:
        NothingToRefund, TooFewLeft, NotRefundable, CupsFrozen: see `parts_of`.
        NotRefundable, WholeRestOnly: see `decide`.
    """
    parts = parts_of(wish, lots, now=now)
    asked: policy.Asked = "goodwill" if wish.member_id is None else "request"
    return decide(parts, asked=asked, skips_refused=not wish.lots, now=now)


def decide(
    parts: Sequence[Part], *, asked: policy.Asked, now: datetime, skips_refused: bool = False
) -> list[Decision]:
    """Decide what comes back for parts of lots, a decision for each payment and rule.

    With `skips_refused` cups whose terms give nothing back are left out, unless none remain.

    Raises:
        NotRefundable: the terms give nothing back.
        WholeRestOnly: a part of a lot whose collected cups count at list price.
    """
    groups: dict[tuple[str, UUID, str, str], list[_Weighed]] = defaultdict(list)
    weighed = _weighed(parts, asked, skips_refused=skips_refused, now=now)
    for one in (each for whole in weighed for each in _shared(whole)):
        origin, way = one.origin, one.way
        groups[origin.purpose, origin.purpose_id, way.reason, way.basis].append(one)
    if not groups:
        raise NotRefundable(why="terms")
    return [
        Decision(group[0].origin, group[0].way.reason, group[0].way.basis, _lines(group, now))
        for group in groups.values()
    ]


def _weighed(
    parts: Sequence[Part], asked: policy.Asked, *, skips_refused: bool, now: datetime
) -> list[_Weighed]:
    terms = _terms_of(parts)
    origins = paid_for([part.lot for part in parts])
    weighed = []
    for part, carried in zip(parts, _slices(parts, now), strict=True):
        version, origin = terms[part.lot.offer_version_id], origins[part.lot.id]
        try:
            way = _way(part, version, origin, asked, now)
        except NotRefundable:
            if not skips_refused:
                raise
            continue
        weighed.append(_Weighed(part, version, origin, way, carried, carried.gross))
    return _at_list_price(weighed)


def _shared(one: _Weighed) -> list[_Weighed]:
    """The same by each payment that has paid for it; what a gift took goes by the first."""
    shares = share_out(one.lot, one.carried) if one.part.gift_id is None else []
    if not shares:
        return [one]
    return [
        replace(one, origin=share.paid_for, carried=share.carried, back=back, share=share)
        for share, back in zip(shares, backs(one.back, shares), strict=True)
    ]


def _terms_of(parts: Sequence[Part]) -> Mapping[UUID, OfferVersion]:
    ids = {part.lot.offer_version_id for part in parts}
    found = db.session.scalars(select(OfferVersion).where(OfferVersion.id.in_(ids)))
    return {terms.id: terms for terms in found}


def _slices(parts: Sequence[Part], now: datetime) -> list[Slice]:
    """What each part carries: cups in a lot by its rule, cups of a gift what went with them.

    Of what is earned by the day, what is of days that are left, whether the rest is booked or not.
    """
    places = [(part.gift_id, part.lot.id) for part in parts if part.gift_id is not None]
    mine = tuple_(GiftItem.gift_id, GiftItem.lot_id).in_(places)
    given: dict[tuple[UUID | None, UUID], Slice] = {
        (item.gift_id, item.lot_id): Slice(item.cups, item.net, item.vat)
        for item in (db.session.scalars(select(GiftItem).where(mine)) if places else ())
    }
    gone = days_gone([part.lot for part in parts], now=now)
    return [
        given[part.gift_id, part.lot.id]
        if part.gift_id is not None
        else unearned(part.lot, gone[part.lot.id])
        if part.lot.id in gone
        else slice_of(part.lot, part.cups)
        for part in parts
    ]


def _way(
    part: Part, terms: OfferVersion, origin: PaidFor, asked: policy.Asked, now: datetime
) -> policy.Way:
    lot = part.lot
    way = policy.way(
        asked,
        is_withdrawal=policy.is_withdrawal(
            channel=origin.channel,
            sold_on=chain.local_date(lot.store_id, origin.sold_at),
            today_on=chain.local_date(lot.store_id, now),
            withdrawal_days=terms.withdrawal_days,
        ),
        refund_basis=terms.refund_basis,
        refund_fee_bp=terms.refund_fee_bp,
    )
    if not lot.units or lot.prepays_plan:  # nobody counts what was collected
        return replace(way, basis="allocated")
    left = left_in(lot)
    if way.basis == "list_price" and part.gift_id is None and part.cups < left:
        raise WholeRestOnly(lot_id=str(lot.id), left=left)
    return way


def _at_list_price(weighed: Sequence[_Weighed]) -> list[_Weighed]:
    """The same, with what comes back where collected cups count at list price, pack by pack."""
    at_list = [one for one in weighed if one.way.basis == "list_price"]
    if not at_list:
        return list(weighed)
    ending = {one.part.gift_id for one in at_list if one.part.gift_id is not None}
    key_of, packs = packs_of([one.lot for one in at_list], ending=ending)
    of_pack: dict[object, list[_Weighed]] = defaultdict(list)
    for one in at_list:
        of_pack[key_of[one.lot.id]].append(one)
    done = [one for one in weighed if one.way.basis != "list_price"]
    for group in of_pack.values():
        list_price = group[0].terms.list_price
        assert list_price is not None  # the database holds it for this basis
        pack = packs[key_of[group[0].lot.id]]
        parts = [one.carried.gross for one in group]
        shares = policy.at_list_price(pack, list_price=list_price, parts=parts)
        kept = (pack.kept, pack.kept_vat)
        done += [
            replace(one, back=back, kept_before=kept)
            for one, back in zip(group, shares, strict=True)
        ]
    return done


def _lines(group: Sequence[_Weighed], now: datetime) -> list[DecidedLine]:
    given = [
        policy.Given(
            cups=one.carried.cups,
            net=one.carried.net,
            vat=one.carried.vat,
            back=one.back,
            fee_bp=one.way.fee_bp,
            is_taxed_at_sale=one.terms.vat_timing == "sale",
            tax=partial(
                ledger.taxed,
                code=one.terms.vat_code,
                on=chain.local_date(one.lot.store_id, now),
            ),
            rate=one.terms.vat_code,
            kept_before=one.kept_before,
        )
        for one in group
    ]
    return [
        DecidedLine(one.part, one.terms, returned, one.share)
        for one, returned in zip(group, policy.settled(given), strict=True)
    ]
