"""Every day the end of the chain is written down, and sent outside until it has arrived."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import Date, Select, cast, false, func, select
from sqlalchemy.dialects.postgresql import insert

import chain
from chain.models import Store
from kernel import clock, queue
from kernel.config import config
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction
from ledger.models import Seal, SealHead
from ledger.seal.head import Head
from ledger.seal.sinks import keep

log = structlog.get_logger()

_DAY = timedelta(days=1)
_LEASE = timedelta(minutes=2)
_LONGEST_WAIT = timedelta(hours=1)


def days_without_head(now: datetime) -> Select[date]:
    """Yesterday at the chain, if its head is not written down and anything is sealed."""
    yesterday = cast(func.timezone(Store.time_zone, now) - _DAY, Date)
    made = select(SealHead.on_date).where(SealHead.on_date >= yesterday).exists()
    return select(yesterday).where(Store.is_online, ~made, select(Seal.number).exists())


def heads_to_send(now: datetime) -> Select[date]:
    """Heads that have not arrived everywhere, if there is anywhere to send them to."""
    due = select(SealHead.on_date).where(SealHead.sent_at.is_(None), SealHead.due_at <= now)
    return due if config().seal_to else due.where(false())


MAKING = Duty("ledger.seal.duties.make_heads", "nightly", days_without_head)
SENDING = Duty("ledger.seal.duties.send_heads", "nightly", heads_to_send)
DUTIES = [MAKING, SENDING]


def make_heads() -> None:
    """Write down the end of the chain for the day that has ended. The RQ job."""
    queue.begun(MAKING.job)
    again(_make)


def send_heads() -> None:
    """Send every head that is due to where it has not arrived yet. The RQ job."""
    queue.begun(SENDING.job)
    while (claimed := again(_claim)) is not None:
        _send(claimed)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A head to send, and the places where it still has to arrive."""

    head: Head
    places: tuple[str, ...]


def _make() -> None:
    now = clock.now()
    with transaction():
        last = db.session.scalar(select(Seal).order_by(Seal.number.desc()).limit(1))
        if last is None:
            return
        made = {
            "on_date": chain.today_on(now) - _DAY,
            "number": last.number,
            "chain": last.chain,
            "made_at": now,
            "due_at": now,
            "tries": 0,
        }
        db.session.execute(insert(SealHead).values(made).on_conflict_do_nothing())


def _claim() -> _Claimed | None:
    """Take the oldest head that is due; it is due again later, should this worker die."""
    now = clock.now()
    with transaction():
        due = heads_to_send(now).order_by(SealHead.on_date).limit(1)
        on_date = db.session.scalar(due.with_for_update(skip_locked=True))
        if on_date is None:
            return None
        row = db.session.get_one(SealHead, on_date)
        row.due_at, row.tries = now + _LEASE, row.tries + 1
        arrived = _places(row.sent_to)
        places = tuple(place for place in config().seal_to if _name(place) not in arrived)
        return _Claimed(Head(row.on_date, row.number, row.chain), places)


def _send(claimed: _Claimed) -> None:
    """Send a head to each place, outside of any transaction, and keep how it went."""
    arrived, problem = [], None
    for place in claimed.places:
        try:
            keep(place, claimed.head)
            arrived.append(_name(place))
        except Exception as refused:  # noqa: BLE001  one place must not keep it from the others
            problem = f"{_name(place)}: {type(refused).__name__}"
            log.error(  # noqa: TRY400  an address may hold a secret, and a stack an address
                "seal.not_sent", on=str(claimed.head.on_date), problem=problem
            )
    again(lambda: _keep_outcome(claimed.head.on_date, arrived, problem))


def _keep_outcome(on_date: date, arrived: list[str], problem: str | None) -> None:
    now = clock.now()
    with transaction():
        row = db.session.get_one(SealHead, on_date, with_for_update=True)
        row.sent_to = ", ".join([*_places(row.sent_to), *arrived]) or None
        row.last_error = problem
        if problem is None:
            row.sent_at = now
        else:
            row.due_at = now + min(_LONGEST_WAIT, timedelta(seconds=2 ** min(row.tries, 12)))


def _name(place: str) -> str:
    """A place without what may be secret in its address."""
    return place.partition("?")[0].rpartition("@")[2] if place.startswith("https:") else place


def _places(sent_to: str | None) -> list[str]:
    """Where a head has arrived; no place has a comma in it, since SEAL_TO is split by them."""
    return sent_to.split(", ") if sent_to else []
