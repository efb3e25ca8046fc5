"""Cups come to their end, in sets: it is announced, and then what their terms say happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, text

from chain.policy import local_day
from kernel.db import db
from kernel.ids import new_id
from ledger import policy as books
from ledger.month import Month
from ledger.service.dating import book_date, hold_months, open_from
from ledger.service.estimating import estimated_offers
from vouchers import expiry_policy, expiry_statements, notices
from vouchers.models import Lot

_NOTICES = {mode: notice.name for mode, notice in notices.ENDING.items()}
_MOMENT = slice(0, 17)  # of a UUIDv7 in hex: its milliseconds, its version and its variant


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to be done in some wallets, which `members` names in PostgreSQL's words.

    `what` is announce, lapse or top_up; `ended` are the time zones and local days of all ends that
    were found with these.
    """

    what: str
    members: str
    ended: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Day:
    """A local day on which lots ended, and the one there on which that is known."""

    time_zone: str
    ended_on: date
    known_on: date


def is_ready(now: datetime) -> ColumnElement[bool]:
    """Whether something is to be done about a lot's end. What is frozen waits with its end.

    What earns by the day is another job's (`earning`).
    """
    is_loose = or_(Lot.frozen_at.is_(None), Lot.ends_at > now)
    return and_(Lot.is_open, Lot.earns_days.is_(None), Lot.due_at <= now, is_loose)


def lots_due(now: datetime) -> Select[UUID]:
    """The lots whose end is to be announced, or is over."""
    return select(Lot.id).where(is_ready(now))


def ends_of(member_id: ColumnElement[UUID]) -> Select[Any]:
    """When something is to be done about the ends of a member's lots."""
    counted = Lot.earns_days.is_(None)
    return select(Lot.due_at).where(
        Lot.member_id == member_id, Lot.is_open, counted, Lot.due_at.is_not(None)
    )


def find_ending(
    *, lots: int, wallets: int, now: datetime, whose: UUID | None = None
) -> list[Ending]:
    """Find what is due first, in parts of so many wallets at most. What is repaid is not there.

    With `whose`, only in that member's wallet.
    """
    _keep_to_keys()
    asked = {"now": now, "lots": lots, "wallets": wallets, "whose": whose}
    find = expiry_statements.FIND if whose is None else expiry_statements.FIND_OF
    found = db.session.execute(text(find), asked)
    return [Ending(what, members, ended) for what, members, ended in found]


def bring_to_end(ending: Ending, *, now: datetime) -> int:
    """Do what was found, in the caller's transaction; answer the number of wallets taken.

    They are taken in id order, without those that somebody holds: another worker is at them, or
    they are found again. Under their locks, what is not due any more is left alone. Each lot that
    lapses is one entry, dated with its end however late this runs; `now` is when it was found.
    """
    _keep_to_keys()
    members = {"members": ending.members}
    taken, held = db.session.execute(text(expiry_statements.TAKE), members).one()
    if taken:
        _DO[ending.what](ending, {"held": held, "now": now, "batch": new_id().hex})
    return int(taken)


def expire_some(*, limit: int, now: datetime) -> int:
    """Do what is due in up to `limit` wallets, in the caller's transaction; answer how many."""
    for ending in find_ending(lots=4 * limit, wallets=limit, now=now):
        if taken := bring_to_end(ending, now=now):
            return taken
    return 0


def _keep_to_keys() -> None:
    db.session.execute(text(expiry_statements.KEEP_TO_KEYS))


def _announce(_: Ending, at: Mapping[str, Any]) -> None:
    told = {
        "days_ahead": list(expiry_policy.DAYS_AHEAD),
        "told_at": expiry_policy.ANNOUNCED_AT,
        **{f"if_{mode}": notice for mode, notice in _NOTICES.items()},
        "gift": notices.GIFT_ENDING.name,
    }
    db.session.execute(text(expiry_statements.ANNOUNCE), {**at, **told})


def _top_up(_: Ending, at: Mapping[str, Any]) -> None:
    db.session.execute(text(expiry_statements.TOP_UP), {**at, "notice": notices.LOT_TOP_UP.name})


def _lapse(ending: Ending, at: Mapping[str, Any]) -> None:
    """Only lots of the days that were found: their months are held. Others are found again."""
    days = [_day(ended, at["now"]) for ended in ending.ended]
    hold_months(day for one in days for day in (one.ended_on, one.known_on))
    first_open = open_from().for_kind("lapse")
    booked = [
        book_date(occurred_on=one.ended_on, known_on=one.known_on, first_open=first_open)
        for one in days
    ]
    estimated = _estimated({one.ended_on for one in days})
    told = {
        "zones": [one.time_zone for one in days],
        "ended": [one.ended_on.isoformat() for one in days],
        "booked": [day.isoformat() for day in booked],
        "estimated_on": [day.isoformat() for day, _ in estimated],
        "estimated_offers": [offer_id for _, offer_id in estimated],
        "breakage": books.BREAKAGE,
        "contra": books.BREAKAGE_CONTRA,
        "moment": at["batch"][_MOMENT],
        "notice": notices.LOT_LAPSED.name,
    }
    db.session.execute(text(expiry_statements.LAPSE), {**at, **told})


def _day(ended: str, now: datetime) -> _Day:
    time_zone, day = ended.split(" ")
    return _Day(time_zone, date.fromisoformat(day), local_day(now, time_zone=time_zone))


def _estimated(days: set[date]) -> list[tuple[date, UUID]]:
    """For each day, the offers whose breakage is estimated then: asked once for each month."""
    months = {month: estimated_offers(month.first_on) for month in map(Month.of, days)}
    return [(day, offer_id) for day in days for offer_id in months[Month.of(day)]]


_DO = {"announce": _announce, "lapse": _lapse, "top_up": _top_up}
