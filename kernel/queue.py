"""The doorbell: the row is the work, the queue only says that there is some.

A job takes no arguments: it looks for rows that are due. So a bell may ring twice, be lost with
Redis, or ring for a worker that dies: the tick finds what is left and rings again. A dead Redis
never fails a committed request.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from kernel.config import config

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

QUEUES = {
    "events": "payment events in, codes out, whatever rooms tell each other",
    "billing": "renewals: periods that are due for payment",
    "nightly": "sets: expiry, statistics, and the notices that they leave",
}

_RUNG_FOR_S = 30
_SILENT_FOR_S = 5.0
_silent_until = 0.0


@dataclass(frozen=True, slots=True)
class Duty:
    """Work that is found in rows: its job, its queue, and the SELECT of what is due at a moment.

    `moments` selects when things of one member are due, whenever that is: such a job can be done
    for a member alone (`clock.whose`). See `kernel.due` for what is asked of these SELECTs. This
    module stays light, since the tick lives of it.
    """

    job: str
    queue: str
    due: "Callable[[datetime], Select[Any]]"
    moments: "Callable[[ColumnElement[UUID]], Select[Any]] | None" = None


@dataclass(frozen=True, slots=True)
class Bell:
    """What a tick needs of a duty in order to ring."""

    job: str
    queue: str


def ring(duty: "Duty | Bell") -> bool:
    """Ask a worker to look for due rows, unless one was asked and has not begun.

    Answers whether a bell rang. Never raises for a dead Redis, and after one failure does not
    try for some seconds, so that requests do not queue up behind its time-out.
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    try:
        if not bell().set(_rung(duty.job), "1", nx=True, ex=_RUNG_FOR_S):
            return False
        queue = Queue(duty.queue, connection=bell(), serializer=JSONSerializer)
        queue.enqueue(duty.job, result_ttl=0, failure_ttl=86_400, job_timeout=1_800)
    except RedisError:
        _silent_until = time.monotonic() + _SILENT_FOR_S
        return False
    return True


def begun(job: str) -> None:
    """Let the bell ring again: from now on a new row may be missed by the run that has begun."""
    with contextlib.suppress(RedisError):
        bell().delete(_rung(job))


@cache
def bell() -> Redis:
    """The connection for ringing: impatient, since nobody may wait for a bell."""
    return Redis.from_url(config().redis_url, socket_timeout=0.5, socket_connect_timeout=0.5)


def _rung(job: str) -> str:
    return f"jibei:rung:{job}"
