"""Wrong tries that are forgotten."""

from datetime import datetime

from sqlalchemy import Select, delete, select

from chain.models import Guess
from chain.policy import LOCKED_FOR
from kernel import clock, queue
from kernel.db import db
from kernel.queue import Duty
from kernel.transaction import again, transaction

_BATCH = 1_000


def forget_guesses() -> None:
    """Delete wrong tries that count no longer: made-up staff numbers must not pile up."""
    queue.begun(FORGETTING.job)
    while again(_forget_some):
        pass


def _forget_some() -> int:
    old = _old(clock.now()).limit(_BATCH).with_for_update(skip_locked=True)
    with transaction():
        gone = db.session.scalars(
            delete(Guess).where(Guess.subject.in_(old)).returning(Guess.subject)
        )
        return len(gone.all())


def _old(now: datetime) -> Select[bytes]:
    return select(Guess.subject).where(Guess.failed_at <= now - LOCKED_FOR)


FORGETTING = Duty("chain.jobs.forget_guesses", "nightly", _old)
DUTIES = [FORGETTING]
