"""One SQLite file that holds everything, and the one lock under which it is used."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox import schema

Document = dict[str, Any]

_FILTER = """
    object = :object
    AND (:customer IS NULL OR json_extract(body, '$.customer') = :customer)
    AND (:payment_intent IS NULL OR json_extract(body, '$.payment_intent') = :payment_intent)
    AND (:charge IS NULL OR json_extract(body, '$.charge') = :charge)
    AND (:type IS NULL OR json_extract(body, '$.type') = :type)
    AND (:source IS NULL OR json_extract(body, '$.source') = :source)
    AND (:currency IS NULL OR json_extract(body, '$.currency') = :currency)
    AND (:status IS NULL OR json_extract(body, '$.status') = :status)
    AND (:payout IS NULL OR json_extract(facts, '$.payout') = :payout)
    AND (:gt IS NULL OR created > :gt) AND (:gte IS NULL OR created >= :gte)
    AND (:lt IS NULL OR created < :lt) AND (:lte IS NULL OR created <= :lte)
"""
_OLDER = (
    f"SELECT body FROM objects WHERE {_FILTER}"  # noqa: S608  both parts are constants
    " AND (:seq IS NULL OR seq < :seq) ORDER BY seq DESC LIMIT :limit"
)
_NEWER = (
    f"SELECT body FROM objects WHERE {_FILTER}"  # noqa: S608  both parts are constants
    " AND seq > :seq ORDER BY seq LIMIT :limit"
)


@dataclass(frozen=True)
class Span:
    """A span of time in epoch seconds; `None` leaves that side open."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


_ANY_TIME = Span()


@dataclass(frozen=True)
class Filter:
    """Which objects a list shows; `None` does not restrict."""

    object: str
    customer: str | None = None
    payment_intent: str | None = None
    charge: str | None = None
    type: str | None = None
    source: str | None = None
    currency: str | None = None
    status: str | None = None
    payout: str | None = None
    created: Span = _ANY_TIME

    def bindings(self, *, seq: int | None, limit: int) -> dict[str, str | int | None]:
        """The values for the placeholders of a list query."""
        return {
            "object": self.object,
            "customer": self.customer,
            "payment_intent": self.payment_intent,
            "charge": self.charge,
            "type": self.type,
            "source": self.source,
            "currency": self.currency,
            "status": self.status,
            "payout": self.payout,
            **vars(self.created),
            "seq": seq,
            "limit": limit,
        }


class Session:
    """Reads and writes of one open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def insert(self, document: Document, *, facts: Document | None = None) -> None:
        """Keep a new object. `facts` is what Stripe knows about it but never shows."""
        self.connection.execute(
            "INSERT INTO objects (id, object, created, body, facts) VALUES (?, ?, ?, ?, ?)",
            (
                document["id"],
                document["object"],
                document["created"],
                json.dumps(document),
                json.dumps(facts or {}),
            ),
        )

    def find(self, kind: str, object_id: str) -> Document | None:
        row = self.connection.execute(
            "SELECT body FROM objects WHERE id = ? AND object = ?", (object_id, kind)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def find_any(self, object_id: str) -> Document | None:
        """An object of whatever kind its id names."""
        row = self.connection.execute(
            "SELECT body FROM objects WHERE id = ?", (object_id,)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def save(self, document: Document) -> None:
        self.connection.execute(
            "UPDATE objects SET body = ? WHERE id = ?", (json.dumps(document), document["id"])
        )

    def delete(self, object_id: str) -> None:
        self.connection.execute("DELETE FROM objects WHERE id = ?", (object_id,))

    def facts(self, object_id: str) -> Document:
        row = self.connection.execute(
            "SELECT facts FROM objects WHERE id = ?", (object_id,)
        ).fetchone()
        facts: Document = json.loads(row[0])
        return facts

    def note(self, object_id: str, **facts: Any) -> None:
        """Add to what is known about an object but not shown."""
        self.connection.execute(
            "UPDATE objects SET facts = json_patch(facts, ?) WHERE id = ?",
            (json.dumps(facts), object_id),
        )

    def position(self, kind: str, object_id: str) -> int | None:
        """Where an object stands in the order of creation, which survives a moved clock."""
        row = self.connection.execute(
            "SELECT seq FROM objects WHERE id = ? AND object = ?", (object_id, kind)
        ).fetchone()
        return None if row is None else int(row[0])

    def list_older(self, shown: Filter, *, than: int | None, limit: int) -> list[Document]:
        """Newest first, from just below position `than`, or from the top."""
        rows = self.connection.execute(_OLDER, shown.bindings(seq=than, limit=limit))
        return [json.loads(body) for (body,) in rows]

    def list_newer(self, shown: Filter, *, than: int, limit: int) -> list[Document]:
        """The next newer ones above position `than`, newest first."""
        rows = self.connection.execute(_NEWER, shown.bindings(seq=than, limit=limit))
        return [json.loads(body) for (body,) in rows][::-1]

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """Take back what the block wrote if it raises, unless the error says that it stands."""
        self.connection.execute("SAVEPOINT attempt")
        try:
            yield
        except Exception as error:
            if not getattr(error, "keeps_changes", False):
                self.connection.execute("ROLLBACK TO attempt")
            raise
        finally:
            self.connection.execute("RELEASE attempt")


class Store:
    """The file. One connection under one lock: with one process, a queue is all it takes."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; only a power cut may lose the last moments.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA cache_size = -512")
        schema.bring_up_to_date(self._connection)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All of the block or nothing of it; one at a time."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Session(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
