"""Faults on demand. Each is a number: how much, or how often still.

latency_ms           every answer comes this much later than its effect
fail_after_success   so many next answers that moved money are lost: the money has moved, the
                     caller gets a 500. Also when the answer is a replayed one, so that an
                     automatic retry does not hide the fault
duplicate_events     so many next events are delivered twice

A further fault needs a line in `LARGEST` and one question at the place where it strikes.
"""

from sandbox.call import Call
from sandbox.errors import StripeError
from sandbox.store import Document, Session

LARGEST = {
    "latency_ms": 120_000,
    "fail_after_success": 1_000_000,
    "duplicate_events": 1_000_000,
}


def amount(session: Session, name: str) -> int:
    row = session.connection.execute("SELECT amount FROM faults WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def use_up(session: Session, name: str) -> bool:
    """Whether a counted fault strikes now; if so there is one less to come."""
    changed = session.connection.execute(
        "UPDATE faults SET amount = amount - 1 WHERE name = ? AND amount > 0", (name,)
    )
    return changed.rowcount == 1


def configure(call: Call) -> Document:
    """Set the faults that are named, leave the others; 0 ends one."""
    amounts = {name: call.params.find_integer(name) for name in LARGEST}
    call.params.finish()
    for name, wanted in amounts.items():
        if wanted is None:
            continue
        if not 0 <= wanted <= LARGEST[name]:
            raise StripeError(
                f"Invalid {name}: it must be between 0 and {LARGEST[name]}.", param=name
            )
        call.session.connection.execute(
            "INSERT INTO faults (name, amount) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET amount = excluded.amount",
            (name, wanted),
        )
    return _shown(call.session)


def retrieve(call: Call) -> Document:
    call.params.finish()
    return _shown(call.session)


def _shown(session: Session) -> Document:
    return {"object": "test_helpers.faults"} | {name: amount(session, name) for name in LARGEST}
