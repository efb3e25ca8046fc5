"""The background: `python worker.py QUEUE…` works on queues, `python worker.py tick` rings.

Each queue has a worker of its own, since one on two that is killed loses the job it has taken;
those of one process share its memory (`kernel.workers`). The tick looks every second whether rows
are due, in all rooms, and rings for those; there may be several.
"""

import kernel.lean
import kernel.loading  # both before all others

# isort: split
import argparse
import sys
from typing import NoReturn

import chain.jobs
import invoicing.jobs
import invoicing.proof
import kernel.tick
import ledger.jobs
import members.jobs
import payments.jobs
import redemption.jobs  # its subscriber registers itself
import redemption.offline.proof
import redemption.proof  # noqa: F401  its checks of the books register themselves
import subs.jobs
import vouchers.jobs
import vouchers.proof
from invoicing.ports import port_to
from kernel import due, messages, outbox
from kernel.application import bare_application
from kernel.config import ConfigError, config
from kernel.logging import configure
from kernel.queue import QUEUES, Bell, Duty
from kernel.workers import work

ROOMS = (members, chain, ledger, invoicing, payments, vouchers, subs)
DUTIES: tuple[Duty, ...] = (
    *outbox.DUTIES,
    *(duty for room in ROOMS for duty in room.jobs.DUTIES),
)


def main(arguments: list[str]) -> int:
    """Start what the command line names, and answer its exit code."""
    queues = "\n".join(f"  {name:10}{what}" for name, what in QUEUES.items())
    parser = argparse.ArgumentParser(
        prog="worker.py",
        description="Run Jibei's background work.",
        epilog=f"queues:\n{queues}\n  {'tick':10}looks for rows that are due, and rings",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "work", nargs="+", choices=[*QUEUES, "tick"], help="one or more queues, or tick"
    )
    chosen = list(dict.fromkeys(parser.parse_args(arguments).work))
    if "tick" in chosen and len(chosen) > 1:
        parser.error("tick is a process of its own")
    try:
        settings = config()
        messages.sender()  # a wrong name is found now, not at the first message
        if settings.invoice_to is not None:
            port_to(settings.invoice_to)
    except ConfigError as problem:
        print(problem, file=sys.stderr)  # noqa: T201  there is no log before there are settings
        return 2
    configure(settings.mode)
    if chosen == ["tick"]:
        tick()
    kernel.loading.loaded()
    return work(bare_application(), chosen)


def tick() -> NoReturn:
    """Work out what to ask the database every second, and become the process that asks it."""
    statement, params = due.question(DUTIES)
    bells = [Bell(duty.job, duty.queue) for duty in DUTIES]
    kernel.tick.become(bells=bells, statement=statement, params=params)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
