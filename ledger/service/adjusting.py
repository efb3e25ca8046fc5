"""What finance books by hand: one proposes it, another approves it, and then it is in the books."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select, text

from chain.models import Store
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import NOBODY, new_id
from ledger.errors import AccountUnknown, AdjustmentEnded, CurrencyUnknown, TwoPeople
from ledger.models import Account, Adjustment, AdjustmentLine
from ledger.month import Month
from ledger.pairing import Leg, paired
from ledger.policy import Pair
from ledger.service.dating import hold_months
from ledger.service.moved import LEGS
from ledger.service.periods import check_day, check_not_closed
from ledger.service.posting import Event, post

__all__ = ["Leg", "Proposed", "approve", "get", "list_adjustments", "propose", "reject"]


_CURRENCIES = text(f"WITH {LEGS} SELECT DISTINCT currency FROM leg ORDER BY currency")  # noqa: S608  of our own text


@dataclass(frozen=True, slots=True)
class Proposed:
    """An adjustment with its pairs."""

    adjustment: Adjustment
    pairs: Sequence[Pair]


def propose(
    *,
    book_date: date,
    currency: str,
    reason: str,
    lines: Sequence[Leg],
    by_id: UUID,
    now: datetime,
) -> Adjustment:
    """Propose legs as accountants write them; they are kept as balanced pairs.

    Nothing is booked yet. The month may be open or soft.

    Raises:
        PeriodClosed, PeriodInvalid: nothing can be booked on that day.
        CurrencyUnknown: other currencies are booked, and not this one.
        AccountUnknown: the chart has no such account.
        NotFound: there is no such store.
        Invalid: see `ledger.pairing.paired`.
    """
    check_day(book_date, now=now)
    _hold_open(book_date)
    _check_currency(currency)
    _check_accounts({leg.account for leg in lines})
    pairs = paired(lines)
    _check_stores(pairs)
    adjustment = Adjustment(
        id=new_id(),
        book_date=book_date,
        currency=currency,
        reason=reason,
        proposed_by_id=by_id,
        proposed_at=now,
    )
    db.session.add(adjustment)
    db.session.flush()
    db.session.execute(insert(AdjustmentLine), _rows(adjustment.id, pairs))
    return adjustment


def approve(*, adjustment_id: UUID, by_id: UUID, now: datetime) -> Adjustment:
    """Book what somebody else has proposed, on the day that they gave.

    Raises:
        NotFound: there is no such adjustment.
        AdjustmentEnded: it was approved or rejected before.
        TwoPeople: it is one's own.
        PeriodClosed: the month was closed meanwhile.
    """
    adjustment = _waiting(adjustment_id)
    if adjustment.proposed_by_id == by_id:
        raise TwoPeople
    _hold_open(adjustment.book_date)
    adjustment.entry_id = _book(adjustment, now)
    adjustment.approved_by_id, adjustment.approved_at = by_id, now
    db.session.flush()
    return adjustment


def reject(*, adjustment_id: UUID, by_id: UUID, now: datetime) -> Adjustment:
    """Turn a proposal down, or take one's own back.

    Raises:
        NotFound: there is no such adjustment.
        AdjustmentEnded: it was approved or rejected before.
    """
    adjustment = _waiting(adjustment_id)
    adjustment.rejected_by_id, adjustment.rejected_at = by_id, now
    db.session.flush()
    return adjustment


def get(adjustment_id: UUID) -> Proposed:
    """Raises: NotFound: there is no such adjustment."""
    adjustment = db.session.get(Adjustment, adjustment_id)
    if adjustment is None:
        raise NotFound
    return Proposed(adjustment, _pairs_of([adjustment_id])[adjustment_id])


def list_adjustments(
    *, is_waiting: bool = False, after: UUID | None = None, limit: int
) -> Sequence[Proposed]:
    """Adjustments in the order in which they were proposed, or those that wait for approval."""
    rows = select(Adjustment).order_by(Adjustment.id).limit(limit)
    if is_waiting:
        rows = rows.where(Adjustment.approved_at.is_(None), Adjustment.rejected_at.is_(None))
    if after is not None:
        rows = rows.where(Adjustment.id > after)
    found = db.session.scalars(rows).all()
    pairs = _pairs_of([row.id for row in found])
    return [Proposed(row, pairs[row.id]) for row in found]


def _hold_open(day: date) -> None:
    """Keep the month from being closed meanwhile, if it is not yet."""
    hold_months([day], is_finance=True)
    check_not_closed(Month.of(day))


def _check_currency(currency: str) -> None:
    """Books in which nothing is booked yet may begin with any: with balances brought in."""
    known = db.session.scalars(_CURRENCIES).all()
    if known and currency not in known:
        raise CurrencyUnknown(currency=currency, currencies=known)


def _check_accounts(codes: set[str]) -> None:
    known = set(db.session.scalars(select(Account.code).where(Account.code.in_(codes))))
    if codes - known:
        raise AccountUnknown(account=min(codes - known))


def _check_stores(pairs: Iterable[Pair]) -> None:
    named = {store for pair in pairs for store in (pair.store_id, pair.counterpart_store_id)}
    named.discard(None)
    known = set(db.session.scalars(select(Store.id).where(Store.id.in_(named))))
    if named - known:
        raise NotFound


def _waiting(adjustment_id: UUID) -> Adjustment:
    adjustment = db.session.get(
        Adjustment, adjustment_id, with_for_update=True, populate_existing=True
    )
    if adjustment is None:
        raise NotFound
    if adjustment.approved_at is not None or adjustment.rejected_at is not None:
        raise AdjustmentEnded
    return adjustment


def _book(adjustment: Adjustment, now: datetime) -> UUID:
    return post(
        Event(
            member_id=NOBODY,
            kind="adjustment",
            source_id=adjustment.id,
            pairs=_pairs_of([adjustment.id])[adjustment.id],
            event_at=now,
            occurred_on=adjustment.book_date,
            currency=adjustment.currency,
        )
    )


def _rows(adjustment_id: UUID, pairs: Sequence[Pair]) -> list[dict[str, object]]:
    return [
        {
            "adjustment_id": adjustment_id,
            "ordinal": ordinal,
            "store_id": pair.store_id,
            "debit": pair.debit,
            "credit": pair.credit,
            "amount": pair.amount,
            "counterpart_store_id": pair.counterpart_store_id,
            "offer_id": pair.offer_id,
        }
        for ordinal, pair in enumerate(pairs, 1)
    ]


def _pairs_of(adjustment_ids: Sequence[UUID]) -> dict[UUID, list[Pair]]:
    found: dict[UUID, list[Pair]] = {adjustment_id: [] for adjustment_id in adjustment_ids}
    lines = select(AdjustmentLine).where(AdjustmentLine.adjustment_id.in_(adjustment_ids))
    for line in db.session.scalars(lines.order_by(AdjustmentLine.ordinal)):
        pair = Pair(
            store_id=line.store_id,
            debit=line.debit,
            credit=line.credit,
            amount=line.amount,
            counterpart_store_id=line.counterpart_store_id,
            offer_id=line.offer_id,
        )
        found[line.adjustment_id].append(pair)
    return found
