"""One request or job is one transaction. The only module that commits.

Edges (views, jobs) open it once, to write or as a snapshot to read; services never do. No network
call happens inside: calling the payment provider takes three steps (commit the intent; call;
commit the outcome).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from kernel.db import db
from kernel.errors import TryAgain, Unavailable, refusal_for
from kernel.hot import RETRYABLE

_RETRIES = 5
_LOCK_NOT_AVAILABLE = "55P03"
_bells = "bells"
_is_snapshot = "is_snapshot"
_ONE_MOMENT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

T = TypeVar("T")


@contextmanager
def transaction() -> Iterator[None]:
    """Commit all of it or nothing, then ring the bells that were asked for.

    Raises:
        Refusal: a named constraint was violated that stands for one.
        TryAgain: PostgreSQL preferred another transaction; the work must run again whole.
        Unavailable: PostgreSQL cannot be reached or cannot write.
    """
    with _opened(db.session()):
        yield


@contextmanager
def snapshot() -> Iterator[None]:
    """Read all of it as of one moment, that of the first statement, however many there are.

    What others commit meanwhile is not seen; PostgreSQL refuses to write, and no bell is taken.

    Raises:
        TryAgain, Unavailable: as in `transaction`.
    """
    session = db.session()
    with _opened(session):
        session.info[_is_snapshot] = True
        session.connection(execution_options=_ONE_MOMENT)
        yield


@contextmanager
def _opened(session: Session) -> Iterator[None]:
    if session.in_transaction():
        raise RuntimeError("a transaction is already open: edges open it, once")
    try:
        yield
        session.commit()
    except DBAPIError as problem:
        session.rollback()
        raise _meaning(problem) from problem
    except NoConnection as problem:
        session.rollback()
        raise Unavailable from problem
    except BaseException:
        session.rollback()
        raise
    finally:
        bells = session.info.pop(_bells, {})
        session.info.pop(_is_snapshot, None)
        session.close()
    for ring in bells:
        ring()


def again(work: Callable[[], T]) -> T:
    """Run work that opens its own transaction, anew when PostgreSQL asks for that."""
    for _ in range(_RETRIES):
        try:
            return work()
        except TryAgain:
            continue
    raise Unavailable


def after_commit(ring: Callable[[], object]) -> None:
    """Ring once the open transaction is committed; never if it is not. One bell rings once.

    Raises:
        RuntimeError: a snapshot is open, which promises nothing.
    """
    info = db.session().info
    if _is_snapshot in info:
        raise RuntimeError("a snapshot only reads: nothing follows from it")
    info.setdefault(_bells, {})[ring] = None


def is_open() -> bool:
    """Whether this thread holds a transaction: the gateway to the provider refuses to run then."""
    return db.session().in_transaction()


def _meaning(problem: DBAPIError) -> Exception:
    state = getattr(problem.orig, "sqlstate", None)
    if state in RETRYABLE or state == _LOCK_NOT_AVAILABLE:
        return TryAgain()
    if isinstance(problem, IntegrityError):
        diagnosis = getattr(problem.orig, "diag", None)
        return refusal_for(getattr(diagnosis, "constraint_name", None)) or problem
    is_lost = isinstance(problem, OperationalError | InterfaceError) and state is None
    if problem.connection_invalidated or is_lost or (state or "")[:2] in ("08", "53", "57"):
        return Unavailable()
    return problem
