"""One at a time: a lock on a name, for what has no row of its own to lock yet."""

from sqlalchemy import text

from kernel.db import db


def take_turn(subject: bytes) -> None:
    """Wait until nobody else has the turn of `subject`, and keep it until the transaction ends.

    What is read afterwards includes everything that whoever was before has committed (each
    statement sees a snapshot of its own). `subject` is a digest: its first 8 bytes are the lock.
    """
    number = int.from_bytes(subject[:8], "big", signed=True)
    db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
