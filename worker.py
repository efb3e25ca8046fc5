"""The background: `python worker.py QUEUE` works on one queue, `python worker.py tick` rings.

One queue a worker, since a worker on two that is killed loses the job it has taken. The tick
looks every second whether rows are due, in all rooms, and rings for those; there may be several.
"""

import kernel.lean  # before all others

# isort: split
import argparse
import gc
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import structlog
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

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
from kernel.db import db
from kernel.logging import configure
from kernel.queue import QUEUES, Bell, Duty

log = structlog.get_logger()

ROOMS = (members, chain, ledger, invoicing, payments, vouchers, subs)
DUTIES: tuple[Duty, ...] = (
    *outbox.DUTIES,
    *(duty for room in ROOMS for duty in room.jobs.DUTIES),
)

_WORKER_RESTS_S = 1.0


class BellWorker(SimpleWorker):
    """Runs jobs in its own process: they are short and all their state is in rows.

    A job that kills the process loses nothing, since the next tick rings for what it left.
    """

    max_connection_wait_time = 5.0
    application: Flask
    is_told_to_end = False  # this process is, so it outlives a worker that has lost Redis

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Remember the signal: RQ forgets it again when there was no job to finish first."""
        BellWorker.is_told_to_end = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run one job in an application context of its own."""
        with self.application.app_context():
            try:
                return bool(super().perform_job(job, queue, execution))
            finally:
                db.session.remove()


def main(arguments: list[str]) -> int:
    """Start what the command line names, and answer its exit code."""
    queues = "\n".join(f"  {name:10}{what}" for name, what in QUEUES.items())
    parser = argparse.ArgumentParser(
        prog="worker.py",
        description="Run Jibei's background work.",
        epilog=f"queues:\n{queues}\n  {'tick':10}looks for rows that are due, and rings",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("work", choices=[*QUEUES, "tick"], help="a queue, or tick")
    chosen = parser.parse_args(arguments).work
    try:
        settings = config()
        messages.sender()  # a wrong name is found now, not at the first message
        if settings.invoice_to is not None:
            port_to(settings.invoice_to)
    except ConfigError as problem:
        print(problem, file=sys.stderr)  # noqa: T201  there is no log before there are settings
        return 2
    configure(settings.mode)
    if chosen == "tick":
        tick()
    return work(bare_application(), chosen)


def work(application: Flask, name: str) -> int:
    """Work on one queue until told to end, whatever happens to Redis meanwhile."""
    gc.collect()
    gc.freeze()  # what was loaded lives as long as the process, and the jobs are forked from it
    with suppress(StopRequested):  # told to while Redis was away
        _work_while_redis_answers(application, name)
        while not BellWorker.is_told_to_end:
            time.sleep(_WORKER_RESTS_S)
            _work_while_redis_answers(application, name)
    return 0


def _work_while_redis_answers(application: Flask, name: str) -> None:
    connection = Redis.from_url(config().redis_url)
    try:
        worker = BellWorker(
            [Queue(name, connection=connection, serializer=JSONSerializer)],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=45,
            maintenance_interval=10,
        )
        worker.application = application
        worker.work(logging_level="WARNING")
    except RedisError as problem:
        log.warning("worker.redis_away", queue=name, problem=type(problem).__name__)


def tick() -> NoReturn:
    """Work out what to ask the database every second, and become the process that asks it."""
    statement, params = due.question(DUTIES)
    bells = [Bell(duty.job, duty.queue) for duty in DUTIES]
    kernel.tick.become(bells=bells, statement=statement, params=params)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
