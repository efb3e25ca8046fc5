"""Webhooks on their way: signed, sent from the queue, again until somebody says 2xx."""

import hashlib
import hmac
import http.client
import json
import logging
import sqlite3
import threading
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from kernel import clock
from sandbox.store import Session, Store

_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS, _MAX_ATTEMPTS = 0.25, 300.0, 20
_TIMEOUT_SECONDS = 10
_IDLE_SECONDS = 1.0
"""How often the queue is looked at when nobody rings, since the clock may have been moved."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Delivery:
    seq: int
    attempts: int
    url: str
    secret: str
    payload: str


class Courier:
    """The one thread that delivers. At least once: a mark lost in a crash means once more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def ring(self) -> None:
        """There may be something to deliver. Where no thread lives, as after a fork, start it."""
        self._bell.set()
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        with self._store.transaction() as session:
            _make_all_due(session)
        while True:
            self._bell.clear()
            try:
                while self._deliver_next():
                    pass
            except sqlite3.Error:  # a full disk, say: the queue waits until there is space
                _log.exception("the delivery queue cannot be read or marked")
            self._bell.wait(self._pause())

    def _pause(self) -> float:
        """Until the next retry, at most the idle time."""
        with self._store.transaction() as session:
            (due_at,) = session.connection.execute(
                "SELECT min(due_at) FROM deliveries WHERE due_at IS NOT NULL"
            ).fetchone()
        if due_at is None:
            return _IDLE_SECONDS
        return float(min(max(due_at - clock.now().timestamp(), 0.01), _IDLE_SECONDS))

    def _deliver_next(self) -> bool:
        """Send what has waited longest; answers whether there was anything."""
        with self._store.transaction() as session:
            delivery = _take_due(session)
        if delivery is None:
            return False
        delivered = _send(delivery)
        with self._store.transaction() as session:
            _mark(session, delivery, delivered=delivered)
        return True


def sign(payload: str, *, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header of a payload."""
    signed = f"{timestamp}.{payload}".encode()
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _make_all_due(session: Session) -> None:
    """After a restart nothing waits for a moment that a moved clock may have put far away."""
    session.connection.execute(
        "UPDATE deliveries SET due_at = ? WHERE due_at IS NOT NULL", (clock.now().timestamp(),)
    )


def _take_due(session: Session) -> _Delivery | None:
    row = session.connection.execute(
        "SELECT d.seq, d.attempts, endpoint.body, endpoint.facts, event.body"
        " FROM deliveries d"
        " JOIN objects event ON event.id = d.event_id"
        " LEFT JOIN objects endpoint ON endpoint.id = d.endpoint_id"
        " WHERE d.due_at <= ? ORDER BY d.due_at, d.seq LIMIT 1",
        (clock.now().timestamp(),),
    ).fetchone()
    if row is None:
        return None
    seq, attempts, endpoint, facts, payload = row
    if endpoint is None:  # taken away since
        return _Delivery(seq, _MAX_ATTEMPTS, "", "", payload)
    return _Delivery(
        seq, attempts, json.loads(endpoint)["url"], json.loads(facts)["secret"], payload
    )


def _mark(session: Session, delivery: _Delivery, *, delivered: bool) -> None:
    """Done, to be tried again later, or given up."""
    attempts = delivery.attempts + 1
    is_over = delivered or attempts >= _MAX_ATTEMPTS
    pause = min(_FIRST_RETRY_SECONDS * 2**delivery.attempts, _LONGEST_RETRY_SECONDS)
    session.connection.execute(
        "UPDATE deliveries SET attempts = ?, due_at = ? WHERE seq = ?",
        (
            attempts,
            None if is_over else clock.now().timestamp() + pause,
            delivery.seq,
        ),
    )


def _send(delivery: _Delivery) -> bool:
    """Whether the endpoint took it. Redirects are not followed, as Stripe does not."""
    if not delivery.url:
        return False
    try:
        return 200 <= _post(delivery) < 300  # noqa: PLR2004  the 2xx family
    except (OSError, http.client.HTTPException, ValueError) as error:
        _log.info("webhook %s was not delivered: %s", delivery.seq, type(error).__name__)
        return False


def _post(delivery: _Delivery) -> int:
    address = urlsplit(delivery.url)
    connection = _connect(address)
    header = sign(delivery.payload, secret=delivery.secret, timestamp=int(clock.now().timestamp()))
    try:
        connection.request(
            "POST",
            (address.path or "/") + (f"?{address.query}" if address.query else ""),
            body=delivery.payload.encode(),
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": header,
                "User-Agent": "Stripe/1.0 (sandbox)",
            },
        )
        return connection.getresponse().status
    finally:
        connection.close()


def _connect(address: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return kind(address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS)
