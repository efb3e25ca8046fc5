"""Gifts that nobody claimed: their giver is reminded a day ahead, and at their end they go back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select, update

from kernel.db import db
from kernel.due import of
from vouchers import gift_notices
from vouchers.models import Gift, OfferVersion, Wallet
from vouchers.service.gift_back import bring_back
from vouchers.service.gift_rows import Wrapped, close, wrapped_in
from vouchers.service.refund import Part, refund_lots

_WORKERS = 4
_RESTS = timedelta(hours=1)


def gifts_due(now: datetime) -> Select[UUID]:
    """The open gifts about which something is to be done."""
    return select(Gift.id).where(_is_due(now))


def moments_of(giver_id: ColumnElement[UUID]) -> Select[Any]:
    """When something is to be done about a giver's gifts."""
    mine = (Gift.giver_id == giver_id, Gift.status == "open", Gift.frozen_at.is_(None))
    return select(Gift.due_at).where(*mine)


def end_some(*, limit: int, now: datetime, whose: UUID | None = None) -> int:
    """Do what is due about the gifts of up to `limit` givers, in the caller's transaction.

    Takes the wallets in id order and leaves those that somebody holds. A gift whose end has come,
    however long ago, goes back into the lots it left, or where its terms say so is refunded to its
    payer; before that its giver is reminded, once. Answers the number of wallets taken; 0 says
    that there is nothing left to take. With `whose`, only about that member's gifts.
    """
    found = of(select(Gift.giver_id), Gift.giver_id, whose)
    found = found.where(_is_due(now)).order_by(Gift.due_at)
    return _end_of(_take_wallets(found.limit(_WORKERS * limit), limit), now)


def end_of(giver_id: UUID, *, now: datetime) -> int:
    """Do what is due about the gifts of one giver, as `end_some` does."""
    found = select(Gift.giver_id).where(_is_due(now), Gift.giver_id == giver_id)
    return _end_of(_take_wallets(found, 1), now)


def find_givers(*, limit: int, now: datetime, whose: UUID | None = None) -> Sequence[UUID]:
    """The givers of the gifts that have been due the longest, up to `limit` gifts."""
    theirs = of(select(Gift.giver_id), Gift.giver_id, whose)
    found = theirs.where(_is_due(now)).order_by(Gift.due_at).limit(limit)
    return list(dict.fromkeys(db.session.scalars(found)))


def let_rest(giver_id: UUID, *, now: datetime) -> None:
    """Leave what is due about a giver's gifts for an hour, in the caller's transaction."""
    mine = update(Gift).where(Gift.giver_id == giver_id, _is_due(now))
    db.session.execute(mine.values(due_at=now + _RESTS))


def _end_of(givers: Sequence[UUID], now: datetime) -> int:
    if not givers:
        return 0
    due = _take_gifts(givers, now)
    wrapped = _by_gift(due)
    _remind([gift for gift in due if gift.ends_at > now], wrapped, now)
    ended = [gift for gift in due if gift.ends_at <= now]
    _end(ended, wrapped, now)
    _change_wallets(ended)
    return len(givers)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """A frozen gift waits for what froze it."""
    return and_(Gift.status == "open", Gift.due_at <= now, Gift.frozen_at.is_(None))


def _take_wallets(due: Select[UUID], limit: int) -> Sequence[UUID]:
    """Lock wallets with a gift that is due. Enough is looked at for some workers side by side."""
    free = select(Wallet.member_id).where(Wallet.member_id.in_(due)).order_by(Wallet.member_id)
    return db.session.scalars(free.limit(limit).with_for_update(skip_locked=True)).all()


def _take_gifts(givers: Sequence[UUID], now: datetime) -> Sequence[Gift]:
    """Lock what is due of these wallets. Whoever claims one at this moment is waited for."""
    due = select(Gift).where(Gift.giver_id.in_(givers), _is_due(now)).order_by(Gift.id)
    return db.session.scalars(
        due.with_for_update(), execution_options={"populate_existing": True}
    ).all()


def _by_gift(gifts: Sequence[Gift]) -> dict[UUID, list[Wrapped]]:
    rows = wrapped_in([gift.id for gift in gifts])
    return {gift_id: list(parts) for gift_id, parts in groupby(rows, lambda one: one.item.gift_id)}


def _remind(gifts: Sequence[Gift], wrapped: dict[UUID, list[Wrapped]], now: datetime) -> None:
    for gift in gifts:
        first = wrapped[gift.id][0]
        gift_notices.remind(gift, first, is_refunded=_is_refunded(first.version), now=now)
        gift.due_at = gift.ends_at


def _end(gifts: Sequence[Gift], wrapped: dict[UUID, list[Wrapped]], now: datetime) -> None:
    returned: list[Wrapped] = []
    refunded: list[Wrapped] = []
    for gift in gifts:
        back = [one for one in wrapped[gift.id] if not _is_refunded(one.version)]
        paid = [one for one in wrapped[gift.id] if _is_refunded(one.version)]
        returned += back
        refunded += paid
        close(gift, "returned" if back else "refunded", now=now)
        if back:
            gift_notices.tell_returned(gift, back, now=now)
        if paid:
            gift_notices.tell_refunded(gift, paid, now=now)
    bring_back(gifts, returned, now=now)
    parts = [Part(one.lot, one.item.cups, one.item.gift_id) for one in refunded]
    if parts:
        refund_lots(parts, reason="gift_unclaimed", now=now)


def _is_refunded(version: OfferVersion) -> bool:
    return version.gift_unclaimed == "refund" and version.refund_basis != "none"


def _change_wallets(gifts: Sequence[Gift]) -> None:
    """Whoever has decided on what these givers held before decides again."""
    changed = update(Wallet).where(Wallet.member_id.in_({gift.giver_id for gift in gifts}))
    db.session.execute(
        changed.values(version=Wallet.version + 1),
        execution_options={"synchronize_session": False},
    )
