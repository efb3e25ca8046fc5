"""Slowing down whoever guesses: PINs, passwords, enrolment codes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, delete, update
from sqlalchemy.dialects.postgresql import insert

from chain.models import Guess
from chain.policy import LOCKED_FOR
from kernel import secrets
from kernel.db import db
from kernel.errors import RateLimited
from kernel.limits import wait_until


@dataclass(frozen=True, slots=True)
class Guessing:
    """Tries at one secret by one subject: `limit` wrong ones in a row lock it for a while.

    Wrong tries further apart than the lock lasts are not in a row.
    """

    kind: str
    of: str
    limit: int

    @property
    def subject(self) -> bytes:
        return secrets.mac(f"guesses of {self.kind}", self.of.encode())


@dataclass(frozen=True, slots=True)
class Counted:
    """A try, counted before anybody looks whether it is right.

    `too_late` refuses it unseen, since the subject is locked; `if_wrong` refuses it if it turns
    out wrong and was the last one.
    """

    too_late: RateLimited | None
    if_wrong: RateLimited | None


def count(guessing: Guessing, *, now: datetime) -> Counted:
    """Count a try as a wrong one, until `forget` says otherwise.

    Counting comes first since it locks the subject's row: of many tries at once each one waits
    for those before it, so that no more than `limit` are ever compared with the secret, and what
    a try uses up (a one-time code) is used up for the next.
    """
    in_a_row = Guess.failed_at > now - LOCKED_FOR
    is_locked = and_(in_a_row, Guess.failures >= guessing.limit)
    row = insert(Guess).values(subject=guessing.subject, failures=1, failed_at=now)
    counted = row.on_conflict_do_update(
        index_elements=[Guess.subject],
        set_={
            "failures": case((in_a_row, Guess.failures + 1), else_=1),
            "failed_at": case((is_locked, Guess.failed_at), else_=now),
        },
    ).returning(Guess.failures, Guess.failed_at)
    failures, failed_at = db.session.execute(counted).one()
    refusal = wait_until(failed_at + LOCKED_FOR, now=now)
    return Counted(
        too_late=refusal if failures > guessing.limit else None,
        if_wrong=refusal if failures == guessing.limit else None,
    )


def take_back(guessing: Guessing) -> None:
    """The try was right, and does not count; the wrong ones before it do."""
    mine = Guess.subject == guessing.subject
    db.session.execute(delete(Guess).where(mine, Guess.failures == 1))
    db.session.execute(update(Guess).where(mine).values(failures=Guess.failures - 1))


def forget(guessing: Guessing) -> None:
    """The try was right: forget it, and the wrong ones before it."""
    db.session.execute(delete(Guess).where(Guess.subject == guessing.subject))
