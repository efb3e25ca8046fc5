"""A void after the store's time: finance asks for it, and a second person decides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from ledger.errors import TwoPeople
from redemption.errors import AlreadyVoided, LateVoidDecided, NotSoManyTaken
from redemption.models import LateVoid, Redemption
from redemption.queries import find_by_id, lines_of
from redemption.service.undoing import By, check_not_own, undo


def ask_late_void(
    *,
    redemption_id: UUID,
    items: Mapping[UUID, int] | None,
    reason: str,
    asked_by_id: UUID,
    now: datetime,
) -> LateVoid:
    """Ask that a redemption, or cups of it, be undone, at whatever store and however late.

    Raises:
        NotFound: there is no such redemption.
        AlreadyVoided: it was undone before.
        NotSoManyTaken: of a drink fewer cups are left.
        OwnWallet: the cups had been collected with one's own codes.
        LateVoidWaits: another such request for it waits for its decision.
    """
    redemption = find_by_id(redemption_id)
    if redemption is None:
        raise NotFound
    if redemption.voided_at is not None:
        raise AlreadyVoided
    check_not_own(redemption, asked_by_id)
    _check_left(redemption, items or {})
    asked = LateVoid(
        id=new_id(),
        member_id=redemption.member_id,
        redemption_id=redemption.id,
        items={str(product_id): cups for product_id, cups in (items or {}).items()},
        reason=reason,
        asked_by_id=asked_by_id,
        asked_at=now,
    )
    db.session.add(asked)
    db.session.flush()
    return asked


def approve_late_void(*, late_void_id: UUID, approved_by_id: UUID, now: datetime) -> LateVoid:
    """Undo it, now that a second person agrees.

    Raises:
        NotFound: there is no such request.
        LateVoidDecided: it was decided before.
        TwoPeople: who asked for it cannot approve it.
        OwnWallet: the cups had been collected with one's own codes.
        AlreadyVoided, NotSoManyTaken: it was undone by somebody else meanwhile.
    """
    asked = _lock_open(late_void_id)
    if asked.asked_by_id == approved_by_id:
        raise TwoPeople
    redemption = _get(asked)
    check_not_own(redemption, approved_by_id)
    undo(
        redemption,
        items={UUID(product_id): cups for product_id, cups in asked.items.items()} or None,
        by=By(redemption.store_id, asked.asked_by_id, asked.reason, approved_by_id),
        now=now,
    )
    return _decide(asked, is_approved=True, by_id=approved_by_id, now=now)


def reject_late_void(*, late_void_id: UUID, rejected_by_id: UUID, now: datetime) -> LateVoid:
    """Leave the redemption as it is; who asked for it may take it back so.

    Raises:
        NotFound: there is no such request.
        LateVoidDecided: it was decided before.
    """
    return _decide(_lock_open(late_void_id), is_approved=False, by_id=rejected_by_id, now=now)


def list_late_voids(*, is_waiting: bool, limit: int, after: UUID | None) -> Sequence[LateVoid]:
    """Requests, the newest first."""
    found = select(LateVoid).order_by(LateVoid.id.desc()).limit(limit)
    if is_waiting:
        found = found.where(LateVoid.decided_at.is_(None))
    if after is not None:
        found = found.where(LateVoid.id < after)
    return db.session.scalars(found).all()


def _check_left(redemption: Redemption, items: Mapping[UUID, int]) -> None:
    """Refuse now what could never be approved."""
    left: Counter[UUID] = Counter()
    for line in lines_of(redemption):
        left[line.product_id] += line.cups - line.cups_voided
    for product_id, cups in items.items():
        if left[product_id] < cups:
            raise NotSoManyTaken(taken=left[product_id], wanted=cups)


def _lock_open(late_void_id: UUID) -> LateVoid:
    mine = select(LateVoid).where(LateVoid.id == late_void_id)
    asked = db.session.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if asked is None:
        raise NotFound
    if asked.decided_at is not None:
        raise LateVoidDecided
    return asked


def _get(asked: LateVoid) -> Redemption:
    return db.session.get_one(Redemption, (asked.member_id, asked.redemption_id))


def _decide(asked: LateVoid, *, is_approved: bool, by_id: UUID, now: datetime) -> LateVoid:
    asked.is_approved, asked.decided_by_id, asked.decided_at = is_approved, by_id, now
    db.session.flush()
    return asked
