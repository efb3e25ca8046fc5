"""What was answered to an idempotency key, per principal.

Where the work is one transaction, claim, work and answer commit together: a crash leaves no key
behind, and a racer waits at the primary key until the first one is done. Where the work calls the
outside (payments), the claim commits first and holds for a lease; a crash's claim runs out, and
the work, which is safe to repeat, may run again under the same key.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, PrimaryKeyConstraint, and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped

from kernel.db import Base, db
from kernel.errors import Conflict, Invalid

LEASE = timedelta(seconds=20)

_LOCK_NOT_AVAILABLE = "55P03"


class KeyReused(Invalid):
    """The key came before, with another body."""

    code = "idempotency-key-reused"


class KeyInFlight(Conflict):
    """The first request with this key has not finished."""

    code = "idempotency-in-flight"


class IdempotencyKey(Base):
    """One key of one principal, the fingerprint of its request, and the answer.

    While a request is at work its answer is JSON's null, and `created_at` is when it claimed the
    key; `LEASE` later it counts as dead.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (PrimaryKeyConstraint("principal_id", "key"),)

    principal_id: Mapped[UUID]
    key: Mapped[str]
    fingerprint: Mapped[bytes]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Key:
    """A key as a request brings it: whose, which, and for what."""

    principal_id: UUID
    key: str
    fingerprint: bytes


def fingerprint(route: str, body: Any) -> bytes:
    """Tell one validated request from another: SHA-256 over route and canonical JSON."""
    canonical = json.dumps([route, body], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).digest()


def find_answer(key: Key) -> dict[str, Any] | None:
    """Answer what this key was answered before, or None if it is new.

    Raises:
        KeyReused: the earlier request was another one.
        KeyInFlight: the earlier request is still at work.
    """
    known = db.session.execute(
        select(IdempotencyKey.fingerprint, IdempotencyKey.answer).where(*_is(key))
    ).one_or_none()
    return None if known is None else checked(key, known.fingerprint, known.answer)


def checked(key: Key, fingerprint: bytes, answer: dict[str, Any] | None) -> dict[str, Any]:
    """Answer the stored answer if the request is the same one.

    Raises:
        KeyReused: the earlier request was another one.
        KeyInFlight: the earlier request is still at work.
    """
    if fingerprint != key.fingerprint:
        raise KeyReused
    if answer is None:
        raise KeyInFlight
    return answer


def claim(key: Key, *, now: datetime) -> dict[str, Any] | None:
    """Claim a key in the open transaction, or answer what it was answered before.

    None says that the key is ours: do the work, then `answer`. Waits at the primary key for a
    racer whose transaction is open, as long as the connection's lock_timeout says.

    Raises:
        KeyReused: the earlier request was another one.
        KeyInFlight: the earlier request is still at work.
    """
    fresh = insert(IdempotencyKey).values(
        principal_id=key.principal_id,
        key=key.key,
        fingerprint=key.fingerprint,
        answer=JSON.NULL,
        created_at=now,
    )
    has_died = and_(
        IdempotencyKey.answer == JSON.NULL,
        IdempotencyKey.created_at <= now - LEASE,
        IdempotencyKey.fingerprint == key.fingerprint,
    )
    ours = fresh.on_conflict_do_update(
        index_elements=[IdempotencyKey.principal_id, IdempotencyKey.key],
        set_={"created_at": now},
        where=has_died,
    ).returning(IdempotencyKey.key)
    try:
        is_ours = db.session.scalar(ours) is not None
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise KeyInFlight from problem
        raise
    if is_ours:
        return None
    earlier = find_answer(key)
    if earlier is None:  # given up between the two statements; the caller asks again
        raise KeyInFlight
    return earlier


def answer(key: Key, answer: dict[str, Any]) -> bool:
    """Answer a claimed key in the open transaction; False if a second one at work was first."""
    unanswered = update(IdempotencyKey).where(*_is(key), IdempotencyKey.answer == JSON.NULL)
    kept = db.session.execute(unanswered.values(answer=answer).returning(IdempotencyKey.key))
    return kept.scalar() is not None


def give_up(key: Key, *, claimed_at: datetime) -> None:
    """Let a claim go whose work did not come to an answer, unless another has taken it over."""
    db.session.execute(
        delete(IdempotencyKey).where(
            *_is(key),
            IdempotencyKey.answer == JSON.NULL,
            IdempotencyKey.created_at == claimed_at,
        )
    )


def keep_answer(key: Key, answer: dict[str, Any], *, now: datetime) -> bool:
    """Keep an answer without a claim, in the open transaction; False if a racer was first."""
    row = insert(IdempotencyKey).values(
        principal_id=key.principal_id,
        key=key.key,
        fingerprint=key.fingerprint,
        answer=answer,
        created_at=now,
    )
    kept = db.session.execute(row.on_conflict_do_nothing().returning(IdempotencyKey.key))
    return kept.scalar() is not None


def _is(key: Key) -> tuple[Any, ...]:
    return (IdempotencyKey.principal_id == key.principal_id, IdempotencyKey.key == key.key)
