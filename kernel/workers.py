"""The workers of one process: an RQ worker on each queue, in a thread of its own.

RQ means a worker to be a process, and would hear signals and alarms there. Here the main thread
hears the signals. So three workers take the memory of one; production may give each a process.
"""

import gc
import os
import signal
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

import structlog
from flask import Flask
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.worker import WorkerStatus
from rq.worker_registration import register

from kernel.config import config
from kernel.db import db

log = structlog.get_logger()

_LOOKS_UP_AFTER_S = 1
_RESTS_S = 1.0
_PATIENCE_S = 2.0
_TOLD, _DIED = 0, 1  # exit codes


class BellWorker(SimpleWorker):
    """Runs jobs in its own thread: they are short and all their state is in rows.

    A job that kills the process loses nothing, since the next tick rings for what it left.
    """

    # Raises in the job's thread, where an alarm would in the main one; so not while it waits in C,
    # but statements and calls to providers have limits of their own.
    death_penalty_class = TimerDeathPenalty
    max_connection_wait_time = 5.0
    application: Flask
    ending: threading.Event

    def _install_signal_handlers(self) -> None:
        """Leave signals to the main thread: no other may hear them."""

    def subscribe(self) -> None:
        """Take no orders from RQ's command line, which would need a thread and a connection."""

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a bell, and look up now and then whether to end; None if so."""
        del max_idle_time
        while not self.ending.is_set():
            taken: tuple[Job, Queue] | None = super().dequeue_job_and_maintain_ttl(
                timeout, max_idle_time=_LOOKS_UP_AFTER_S
            )
            if taken is not None:
                return taken
        return None

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Say that it lives; say anew who it is where Redis has come back without its rows."""
        super().heartbeat(timeout, pipeline)
        if pipeline is None and not self.connection.hexists(self.key, "birth"):
            self.connection.hset(self.key, mapping=self.serialize())
            register(self)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run one job in an application context of its own."""
        with self.application.app_context():
            try:
                return bool(super().perform_job(job, queue, execution))
            finally:
                db.session.remove()


def work(application: Flask, queues: Sequence[str]) -> int:
    """Work on these queues until SIGTERM or SIGINT, and answer the exit code.

    Jobs at hand are finished. A worker that dies of an error ends the process, with 1: else its
    queue would be left alone, and nobody would start it again.
    """
    gc.collect()
    gc.freeze()  # what was loaded lives as long as the process
    ends: SimpleQueue[int] = SimpleQueue()  # not an Event, which a signal may find locked
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ends.put(_TOLD))
    attendants = [_Attendant(name, application, ends) for name in queues]
    for attendant in attendants:
        attendant.start()
    code = ends.get()
    for attendant in attendants:
        attendant.end()
    if not _have_ended(attendants, waits_for_jobs=code == _TOLD):
        os._exit(code)  # an ordinary end would wait for the threads of whoever is at work
    return code


class _Attendant(threading.Thread):
    """Attends one queue until told to end, whatever happens to Redis meanwhile."""

    def __init__(self, queue: str, application: Flask, ends: "SimpleQueue[int]") -> None:
        super().__init__(name=queue, daemon=True)
        self._application = application
        self._ends = ends
        self._ending = threading.Event()
        self._worker: BellWorker | None = None

    def end(self) -> None:
        """Take no other bell."""
        self._ending.set()

    @property
    def is_at_work(self) -> bool:
        """Whether a job is at hand."""
        worker = self._worker
        return worker is not None and worker.get_state() == WorkerStatus.BUSY

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self._work_while_redis_answers()
                self._ending.wait(_RESTS_S)
        except BaseException:
            log.exception("worker.died", queue=self.name)
        finally:
            self._ends.put(_DIED)  # nobody reads it of those that were told to end

    def _work_while_redis_answers(self) -> None:
        connection = Redis.from_url(config().redis_url)
        try:
            self._worker = BellWorker(
                [Queue(self.name, connection=connection, serializer=JSONSerializer)],
                connection=connection,
                serializer=JSONSerializer,
                worker_ttl=45,
                maintenance_interval=10,
            )
            self._worker.application = self._application
            self._worker.ending = self._ending
            self._worker.work(logging_level="WARNING")
        except RedisError as problem:
            log.warning("worker.redis_away", queue=self.name, problem=type(problem).__name__)
        finally:
            self._worker = None


def _have_ended(attendants: Sequence[_Attendant], *, waits_for_jobs: bool) -> bool:
    """Wait for jobs at hand, and then a moment: workers sign off, or they are waiting for Redis."""
    give_up_at = time.monotonic() + _PATIENCE_S
    while living := [one for one in attendants if one.is_alive()]:
        if waits_for_jobs and any(one.is_at_work for one in living):
            give_up_at = time.monotonic() + _PATIENCE_S
        if time.monotonic() > give_up_at:
            return False
        living[0].join(0.05)
    return True
