"""Workers of several queues in one process, as `make up` runs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from kernel.config import config
from tests.conftest import ROOT

_PATIENCE_S = 60.0
_WORKER = ("-OO", "worker.py", "events", "billing")


@pytest.fixture
def redis(engines) -> Iterator[Redis]:
    connection = Redis.from_url(config().redis_url)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


@contextmanager
def _running(redis: Redis, arguments: Sequence[str] = _WORKER) -> Iterator["subprocess.Popen[str]"]:
    """A process that works on both queues, once it has begun to."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _wait_until(lambda: SimpleWorker.count(connection=redis) == 2)
            yield process
        finally:
            process.kill()


def _wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.02)


def _ring(redis: Redis, queue: str, job: str, *given: float, timeout: int = 60) -> Job:
    bells = Queue(queue, connection=redis, serializer=JSONSerializer)
    return bells.enqueue(job, *given, job_timeout=timeout, result_ttl=60)


_SLOW_TO_SIGN_OFF = """
import sys
import time
from rq import SimpleWorker
import worker

sign_off = SimpleWorker.register_death

def register_death(self):
    time.sleep(0.5)
    sign_off(self)

SimpleWorker.register_death = register_death
sys.exit(worker.main(["events", "billing"]))
"""


def test_a_long_job_holds_up_no_other_queue_and_is_finished_when_told_to_end(redis):
    with _running(redis, ["-c", _SLOW_TO_SIGN_OFF]) as process:
        workers = SimpleWorker.all(connection=redis, serializer=JSONSerializer)
        assert sorted(worker.queue_names() for worker in workers) == [["billing"], ["events"]]
        assert {worker.pid for worker in workers} == {process.pid}

        long = _ring(redis, "billing", "time.sleep", 4)  # beyond its patience
        _wait_until(lambda: long.is_started)
        short = _ring(redis, "events", "time.sleep", 0)
        _wait_until(lambda: short.is_finished)
        assert long.is_started

        later = _ring(redis, "billing", "time.sleep", 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(_PATIENCE_S) == 0

    assert long.is_finished
    assert later.is_queued
    assert SimpleWorker.count(connection=redis) == 0


def count_to(seconds: float) -> None:
    """A job that takes so long, and is asleep for a moment at a time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.faults
def test_a_job_beyond_its_time_is_ended_and_its_worker_goes_on(redis):
    with _running(redis):
        endless = _ring(redis, "billing", f"{__name__}.count_to", 600, timeout=1)
        _wait_until(lambda: endless.is_failed)
        another = _ring(redis, "billing", "time.sleep", 0)
        _wait_until(lambda: another.is_finished)

        assert "JobTimeoutException" in endless.latest_result().exc_string


_DYING = """
import sys
from rq import SimpleWorker
import worker

def perform_job(self, job, queue, execution):
    raise SystemExit("out of order")  # the one thing that RQ lets through

SimpleWorker.perform_job = perform_job
sys.exit(worker.main(["events", "billing"]))
"""


@pytest.mark.faults
def test_a_worker_that_dies_ends_its_process_so_that_no_queue_is_left_alone(redis):
    with _running(redis, ["-c", _DYING]) as process:
        _ring(redis, "billing", "time.sleep", 0)

        assert process.wait(_PATIENCE_S) == 1

        assert process.stderr is not None
        said = process.stderr.read()
        assert "worker.died" in said
        assert "queue=billing" in said
