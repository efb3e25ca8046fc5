"""The tick: every second it asks PostgreSQL, in one statement, what is due, and rings for it.

`worker.py tick` knows the rooms and works the statement out; then it becomes this module, which
knows none and so takes a third of the memory. There may be several ticks.
"""

import json
import logging
import os
import signal
import sys
from datetime import timedelta
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, NoReturn

from kernel import clock, hot, queue
from kernel.errors import TryAgain, Unavailable
from kernel.queue import Bell

log = logging.getLogger("tick")

_TICK_S = 1.0


def become(*, bells: list[Bell], statement: str, params: dict[str, Any]) -> NoReturn:
    """Turn this process into the tick. Does not come back."""
    plan = {"bells": [[bell.job, bell.queue] for bell in bells], "sql": statement, "params": params}
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:  # a pipe holds 64 KB before it blocks
        json.dump(plan, pipe, default=lambda span: {"seconds": span.total_seconds()})
    os.set_inheritable(reading, True)
    optimised = ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    command = [sys.executable, *optimised, "-m", "kernel.tick", str(reading)]
    os.execv(sys.executable, command)  # noqa: S606  no shell, and nobody's input


def main() -> int:
    """Ring for whatever is due, until told to stop."""
    told: SimpleQueue[int] = SimpleQueue()  # not an Event, which a signal may find locked

    def stop(number: int, _frame: FrameType | None) -> None:
        told.put(number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as pipe:
        plan = json.load(pipe, object_hook=_with_spans)
    bells = [Bell(*bell) for bell in plan["bells"]]
    _ring(bells, plan["sql"], plan["params"])
    while not _is_told(told):
        _ring(bells, plan["sql"], plan["params"])
    hot.close()
    return 0


def _is_told(told: "SimpleQueue[int]") -> bool:
    try:
        told.get(timeout=_TICK_S)
    except Empty:
        return False
    return True


def _with_spans(read: dict[str, Any]) -> dict[str, Any] | timedelta:
    return timedelta(**read) if set(read) == {"seconds"} else read


def _ring(bells: list[Bell], statement: str, params: dict[str, Any]) -> None:
    try:
        (due,) = hot.read_rows(statement, {**params, "now": clock.now()})
    except (Unavailable, TryAgain):
        log.warning("tick.database_away")
        return
    for bell, is_due in zip(bells, due, strict=True):
        if is_due:
            queue.ring(bell)


if __name__ == "__main__":
    sys.exit(main())
