"""Cups and money go back to where they came from; what stays of a redemption is booked anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import chain
import ledger
import vouchers
from chain.models import Staff
from kernel.db import db
from kernel.ids import new_id
from ledger import Event, Pair
from ledger.models import Entry
from redemption import void_policy
from redemption.errors import AlreadyVoided, OwnWallet
from redemption.models import Credential, Redemption, RedemptionLine, Void
from redemption.service.booked import Booked, booked_of, pairs_of
from redemption.service.invoice import take_back
from redemption.void_policy import Back, Standing
from vouchers.models import Lot
from vouchers.slices import Slice, put_back


@dataclass(frozen=True, slots=True)
class By:
    """Who undoes it, at which store, and why; late, a second person approved."""

    store_id: UUID
    staff_id: UUID | None
    reason: str | None = None
    approved_by_id: UUID | None = None


def undo(
    redemption: Redemption, *, items: Mapping[UUID, int] | None, by: By, now: datetime
) -> Void:
    """Undo cups of a redemption: those of `items` (cups by product), or all that is left.

    1. take the wallet's lock, so that no other verb moves the same cups, and the redemption's, so
    that no invoice of it is on its way; 2. give back cups and money, line by line; 3. reverse the
    entry, on the day on which the cups had been handed over while its month is open, and book there
    what stays; 4. take back what was invoiced at the till.

    A lot takes its cups back in whatever state it is: a frozen one stays frozen, one that was given
    away or paid back in part holds that much more, and one that has ended is found by the expiry
    job again.

    Raises:
        AlreadyVoided: nothing is left to undo.
        NotSoManyTaken: of a drink fewer cups are left.
    """
    vouchers.change_wallet(redemption.member_id)
    db.session.refresh(redemption, with_for_update=True)
    if redemption.voided_at is not None:
        raise AlreadyVoided
    lots, lines = _lots_of(redemption), _lines_of(redemption)
    backs = void_policy.choose_back(
        [_standing(line, lots[line.lot_id], redemption.redeemed_at) for line in lines],
        items=items,
    )
    before = booked_of(redemption)
    going = before.share_of(backs)
    for back in backs:
        _give_back(back, lots[back.line.lot_id], lines)
    done = _noted(redemption, backs, by=by, now=now)
    done.entry_id = _rebook(redemption, lines, lots, before.less(going), now=now)
    db.session.add(done)
    take_back(redemption, void_id=done.id, going=going, now=now)
    return done


def check_not_own(redemption: Redemption, staff_id: UUID) -> None:
    """Let nobody undo what was collected from their own wallet, or with their own codes.

    Raises:
        OwnWallet: a colleague has to, who has not drunk it.
    """
    own_id = db.session.scalar(select(Staff.member_id).where(Staff.id == staff_id))
    if own_id is None:
        return
    shown_by = select(Credential.holder_id).where(Credential.id == redemption.credential_id)
    if own_id in (redemption.member_id, db.session.scalar(shown_by)):
        raise OwnWallet


def _lines_of(redemption: Redemption) -> Sequence[RedemptionLine]:
    """As they are under the lock, whatever was read before."""
    mine = select(RedemptionLine).where(
        RedemptionLine.member_id == redemption.member_id,
        RedemptionLine.redemption_id == redemption.id,
    )
    fresh = mine.order_by(RedemptionLine.lot_id, RedemptionLine.product_id)
    return db.session.scalars(fresh, execution_options={"populate_existing": True}).all()


def _lots_of(redemption: Redemption) -> Mapping[UUID, Lot]:
    theirs = (
        select(Lot)
        .join(
            RedemptionLine,
            (RedemptionLine.member_id == Lot.member_id) & (RedemptionLine.lot_id == Lot.id),
        )
        .where(
            RedemptionLine.member_id == redemption.member_id,
            RedemptionLine.redemption_id == redemption.id,
        )
    )
    found = db.session.scalars(theirs, execution_options={"populate_existing": True})
    return {lot.id: lot for lot in found.unique()}


def _standing(line: RedemptionLine, lot: Lot, redeemed_at: datetime) -> Standing:
    return Standing(
        lot_id=line.lot_id,
        product_id=line.product_id,
        cups=line.cups,
        amount=line.amount,
        vat=line.vat,
        top_up=line.top_up,
        cups_voided=line.cups_voided,
        amount_voided=line.amount_voided,
        vat_voided=line.vat_voided,
        top_up_voided=line.top_up_voided,
        ends_at=lot.ends_at,
        sold_at=lot.sold_at,
        is_unlimited=not lot.units,
        was_late=lot.ends_at is not None and lot.ends_at <= redeemed_at,
    )


def _give_back(back: Back, lot: Lot, lines: Sequence[RedemptionLine]) -> None:
    """Put cups back where they are counted, and note on their line that they are gone from it."""
    if lot.units:
        put_back(lot, Slice(back.cups, back.amount, back.vat))
    line = next(
        one
        for one in lines
        if (one.lot_id, one.product_id) == (back.line.lot_id, back.line.product_id)
    )
    line.cups_voided += back.cups
    line.amount_voided += back.amount
    line.vat_voided += back.vat
    line.top_up_voided += back.top_up


def _noted(redemption: Redemption, backs: Sequence[Back], *, by: By, now: datetime) -> Void:
    cups = sum(back.cups for back in backs)
    redemption.cups_voided += cups
    if redemption.cups_voided == redemption.cups:
        redemption.voided_at = now
    return Void(
        member_id=redemption.member_id,
        id=new_id(),
        redemption_id=redemption.id,
        store_id=by.store_id,
        staff_id=by.staff_id,
        approved_by_id=by.approved_by_id,
        cups=cups,
        top_up=sum(back.top_up for back in backs),
        reason=by.reason,
        voided_at=now,
        business_day=chain.business_day(redemption.store_id, now),
    )


def _rebook(
    redemption: Redemption,
    lines: Sequence[RedemptionLine],
    lots: Mapping[UUID, Lot],
    staying: Booked,
    *,
    now: datetime,
) -> UUID | None:
    """Reverse the entry, and book what stays of it as one of its own, on the same day.

    So every entry of a redemption is either the one that it names, or undone. Answers the reversal.
    """
    if redemption.entry_id is None:
        return None
    undone = db.session.get_one(Entry, (redemption.member_id, redemption.entry_id))
    reversal_id = ledger.reverse(
        member_id=redemption.member_id,
        entry_id=undone.id,
        event_at=now,
        known_on=chain.local_date(redemption.store_id, now),
    )
    if redemption.voided_at is None:
        pairs = pairs_of(redemption, lines, lots, staying)
        redemption.entry_id = None if not pairs else _book(redemption, undone, pairs, now=now)
    return reversal_id


def _book(redemption: Redemption, undone: Entry, pairs: Sequence[Pair], *, now: datetime) -> UUID:
    """Book what stays, where what it stays of was booked, or on the day of its undoing."""
    return ledger.post(
        Event(
            member_id=redemption.member_id,
            kind="rest",
            source_id=redemption.id,
            pairs=pairs,
            event_at=now,
            occurred_on=undone.occurred_on,
            known_on=chain.local_date(redemption.store_id, now),
            not_before=undone.book_date,
            currency=undone.currency,
        )
    )
