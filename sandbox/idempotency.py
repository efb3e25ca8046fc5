"""Idempotency keys: the first answer, kept and given again."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.errors import StripeError
from sandbox.forms import Tree
from sandbox.store import Session

MAX_KEY_LENGTH = 255
_KEPT_SECONDS = 24 * 60 * 60
"""Stripe may forget a key after a day; here it is forgotten then, so that nobody relies on more."""


@dataclass(frozen=True)
class Recorded:
    """The first answer under a key."""

    request_id: str
    status: int
    body: bytes


class KeysInUse:
    """The keys of requests that are executing now; known to this process, the only one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def claim(self, key: str | None) -> Iterator[None]:
        """Hold a key while its request executes.

        Raises:
            StripeError: another request holds it (409); it is worth trying again.
        """
        if key is None:
            yield
            return
        with self._lock:
            if key in self._keys:
                raise StripeError(
                    "Another request with this idempotency key is in progress.",
                    status=409,
                    code="idempotency_key_in_use",
                )
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def fingerprint(method: str, path: str, tree: Tree) -> str:
    """What must be the same when a key is used again."""
    request = json.dumps([method, path, tree], sort_keys=True)
    return hashlib.sha256(request.encode()).hexdigest()


def find_recorded(session: Session, key: str, request: str, *, now: int) -> Recorded | None:
    """The answer that the key stands for.

    Raises:
        StripeError: the key stands for another request (400).
    """
    session.connection.execute(
        "DELETE FROM idempotency_keys WHERE key = ? AND created < ?", (key, now - _KEPT_SECONDS)
    )
    row = session.connection.execute(
        "SELECT fingerprint, request_id, status, body FROM idempotency_keys WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    if row[0] != request:
        raise StripeError(
            "Keys for idempotent requests can only be used with the endpoint and the parameters "
            "that they were first used with.",
            type="idempotency_error",
        )
    return Recorded(request_id=row[1], status=row[2], body=row[3])


def record(session: Session, key: str, request: str, answer: Recorded, *, now: int) -> None:
    """Keep an answer, in the same transaction as what it answers for."""
    session.connection.execute(
        "INSERT INTO idempotency_keys"
        " (key, fingerprint, request_id, status, body, created) VALUES (?, ?, ?, ?, ?, ?)",
        (key, request, answer.request_id, answer.status, answer.body, now),
    )
