"""Faults on demand. Each is a number: how much, or how often still.

latency_ms           every answer comes this much later than its effect
fail_before          so many next calls answer 500, and nothing has happened
fail_after_success   so many next answers to a change that succeeded are lost: it has happened, the
                     caller gets a 500. Also when the answer is a replayed one, so that an
                     automatic retry does not hide the fault
duplicate_events     so many next events are delivered twice, one after the other
parallel_events      so many next events are delivered as five copies at the same time
reorder_events       so many next events wait until a later one was delivered, though not for ever
delay_events_ms      every event is delivered this much later
drop_events          so many next events are never delivered; the list of events has them

And how fast things happen by themselves:

settle_refunds_ms    how long a refund to a card of the kind waits before it succeeds or fails
terminal_taps        1: cards are held to the terminal by themselves; 0: only the test helper does
terminal_tap_ms      how long that takes

Milliseconds are the machine's, however the clock is moved. None of this strikes the test helpers.
A further fault needs a line in `_BOUNDS` and one question at the place where it strikes.
"""

from dataclasses import dataclass

from sandbox.call import Call
from sandbox.errors import StripeError
from sandbox.store import Document, Session

_OFTEN, _HOUR_MS = 1_000_000, 3_600_000


@dataclass(frozen=True)
class _Bounds:
    """The largest value that can be set, and the one that holds as long as none is."""

    largest: int
    usual: int = 0


_BOUNDS = {
    "latency_ms": _Bounds(120_000),
    "fail_before": _Bounds(_OFTEN),
    "fail_after_success": _Bounds(_OFTEN),
    "duplicate_events": _Bounds(_OFTEN),
    "parallel_events": _Bounds(_OFTEN),
    "reorder_events": _Bounds(_OFTEN),
    "delay_events_ms": _Bounds(_HOUR_MS),
    "drop_events": _Bounds(_OFTEN),
    "settle_refunds_ms": _Bounds(_HOUR_MS, usual=3_000),
    "terminal_taps": _Bounds(1, usual=1),
    "terminal_tap_ms": _Bounds(_HOUR_MS, usual=1_000),
}


def amount(session: Session, name: str) -> int:
    row = session.connection.execute("SELECT amount FROM faults WHERE name = ?", (name,)).fetchone()
    return _BOUNDS[name].usual if row is None else int(row[0])


def use_up(session: Session, name: str) -> bool:
    """Whether a counted fault strikes now; if so there is one less to come."""
    changed = session.connection.execute(
        "UPDATE faults SET amount = amount - 1 WHERE name = ? AND amount > 0", (name,)
    )
    return changed.rowcount == 1


def configure(call: Call) -> Document:
    """Set the faults that are named, leave the others; 0 ends one."""
    amounts = {name: call.params.find_integer(name) for name in _BOUNDS}
    call.params.finish()
    for name, wanted in amounts.items():
        if wanted is None:
            continue
        largest = _BOUNDS[name].largest
        if not 0 <= wanted <= largest:
            raise StripeError(f"Invalid {name}: it must be between 0 and {largest}.", param=name)
        call.session.connection.execute(
            "INSERT INTO faults (name, amount) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET amount = excluded.amount",
            (name, wanted),
        )
    return _shown(call.session)


def retrieve(call: Call) -> Document:
    call.params.finish()
    return _shown(call.session)


def reset(call: Call) -> Document:
    """DELETE: everything works again, at its usual speed."""
    call.params.finish()
    call.session.connection.execute("DELETE FROM faults")
    return _shown(call.session)


def _shown(session: Session) -> Document:
    return {"object": "test_helpers.faults"} | {name: amount(session, name) for name in _BOUNDS}
