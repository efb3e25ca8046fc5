"""Renewing what is due, in sets: decide, charge side by side, record. The RQ job of the engine.

While a set is being charged, the outcomes of the one before are recorded and the next is claimed,
so that the provider is never waited for. Safe to run many times at once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import UUID

import structlog

import payments
from kernel import clock, queue
from kernel.transaction import again, transaction
from payments import Asking, Charging, Intent
from subs.service import outcome, renewal
from subs.service.renewal import Claim
from subs.service.taking_up import take_up

log = structlog.get_logger()

BATCH = 500
"""So many are charged within seconds, and by eight workers at once well within their leases."""

T = TypeVar("T")


def renew_due() -> None:
    """Renew, end, pause, resume or lapse every subscription that is due."""
    queue.begun(renewal.DUTY.job)
    charging: Charging | None = None
    while True:
        taken = _take_up_some()
        before, charging = charging, payments.charge_all(taken.askings) if taken.askings else None
        if before is not None:
            _record(before.outcomes())
        if charging is None and not taken.is_any:
            return


class _Taken(NamedTuple):
    """What was done about a set: whether there was any, and what is to be asked for."""

    is_any: bool
    askings: Sequence[Asking]


def _take_up_some() -> _Taken:
    """A set in one transaction; where that breaks, each of it alone, so that one stops no other."""
    try:
        return again(_take_up_set)
    except Exception as problem:  # noqa: BLE001  whatever it is, it is of one of them
        log.warning("renewal.one_by_one", error=type(problem).__name__)
    claims = again(_claim)
    asked = [asking for one in claims for asking in _unless_broken(one) or ()]
    return _Taken(bool(claims), asked)


def _take_up_set() -> _Taken:
    now = clock.now()
    with transaction():
        found = renewal.claim(limit=BATCH, now=now, whose=clock.whose())
        return _Taken(bool(found), take_up(found, now=now))


def _claim() -> list[Claim]:
    now = clock.now()
    with transaction():
        return renewal.claim(limit=BATCH, now=now, whose=clock.whose())


def _unless_broken(claimed: Claim) -> Sequence[Asking] | None:
    return _alone(claimed.subscription_id, lambda: _take_up_one(claimed))


def _take_up_one(claimed: Claim) -> list[Asking]:
    now = clock.now()
    with transaction():
        return take_up(renewal.still_ours([claimed]), now=now)


def _record(seen: Mapping[UUID, Intent | None]) -> None:
    """What was seen of a set, in one transaction; where that breaks, of each alone."""
    try:
        again(lambda: _record_set(seen))
    except Exception as problem:  # noqa: BLE001  whatever it is, it is of one of them
        log.warning("renewal.one_by_one", error=type(problem).__name__)
        for payment_id, intent in seen.items():
            _alone(payment_id, partial(_record_set, {payment_id: intent}))


def _record_set(seen: Mapping[UUID, Intent | None]) -> None:
    now = clock.now()
    with transaction():
        outcome.record(seen, now=now)


def _alone(of_id: UUID, work: Callable[[], T]) -> T | None:
    """One of a set. What breaks is found again when it is due."""
    try:
        return again(work)
    except Exception as problem:  # noqa: BLE001  one must not stop the others
        log.error(  # noqa: TRY400  a stack may hold what is personal
            "renewal.broken", of=str(of_id), error=type(problem).__name__
        )
        return None
