"""What was answered to an idempotency key, per principal.

Claim, work and answer commit together: a crash leaves no key behind, and a racer waits at the
primary key until the first one is done. A verb that calls the outside in between binds its key to
what it recorded before calling (`vouchers.pay`).
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, PrimaryKeyConstraint, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped

from kernel.db import Base, db
from kernel.errors import Conflict, Invalid

_LOCK_NOT_AVAILABLE = "55P03"


class KeyReused(Invalid):
    """The key came before, with another body."""

    code = "idempotency-key-reused"


class KeyInFlight(Conflict):
    """The first request with this key has not finished."""

    code = "idempotency-in-flight"


class IdempotencyKey(Base):
    """One key of one principal, the fingerprint of its request, and the answer.

    While a request is at work its answer is JSON's null, which nobody else ever sees.
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
    """
    known = db.session.execute(
        select(IdempotencyKey.fingerprint, IdempotencyKey.answer).where(*_is(key))
    ).one_or_none()
    return None if known is None else checked(key, known.fingerprint, known.answer)


def checked(key: Key, fingerprint: bytes, answer: dict[str, Any]) -> dict[str, Any]:
    """Answer the stored answer if the request is the same one.

    Raises:
        KeyReused: the earlier request was another one.
    """
    if fingerprint != key.fingerprint:
        raise KeyReused
    return answer


def claim(key: Key, *, now: datetime) -> dict[str, Any] | None:
    """Claim a key in the open transaction, or answer what it was answered before.

    None says that the key is ours: do the work, then `answer`. Waits at the primary key for a
    racer whose transaction is open, as long as the connection's lock_timeout says.

    Raises:
        KeyReused: the earlier request was another one.
        KeyInFlight: the earlier request is still at work.
    """
    ours = insert(IdempotencyKey).values(
        principal_id=key.principal_id,
        key=key.key,
        fingerprint=key.fingerprint,
        answer=JSON.NULL,
        created_at=now,
    )
    try:
        claimed = db.session.scalar(ours.on_conflict_do_nothing().returning(IdempotencyKey.key))
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise KeyInFlight from problem
        raise
    return find_answer(key) if claimed is None else None


def answer(key: Key, answer: dict[str, Any]) -> None:
    """Answer a claimed key, in the transaction that claimed it."""
    db.session.execute(update(IdempotencyKey).where(*_is(key)).values(answer=answer))


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
