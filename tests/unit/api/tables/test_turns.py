"""One workbook at a time, one more in line, and nobody else."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from api.tables.refusals import WorkbookBusy
from api.tables.turns import workbook_turn


@contextmanager
def somebody_making() -> Iterator[Event]:
    """Have another thread make a workbook until the event, or until the end."""
    begun, done = Event(), Event()

    def make() -> None:
        with workbook_turn():
            begun.set()
            done.wait(10)

    with ThreadPoolExecutor(1) as threads:
        making = threads.submit(make)
        assert begun.wait(10)
        try:
            yield done
        finally:
            done.set()
            making.result()


def wait_for_turn(patience_s: float) -> str:
    try:
        with workbook_turn(patience_s):
            return "made"
    except WorkbookBusy:
        return "busy"


def test_a_second_workbook_waits_only_so_long():
    with somebody_making():
        assert wait_for_turn(0.05) == "busy"

    assert wait_for_turn(0.05) == "made"


def test_a_second_workbook_is_made_when_the_first_is_done_in_time():
    with somebody_making() as done, ThreadPoolExecutor(1) as threads:
        second = threads.submit(wait_for_turn, 10)
        done.set()

        assert second.result() == "made"


def test_a_third_workbook_does_not_wait():
    with somebody_making() as done, ThreadPoolExecutor(1) as threads:
        second = threads.submit(wait_for_turn, 10)
        time.sleep(0.2)  # the second is in line
        begun = time.monotonic()

        assert wait_for_turn(10) == "busy"

        assert time.monotonic() - begun < 5
        done.set()
        assert second.result() == "made"


def test_a_workbook_that_breaks_gives_its_turn_back():
    with pytest.raises(ValueError, match="spoilt"), workbook_turn():
        raise ValueError("spoilt")

    assert wait_for_turn(0) == "made"
