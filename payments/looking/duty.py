"""Every hour, for every provider: the look, and until when it has been done.

It goes from one hour to the next, or from day to day where it is more than a day behind, so after
days without a worker it catches up in steps that a crash cannot lose. The step that leads into a
day lists once more what is older, since a bank may send a repayment back, or a holder finish a
payment, long after.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from kernel import clock, queue
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction
from payments.errors import NoAnswer
from payments.gateway import names
from payments.looking import walking
from payments.looking.walking import Span
from payments.models import Payment, ProviderLook

log = structlog.get_logger()

_EVERY = timedelta(hours=1)
_STEP, _LONG_STEP = timedelta(hours=1), timedelta(days=1)
_LEASE = timedelta(minutes=5)
_UNDER_WAY = timedelta(minutes=2)
"""What is as young as that is still being asked for, and is no difference yet."""
_PAYMENTS_CHANGE_FOR = timedelta(days=2)
_REPAYMENTS_CHANGE_FOR = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A turn at one provider. The last one is up to date."""

    provider: str
    since: datetime
    until: datetime
    is_last: bool
    looks_back: bool


def look() -> None:
    """Look at every provider that is due. The RQ job; safe to run many times at once."""
    queue.begun(DUTY.job)
    for name in names():
        while (turn := again(lambda: _claim(name))) is not None:  # noqa: B023
            if not _take(turn):
                break


def _due_payments(now: datetime) -> Select[object]:
    """Any payment, as long as a provider was not looked at for an hour: who sold nothing waits."""
    is_leased = ProviderLook.leased_until > now
    rested = select(func.count()).where(is_leased | (ProviderLook.looked_until > now - _EVERY))
    return select(Payment.id).where(rested.scalar_subquery() < len(names()))


DUTY = Duty("payments.looking.duty.look", "nightly", _due_payments)


def _claim(name: str) -> _Turn | None:
    now = clock.now()
    with transaction():
        row = insert(ProviderLook).values(provider=name, looked_until=_beginning(now))
        db.session.execute(row.on_conflict_do_nothing())
        free = ProviderLook.leased_until.is_(None) | (ProviderLook.leased_until <= now)
        due = ProviderLook.looked_until <= now - _EVERY
        mine = select(ProviderLook).where(ProviderLook.provider == name, free, due)
        found = db.session.scalar(mine.with_for_update(skip_locked=True))
        if found is None:
            return None
        found.leased_until = now + _LEASE
        is_far_behind = now - found.looked_until > _LONG_STEP
        step = _LONG_STEP if is_far_behind else _STEP
        until = min(found.looked_until + step, (now - _UNDER_WAY).replace(microsecond=0))
        # Once a day, by the step that leads into it: the last one may have begun after midnight.
        is_new_day = found.looked_until.date() != until.date()
        return _Turn(
            name,
            found.looked_until,
            until,
            is_last=until > now - _EVERY,
            looks_back=is_new_day and until > now - _LONG_STEP,
        )


def _beginning(now: datetime) -> datetime:
    """Of what came before the first look, only what may still change is looked at."""
    first = db.session.scalar(select(Payment.created_at).order_by(Payment.id).limit(1)) or now
    return max(first, now - _REPAYMENTS_CHANGE_FOR).replace(microsecond=0) - _STEP


def _take(turn: _Turn) -> bool:
    """Look at one step; answers whether to go on with the next."""
    try:
        _walk(turn)
    except NoAnswer:
        return False  # the provider is silent: from here again, when the lease is over
    except Exception as problem:  # noqa: BLE001  one provider must not stop the others
        log.error("look.broken", provider=turn.provider, error=type(problem).__name__)  # noqa: TRY400
        return False
    return again(lambda: _done(turn))


def _walk(turn: _Turn) -> None:
    def span(since: datetime, until: datetime) -> Span:
        return Span(turn.provider, since, until, goes_on=lambda: again(lambda: _stay(turn)))

    here = span(turn.since, turn.until)
    if turn.is_last:
        walking.walk_differences(here)
        walking.walk_open_disputes(here)
    if turn.looks_back:
        walking.walk_payments(span(turn.since - _PAYMENTS_CHANGE_FOR, turn.since))
        long_ago = span(turn.since - _REPAYMENTS_CHANGE_FOR, turn.since)
        walking.walk_repayments(long_ago)
        walking.walk_disputes(long_ago)
    walking.walk_missing_payments(here, seen=walking.walk_payments(here))
    walking.walk_missing_repayments(here, seen=walking.walk_repayments(here))
    walking.walk_disputes(here)


def _stay(turn: _Turn) -> None:
    """Keep the turn a little longer."""
    now = clock.now()
    with transaction():
        mine = update(ProviderLook).where(
            ProviderLook.provider == turn.provider, ProviderLook.looked_until == turn.since
        )
        db.session.execute(mine.values(leased_until=now + _LEASE))


def _done(turn: _Turn) -> bool:
    """Say how far the look has come, unless somebody else was faster; answers whether."""
    with transaction():
        mine = update(ProviderLook).where(
            ProviderLook.provider == turn.provider, ProviderLook.looked_until == turn.since
        )
        moved = mine.values(looked_until=turn.until, leased_until=None)
        return db.session.execute(moved.returning(ProviderLook.provider)).scalar() is not None
