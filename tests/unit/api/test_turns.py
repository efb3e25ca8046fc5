"""One at work, a few in line, and the others hear that it is busy, at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from api.refusals import UploadsBusy
from api.turns import Turns


def test_so_many_wait_and_the_next_one_is_refused_at_once():
    turns, begun, done = Turns(UploadsBusy, waiting=2), Event(), Event()

    def work() -> str:
        try:
            with turns.one(patience_s=10):
                begun.set()
                done.wait(10)
                return "done"
        except UploadsBusy:
            return "busy"

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(work)
        assert begun.wait(10)
        others = [threads.submit(work) for _ in range(2)]
        time.sleep(0.2)  # they are in line
        asked_at = time.monotonic()
        assert work() == "busy"
        assert time.monotonic() - asked_at < 2
        done.set()
        assert [one.result() for one in (first, *others)] == ["done"] * 3
