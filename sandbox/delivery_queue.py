"""The queue of webhooks: what is due, what is held back, what comes again.

A delivery is due by the project's clock. On top of that a fault may hold it back, by the
machine's time: for a while, or until a later delivery to the same endpoint has arrived.
"""

import json
from dataclasses import dataclass

from kernel import clock
from sandbox import faults, real_time
from sandbox.postman import Letter
from sandbox.store import Session

_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS, _MAX_ATTEMPTS = 0.25, 300.0, 20
_PARALLEL_COPIES = 5
_LONGEST_WAIT_FOR_LATER_SECONDS = 1.5
"""When nothing later comes, what waits for it goes all the same, the last one first."""

_SHOWN = """
SELECT d.seq, d.attempts, coalesce(held.copies, 1), d.endpoint_id,
       endpoint.body, endpoint.facts, event.body
FROM deliveries d
JOIN objects event ON event.id = d.event_id
LEFT JOIN objects endpoint ON endpoint.id = d.endpoint_id
LEFT JOIN held_deliveries held ON held.seq = d.seq
WHERE d.due_at <= :now
"""
_READY = f"""{_SHOWN}
AND (held.seq IS NULL OR (held.until <= :real_now AND held.waits_for_later_until IS NULL))
ORDER BY d.due_at, d.seq LIMIT 1
"""
_NOTHING_LATER_CAME = f"""{_SHOWN}
AND held.until <= :real_now AND held.endpoint_id IN (
    SELECT endpoint_id FROM held_deliveries WHERE waits_for_later_until <= :real_now
)
ORDER BY d.seq DESC LIMIT 1
"""  # noqa: S608  a constant
_NEXT = """
SELECT min(max(
    d.due_at - :now,
    coalesce(held.until, 0) - :real_now,
    coalesce(held.waits_for_later_until, 0) - :real_now
))
FROM deliveries d LEFT JOIN held_deliveries held ON held.seq = d.seq
WHERE d.due_at IS NOT NULL
"""
_LET_EARLIER_GO = """
UPDATE held_deliveries SET waits_for_later_until = NULL
WHERE waits_for_later_until IS NOT NULL AND endpoint_id = ? AND seq < ?
"""


@dataclass(frozen=True)
class Delivery:
    """One letter that is due now."""

    seq: int
    attempts: int
    copies: int
    endpoint_id: str
    letter: Letter


def add(session: Session, event_id: str, endpoint_ids: list[str], *, due_at: float) -> int:
    """Queue an event for endpoints, as the faults want it; answers the number of deliveries."""
    if not endpoint_ids or faults.use_up(session, "drop_events"):
        return 0
    delay_s = faults.amount(session, "delay_events_ms") / 1000
    is_early = faults.use_up(session, "reorder_events")
    copies = _PARALLEL_COPIES if faults.use_up(session, "parallel_events") else 1
    queued = endpoint_ids * (2 if faults.use_up(session, "duplicate_events") else 1)
    until = real_time.seconds() + delay_s
    for endpoint_id in queued:
        row = session.connection.execute(
            "INSERT INTO deliveries (event_id, endpoint_id, due_at) VALUES (?, ?, ?)",
            (event_id, endpoint_id, due_at),
        )
        if delay_s or is_early or copies > 1:
            session.connection.execute(
                "INSERT INTO held_deliveries"
                " (seq, endpoint_id, until, waits_for_later_until, copies)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    row.lastrowid,
                    endpoint_id,
                    until,
                    until + _LONGEST_WAIT_FOR_LATER_SECONDS if is_early else None,
                    copies,
                ),
            )
    return len(queued)


def make_all_due(session: Session) -> None:
    """After a restart nothing waits for a moment that a moved clock may have put far away."""
    session.connection.execute(
        "UPDATE deliveries SET due_at = ? WHERE due_at IS NOT NULL", (clock.now().timestamp(),)
    )


def find_due(session: Session) -> Delivery | None:
    """What has waited longest."""
    row = session.connection.execute(_READY, _moments()).fetchone()
    if row is None:
        row = session.connection.execute(_NOTHING_LATER_CAME, _moments()).fetchone()
    if row is None:
        return None
    seq, attempts, copies, endpoint_id, endpoint, facts, payload = row
    if endpoint is None:  # taken away since
        return Delivery(seq, _MAX_ATTEMPTS, 1, endpoint_id, Letter("", "", payload))
    letter = Letter(json.loads(endpoint)["url"], json.loads(facts)["secret"], payload)
    return Delivery(seq, attempts, copies, endpoint_id, letter)


def mark(session: Session, delivery: Delivery, *, delivered: bool) -> None:
    """Done, to be tried again later, or given up. Nothing that was tried is held any more."""
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
    session.connection.execute("DELETE FROM held_deliveries WHERE seq = ?", (delivery.seq,))
    if delivered:
        session.connection.execute(_LET_EARLIER_GO, (delivery.endpoint_id, delivery.seq))


def seconds_until_next(session: Session) -> float | None:
    """Until something can be due; None where nothing waits."""
    (seconds,) = session.connection.execute(_NEXT, _moments()).fetchone()
    return None if seconds is None else float(seconds)


def _moments() -> dict[str, float]:
    return {"now": clock.now().timestamp(), "real_now": real_time.seconds()}
