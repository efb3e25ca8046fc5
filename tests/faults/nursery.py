"""Brings forth workers: each line says how many are forked at once, to live until they are killed.

A process of its own, since a worker that starts from nothing takes a second, and is killed after
some milliseconds. A worker does every duty of the queues that it is told, again and again, as RQ
has it do when bells ring all the time. Their process ids are answered; the next line may come when
all are dead.
"""

import os
import sys
from importlib import import_module
from typing import NoReturn

import worker
from kernel import hot, queue
from kernel.application import bare_application
from kernel.db import db
from payments import stripe_gateway  # noqa: F401  it takes long, so once for all

QUEUES = frozenset(sys.argv[1:])


def main() -> None:
    """Serve until the input ends."""
    application = bare_application()
    with application.app_context():
        warm_up()
    for line in sys.stdin:
        born = []
        for _ in range(int(line)):
            child = os.fork()
            if not child:
                with application.app_context():
                    work()
            born.append(child)
        sys.stdout.write(" ".join(map(str, born)) + "\n")
        sys.stdout.flush()
        for child in born:
            os.waitpid(child, 0)


def warm_up() -> None:
    """Learn what every worker would have to learn first; what is open is closed before a fork."""
    do_all()
    db.engine.dispose()
    hot.close()
    queue.bell().close()
    queue.bell.cache_clear()


def work() -> NoReturn:
    """Do duties for ever."""
    while True:
        do_all()


def do_all() -> None:
    """Do every duty of the queues, once."""
    for duty in worker.DUTIES:
        if duty.queue in QUEUES:
            module, _, name = duty.job.rpartition(".")
            getattr(import_module(module), name)()
            db.session.remove()


if __name__ == "__main__":
    main()
