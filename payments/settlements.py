"""Fetching what the provider's balance did: movements, payouts, and what went out with each.

A `provider_fetch` row says what is due. Each of the three streams is walked in pages; a page and
the place after it commit together, so a crash costs at most one page asked again. What is
asked for overlaps with what was, since the provider may show something late. Two workers at once
do no harm: whoever finds that another has gone on stops.
"""

from collections.abc import Callable, Sequence
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
from payments.gateway import Page, SeenPayout, SeenTransaction, cards
from payments.models import Payment, Payout, ProviderFetch
from payments.service.settle import keep_items, keep_payouts, keep_transactions

log = structlog.get_logger()

_EVERY = timedelta(hours=1)
_LEASE = timedelta(minutes=5)

# A payout's status changes for some days after it was made. What is missed of movements is
# found again with its payout.
_OVERLAP = {"transactions": timedelta(hours=2), "payouts": timedelta(days=14)}
_ITEMS = "items"
_STREAMS = (*_OVERLAP, _ITEMS)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through one stream, `[since, until)`, up to the object `after` which to go on."""

    stream: str
    since: datetime
    until: datetime
    after: str | None


def fetch_settlements() -> None:
    """Fetch what is new in every stream that is due. The RQ job; safe to run many times at once."""
    queue.begun(DUTY.job)
    for stream in _STREAMS:
        _fetch(stream)


def _due_payments(now: datetime) -> Select[object]:
    """Any payment, as long as a stream was not fetched for an hour: who sold nothing waits."""
    later = select(func.count()).select_from(ProviderFetch).where(ProviderFetch.due_at > now)
    return select(Payment.id).where(later.scalar_subquery() < len(_STREAMS))


DUTY = Duty("payments.settlements.fetch_settlements", "nightly", _due_payments)


def _fetch(stream: str) -> None:
    walk = again(lambda: _claim(stream))
    try:
        if walk is not None and stream == _ITEMS:
            _fetch_items(walk)
        elif walk is not None:
            _fetch_pages(walk)
    except NoAnswer:
        pass  # the provider is silent: due again when the lease is over, from this place
    except Exception as problem:  # noqa: BLE001  one bad stream must not stop the others
        log.error("settlements.broken", stream=stream, error=type(problem).__name__)  # noqa: TRY400
        again(lambda: _start_over(stream))


def _claim(stream: str) -> Walk | None:
    """Take a stream, if it is due: to go on with the walk that somebody left, or to begin one."""
    now = clock.now()
    with transaction():
        row = insert(ProviderFetch).values(stream=stream, due_at=now)
        db.session.execute(row.on_conflict_do_nothing())
        mine = select(ProviderFetch).where(
            ProviderFetch.stream == stream, ProviderFetch.due_at <= now
        )
        fetch = db.session.scalar(mine.with_for_update(skip_locked=True))
        if fetch is None:
            return None
        fetch.due_at = now + _LEASE
        if fetch.walk_since is None or fetch.walk_until is None:
            overlap = _OVERLAP.get(stream, timedelta(0))
            fetch.walk_since = (fetch.fetched_until or _first_payment_at(now)) - overlap
            fetch.walk_until = now.replace(microsecond=0)
        return Walk(stream, fetch.walk_since, fetch.walk_until, fetch.walk_after)


def _first_payment_at(now: datetime) -> datetime:
    """When the first payment was begun: ids sort by time. Before that nothing here is ours."""
    first = select(Payment.created_at).order_by(Payment.id).limit(1)
    return db.session.scalar(first) or now


def _fetch_pages(walk: Walk) -> None:
    after = walk.after
    while True:
        keep, next_after = _ask(walk, after)
        if not again(lambda: _keep(walk, after, next_after, keep)) or next_after is None:  # noqa: B023
            return
        after = next_after


def _ask(walk: Walk, after: str | None) -> tuple[Callable[[], None], str | None]:
    """A page of the walk: how to keep it, and the place after it."""
    if walk.stream == "payouts":
        payouts: Page[SeenPayout] = cards().list_payouts(
            since=walk.since, until=walk.until, after=after
        )
        return lambda: keep_payouts(payouts.items), payouts.next_after
    moved: Page[SeenTransaction] = cards().list_balance_transactions(
        since=walk.since, until=walk.until, after=after
    )
    return lambda: keep_transactions(moved.items), moved.next_after


def _keep(walk: Walk, after: str | None, next_after: str | None, keep: Callable[[], None]) -> bool:
    """Keep a page and the place after it, unless somebody else was faster; answers whether."""
    with transaction():
        if not _advance(walk, after, next_after):
            return False
        keep()
        return True


def _advance(walk: Walk, after: str | None, next_after: str | None) -> bool:
    """Move the stream's place on from `after`. At the end of the walk it rests for an hour."""
    now = clock.now()
    going_on = {"walk_after": next_after, "due_at": now + _LEASE}
    at_rest = {
        "fetched_until": walk.until,
        "walk_since": None,
        "walk_until": None,
        "walk_after": None,
        "due_at": now + _EVERY,
    }
    here = (
        ProviderFetch.stream == walk.stream,
        ProviderFetch.walk_until == walk.until,
        ProviderFetch.walk_after.is_not_distinct_from(after),
    )
    moved = db.session.execute(
        update(ProviderFetch)
        .where(*here)
        .values(going_on if next_after else at_rest)
        .returning(ProviderFetch.stream)
    )
    return moved.scalar() is not None


def _fetch_items(walk: Walk) -> None:
    """What went out with each payout that can say it by now, the oldest first."""
    for payout in again(_unkept_payouts):
        try:
            _fetch_items_of(payout)
        except NoAnswer:
            raise
        except Exception as problem:  # noqa: BLE001  one bad payout must not stop the others
            ref, error = payout.provider_ref, type(problem).__name__
            log.error("settlements.broken", payout=ref, error=error)  # noqa: TRY400
            again(lambda: _start_payout_over(ref))  # noqa: B023
    again(lambda: _keep(walk, None, None, lambda: None))


def unkept() -> Select[Payout]:
    """The payouts of which it is still to be fetched what went out with them, the oldest first."""
    missing = select(Payout).where(Payout.is_itemised, Payout.items_kept_at.is_(None))
    return missing.order_by(Payout.created_at)


def _unkept_payouts() -> Sequence[Payout]:
    with transaction():
        return db.session.scalars(unkept()).all()


def _fetch_items_of(payout: Payout) -> None:
    ref, after = payout.provider_ref, payout.items_after
    while True:
        page = cards().list_paid_out(payout_ref=ref, after=after)
        is_kept = again(lambda: _keep_items(ref, after, page))  # noqa: B023
        if not is_kept or page.next_after is None:
            return
        after = page.next_after


def _keep_items(payout_ref: str, after: str | None, page: Page[SeenTransaction]) -> bool:
    now = clock.now()
    with transaction():
        lease = update(ProviderFetch).where(ProviderFetch.stream == _ITEMS)
        db.session.execute(lease.values(due_at=now + _LEASE))
        return keep_items(
            payout_ref=payout_ref,
            seen=page.items,
            after=after,
            next_after=page.next_after,
            now=now,
        )


def _start_over(stream: str) -> None:
    """Walk the same span from its beginning next time: the place may be what was refused."""
    with transaction():
        broken = update(ProviderFetch).where(ProviderFetch.stream == stream)
        db.session.execute(broken.values(walk_after=None))


def _start_payout_over(payout_ref: str) -> None:
    with transaction():
        broken = update(Payout).where(Payout.provider_ref == payout_ref)
        db.session.execute(broken.values(items_after=None))
