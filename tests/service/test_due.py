"""The tick asks one statement what is due, for all rooms, without knowing any of them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

import worker
from kernel import due, hot, outbox
from kernel.config import config
from kernel.transaction import transaction


def asked(now):
    statement, params = due.question(worker.DUTIES)
    answers = hot.read(statement, {**params, "now": now})
    return {duty.job for duty, answer in zip(worker.DUTIES, answers, strict=True) if answer}


def test_nothing_is_due_in_an_empty_house(app, now):
    assert asked(now) == set()


def test_what_is_due_is_named_by_its_job(world, now):
    world.add_offer("club", expiry_mode="lapse")
    world.add_lot(world.add_member(), "club", ends_at=now)
    with transaction():
        outbox.emit("some.topic", now=now)
    assert asked(now) == {
        "kernel.outbox.drain",
        "ledger.proof.duty.check_books",  # a chain whose books were never checked
        "ledger.service.fold.drain",
        "vouchers.jobs.expire_due",
    }


@pytest.fixture
def bell(engines):
    redis = Redis.from_url(config().redis_url)
    redis.flushdb()
    yield redis
    redis.flushdb()
    redis.close()


def test_the_tick_rings_once_for_what_is_due_and_ends_when_told(world, now, bell):
    with transaction():
        outbox.emit("some.topic", now=now)
    bell.flushdb()  # the commit rang already
    tick = subprocess.Popen([sys.executable, "worker.py", "tick"], env=dict(os.environ))
    try:
        queue = Queue("events", connection=bell, serializer=JSONSerializer)
        for _ in range(200):
            if queue.count:
                break
            time.sleep(0.1)
        time.sleep(1.5)  # another tick, which finds the bell rung
        assert [job.func_name for job in queue.jobs] == ["kernel.outbox.drain"]
    finally:
        tick.send_signal(signal.SIGTERM)
    assert tick.wait(timeout=10) == 0


def test_the_plan_that_is_handed_over_can_be_written_as_json():
    _, params = due.question(worker.DUTIES)
    json.dumps(params, default=lambda span: {"seconds": span.total_seconds()})
