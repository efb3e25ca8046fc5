"""What happens to gifts without anybody asking."""

from functools import partial
from uuid import UUID

import structlog

from kernel import clock, queue
from kernel.errors import Unavailable
from kernel.queue import Duty
from kernel.transaction import again, transaction
from vouchers.service.gift_ending import (
    end_of,
    end_some,
    find_givers,
    gifts_due,
    let_rest,
    moments_of,
)

log = structlog.get_logger()

_WALLETS = 200

DUTY = Duty("vouchers.gift_jobs.end_due", "nightly", gifts_due, moments_of)


def end_due() -> None:
    """Remind the givers of unclaimed gifts, and end those whose time is over. The RQ job.

    They are taken in sets. Where a set cannot be ended its givers are taken one by one, and whose
    gifts are to blame wait for an hour.
    """
    queue.begun(DUTY.job)
    while _end_some():
        pass


def _end_some() -> int:
    try:
        return again(_end_set)
    except Unavailable:
        raise
    except Exception as problem:  # noqa: BLE001  one bad gift must not stop the others
        log.warning("gifts.one_by_one", error=type(problem).__name__)
        return sum(_end_alone(giver_id) for giver_id in again(_givers))


def _end_set() -> int:
    with transaction():
        return end_some(limit=_WALLETS, now=clock.now(), whose=clock.whose())


def _givers() -> list[UUID]:
    with transaction():
        return list(find_givers(limit=_WALLETS, now=clock.now(), whose=clock.whose()))


def _end_alone(giver_id: UUID) -> int:
    try:
        return again(partial(_end_of, giver_id))
    except Unavailable:
        raise
    except Exception as problem:  # noqa: BLE001  as above
        log.error("gift.not_ended", error=type(problem).__name__)  # noqa: TRY400  may be personal
        again(partial(_let_rest, giver_id))
        return 1


def _end_of(giver_id: UUID) -> int:
    with transaction():
        return end_of(giver_id, now=clock.now())


def _let_rest(giver_id: UUID) -> None:
    with transaction():
        let_rest(giver_id, now=clock.now())
