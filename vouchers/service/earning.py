"""Days pass, and earn what unlimited plans and memberships cost (E9), in sets."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, text

import chain
import ledger
from chain.policy import local_day
from kernel.db import db
from kernel.ids import new_id
from ledger import policy as books
from ledger.service.dating import book_date, hold_months, open_from
from vouchers import earning_statements, expiry_statements
from vouchers.day_use import days_gone, unearned
from vouchers.models import Lot, OfferVersion
from vouchers.slices import Slice

_MOMENT = slice(0, 15)  # of a UUIDv7: its milliseconds and its version


@dataclass(frozen=True, slots=True)
class _Day:
    """A day that passed in a time zone, and the one there on which that is known."""

    time_zone: str
    passed_on: date
    known_on: date


def lots_earning(now: datetime) -> Select[UUID]:
    """The lots of which a day has passed. What is frozen waits."""
    return select(Lot.id).where(
        Lot.is_open, Lot.earns_days.is_not(None), Lot.due_at <= now, Lot.frozen_at.is_(None)
    )


def days_of(member_id: ColumnElement[UUID]) -> Select[Any]:
    """When days of a member's lots have passed."""
    return select(Lot.due_at).where(
        Lot.member_id == member_id,
        Lot.is_open,
        Lot.earns_days.is_not(None),
        Lot.frozen_at.is_(None),
    )


def find_earning(*, lots: int, wallets: int, now: datetime, whose: UUID | None = None) -> list[str]:
    """Find what is due first, in parts of so many wallets, which PostgreSQL's words name.

    With `whose`, only in that member's wallet.
    """
    _keep_to_keys()
    asked = {"now": now, "lots": lots, "wallets": wallets, "whose": whose}
    find = earning_statements.FIND if whose is None else earning_statements.FIND_OF
    return [members for (members,) in db.session.execute(text(find), asked)]


def earn(members: str, *, now: datetime) -> int:
    """Earn the days that have passed in what was found; answer the number of wallets taken.

    In the caller's transaction. They are taken in id order, without those that somebody holds:
    another worker is at them, or they are found again.
    """
    _keep_to_keys()
    taken, held = db.session.execute(text(expiry_statements.TAKE), {"members": members}).one()
    if taken:
        _earn(held, now)
    return int(taken)


def earn_until(member_ids: Collection[UUID], *, now: datetime) -> None:
    """Earn the days that have passed in wallets that the caller has locked.

    Whoever gives the rest of a lot back asks for this before, so that the rest is what is left now
    and not what was left when the nightly job last came. So nothing waits for midnight: this day is
    earned too where cups were collected on it, since whoever has used a day does not get it back;
    and where this is the day of a late sale, the days before it.
    """
    _earn("{{{}}}".format(",".join(map(str, sorted(set(member_ids))))), now)
    _earn_ahead(member_ids, now)


def _earn_ahead(member_ids: Collection[UUID], now: datetime) -> None:
    """Earn what is gone and would be earned at the end of this day; then it is not earned again."""
    running = (
        select(Lot, OfferVersion.is_unlimited)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(
            Lot.member_id.in_(member_ids),
            Lot.is_open,
            Lot.earns_days.is_not(None),
            Lot.frozen_at.is_(None),
        )
    )
    found = db.session.execute(running.execution_options(populate_existing=True)).all()
    gone = days_gone([lot for lot, _ in found], now=now)
    earning = [(*row, unearned(row.Lot, gone[row.Lot.id])) for row in found]
    events = [_event(*one, now) for one in earning]
    ledger.post_all([event for event in events if event.pairs])
    for lot, _, left in earning:
        lot.net_recognised, lot.vat_gone = lot.net - left.net, lot.vat - left.vat
    db.session.flush()


def _event(lot: Lot, is_unlimited: bool, left: Slice, now: datetime) -> ledger.Event:
    """Days of a lot, of which so much is left after them."""
    return ledger.Event(
        member_id=lot.member_id,
        kind="earning",
        source_id=lot.id,
        pairs=books.earning(
            store_id=lot.store_id,
            amount=lot.net - lot.net_recognised - left.net,
            offer_id=lot.offer_id,
            lot_id=lot.id,
            is_membership=not is_unlimited,
        ),
        event_at=now,
        occurred_on=chain.local_date(lot.store_id, now),
        currency=lot.currency,
    )


def _earn(held: str, now: datetime) -> None:
    """An entry for each lot and day, however late, dated with that day."""
    days = list(_days(held, now))
    if not days:
        return
    hold_months(day for one in days for day in (one.passed_on, one.known_on))
    first_open = open_from().for_kind("earning")
    booked = [
        book_date(occurred_on=one.passed_on, known_on=one.known_on, first_open=first_open)
        for one in days
    ]
    db.session.execute(
        text(earning_statements.EARN),
        {
            "held": held,
            "now": now,
            "zones": [one.time_zone for one in days],
            "passed": [one.passed_on for one in days],
            "booked": booked,
            "cups": books.CUPS,
            "membership": books.MEMBERSHIP,
            "moment": str(new_id())[_MOMENT],
        },
    )


def _days(held: str, now: datetime) -> Iterator[_Day]:
    """The days from the first that is due to today, in each time zone."""
    due = db.session.execute(text(earning_statements.DAYS), {"held": held, "now": now})
    for time_zone, first_on in due.all():
        today = local_day(now, time_zone=time_zone)
        for ahead in range((today - first_on).days + 1):
            yield _Day(time_zone, first_on + timedelta(days=ahead), today)


def _keep_to_keys() -> None:
    db.session.execute(text(expiry_statements.KEEP_TO_KEYS))
