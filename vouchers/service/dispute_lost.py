"""A dispute is lost: the unused cups are gone with the money. Or an appeal brings them back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

import chain
import invoicing
import ledger
from kernel import alerts
from kernel.db import db
from ledger import Event, Pair
from ledger import policy as books
from ledger.models import Entry, Line
from payments import Dispute
from vouchers.models import Gift, GiftItem, Lot, OfferVersion, Refund
from vouchers.refund_origin import invoices_of
from vouchers.service.dispute_rows import Purchase, post_event
from vouchers.slices import Slice, left_in, put_back, slice_of, take_out

_DESCRIPTION = "付款爭議退回未取杯數"


@dataclass(frozen=True, slots=True)
class _Lost:
    """Cups that are gone with the money; of a gift where `account` is what is under way."""

    lot: Lot
    account: str
    carried: Slice


def lose(dispute: Dispute, purchase: Purchase, now: datetime) -> None:
    """The money is gone, and the unused cups with it; what was collected before is a loss.

    Never more cups than the disputed amount covers. Where a part of the payment stays, what is
    left of its cups is good again. Of a payment that is lost whole even empty lots stay frozen:
    what a void puts back into them was never paid for.
    """
    at_moment = dispute.closed_at or now
    lost = _let_go(dispute, purchase, now)
    rest = dispute.amount - sum(one.carried.gross for one in lost)
    rest -= _clear_owed(dispute, purchase, rest, now)
    bearer = next((at for at, one in enumerate(lost) if _is_of_buyer(one, purchase)), None)
    for at, one in enumerate(lost):
        gross = one.carried.gross + (rest if at == bearer else 0)
        post_event(
            dispute,
            purchase,
            "dispute_lost",
            _gone(one, gross),
            at=at_moment,
            now=now,
            member_id=one.lot.member_id,
        )
    if bearer is None and rest:
        pairs = [Pair(purchase.store_id, books.CHARGEBACK_LOSS, books.DISPUTED, rest)]
        post_event(dispute, purchase, "dispute_lost", pairs, at=at_moment, now=now)
    _take_back(dispute, lost, now)
    purchase.thaw()


def restore(dispute: Dispute, purchase: Purchase, now: datetime) -> None:
    """An appeal was won after all: what was lost is there again, before the money is.

    The invoice, which was taken back, is finance's to issue again.
    """
    lots = {lot.id: lot for lot in purchase.lots}
    holders = {lot.member_id for lot in purchase.lots} | {purchase.payment.member_id}
    for entry in _lost_entries(dispute, holders):
        ledger.reverse(
            member_id=entry.member_id,
            entry_id=entry.id,
            event_at=now,
            known_on=chain.local_date(purchase.store_id, now),
        )
        _bring_back(entry, lots, now)
        _owe_again(entry)
    alerts.alert(f"Dispute {dispute.id} was won after it was lost: invoice it again", now=now)


def _is_of_buyer(one: _Lost, purchase: Purchase) -> bool:
    return one.lot.member_id == purchase.payment.member_id


def _let_go(dispute: Dispute, purchase: Purchase, now: datetime) -> list[_Lost]:
    """Let unused cups go, lot by lot and then gift by gift, as far as the money covers them."""
    lost, left = [], dispute.amount
    for lot in purchase.lots:
        cups = _covered(lot, left)
        if cups:
            lost.append(_Lost(lot, lot.account, take_out(lot, cups)))
            left -= lost[-1].carried.gross
    for gift in purchase.gifts:
        items = _items_in(gift)
        ours = [one for one in items if one[1] in purchase.lots]
        gross = sum(item.net + item.vat for item, _ in ours)
        if gross <= left:
            lost += [_Lost(lot, books.UNDER_WAY, _slice(item)) for item, lot in ours]
            left -= gross
            _give_the_rest_back([one for one in items if one not in ours], now)
            gift.status, gift.closed_at, gift.due_at = "lost", now, None
    db.session.flush()
    return lost


def _clear_owed(dispute: Dispute, purchase: Purchase, most: int, now: datetime) -> int:
    """What could not be repaid is with its payer now, since their bank took it; answers how much.

    Only refunds that have failed: what is on its way arrives, or fails after this.
    """
    at, cleared = dispute.closed_at or now, 0
    failed = select(Refund).where(
        Refund.purpose == purchase.payment.purpose,
        Refund.purpose_id == purchase.payment.purpose_id,
        Refund.status == "failed",
    )
    for refund in db.session.scalars(failed.order_by(Refund.id).with_for_update()):
        if cleared + refund.payable <= most:
            owed = Pair(refund.store_id, books.REFUND_PAYABLE, books.DISPUTED, refund.payable)
            refund.payout_entry_id = post_event(
                dispute, purchase, "dispute_lost", [owed], at=at, now=now
            )
            refund.status, refund.paid_at = "paid", at
            cleared += refund.payable
    return cleared


def _owe_again(entry: Entry) -> None:
    """What was cleared by a loss that is undone, is owed as before."""
    cleared = update(Refund).where(Refund.payout_entry_id == entry.id)
    db.session.execute(cleared.values(status="failed", paid_at=None, payout_entry_id=None))


def _covered(lot: Lot, amount: int) -> int:
    """How many of the unused cups of a lot an amount covers."""
    cups = left_in(lot)
    while cups and slice_of(lot, cups).gross > amount:
        cups -= 1
    return cups


def _items_in(gift: Gift) -> list[tuple[GiftItem, Lot]]:
    rows = db.session.execute(
        select(GiftItem, Lot)
        .join(Lot, (Lot.member_id == GiftItem.member_id) & (Lot.id == GiftItem.lot_id))
        .where(GiftItem.gift_id == gift.id)
        .order_by(GiftItem.ordinal)
    )
    return [(item, lot) for item, lot in rows]


def _slice(item: GiftItem) -> Slice:
    return Slice(item.cups, item.net, item.vat)


def _give_the_rest_back(items: Sequence[tuple[GiftItem, Lot]], now: datetime) -> None:
    """What a lost gift had of other payments goes back to its giver, whose wallet is locked."""
    for item, lot in items:
        put_back(lot, _slice(item))
        _arrive(lot, _slice(item), now)


def _arrive(lot: Lot, carried: Slice, now: datetime) -> None:
    ledger.post(
        Event(
            member_id=lot.member_id,
            kind="gift_return",
            source_id=lot.id,
            pairs=books.take(
                store_id=lot.store_id,
                account=lot.account,
                amount=carried.net,
                cups=carried.cups,
                offer_id=lot.offer_id,
                lot_id=lot.id,
            ),
            event_at=now,
            occurred_on=chain.local_date(lot.store_id, now),
            currency=lot.currency,
        )
    )


def _gone(one: _Lost, gross: int) -> list[Pair]:
    return books.dispute_lost(
        store_id=one.lot.store_id,
        account=one.account,
        gross=gross,
        net=one.carried.net,
        vat=one.carried.vat,
        cups=one.carried.cups,
        offer_id=one.lot.offer_id,
        lot_id=one.lot.id,
    )


def _take_back(dispute: Dispute, lost: Sequence[_Lost], now: datetime) -> None:
    """Take back of the invoices what the lost cups carried, where they were invoiced at sale."""
    ids = {one.lot.offer_version_id for one in lost}
    sold = select(OfferVersion.id).where(
        OfferVersion.id.in_(ids), OfferVersion.vat_timing == "sale"
    )
    invoiced = set(db.session.scalars(sold))
    of = invoices_of([one.lot for one in lost])
    gone: dict[tuple[str, UUID], list[Slice]] = defaultdict(list)
    for one in lost:
        if one.lot.offer_version_id in invoiced:
            gone[of[one.lot.id]].append(one.carried)
    for (source, source_id), slices in gone.items():
        invoicing.take_back(
            source=source,
            source_id=source_id,
            cause_id=dispute.id,
            gross=sum(one.gross for one in slices),
            net=sum(one.net for one in slices),
            vat=sum(one.vat for one in slices),
            description=_DESCRIPTION,
            now=now,
        )


def _lost_entries(dispute: Dispute, members: Iterable[UUID]) -> Sequence[Entry]:
    """What losing has booked, and nothing has undone."""
    undoing = aliased(Entry)
    is_undone = exists().where(
        undoing.member_id == Entry.member_id, undoing.reverses_id == Entry.id
    )
    mine = select(Entry).where(
        Entry.member_id.in_({*members}),
        Entry.kind == "dispute_lost",
        Entry.source_id == dispute.id,
        ~is_undone,
    )
    return db.session.scalars(mine.order_by(Entry.id)).all()


def _bring_back(entry: Entry, lots: Mapping[UUID, Lot], now: datetime) -> None:
    """Put the cups of a lost lot back; those of a lost gift go to the lot that they came from."""
    lines = db.session.scalars(
        select(Line).where(
            Line.member_id == entry.member_id,
            Line.book_date == entry.book_date,
            Line.entry_id == entry.id,
        )
    ).all()
    vat = sum(line.amount for line in lines if line.debit == books.OUTPUT_VAT)
    for line in lines:
        if line.lot_id is not None:
            back = Slice(line.qty, line.amount, vat)
            put_back(lots[line.lot_id], back)
            if line.debit == books.UNDER_WAY:
                _arrive(lots[line.lot_id], back, now)
    db.session.flush()
