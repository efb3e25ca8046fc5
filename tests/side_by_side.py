"""Racing for what opens transactions of its own: jobs, and verbs that call the provider."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask import Flask

from kernel.errors import Refusal

T = TypeVar("T")


def side_by_side(app: Flask, works: Sequence[Callable[[], T]]) -> list[T | Refusal]:
    """Start all works at once, each in a thread and an application context of its own.

    A refusal counts as an answer.
    """
    start = Barrier(len(works))

    def run(work: Callable[[], T]) -> T | Refusal:
        with app.app_context():
            start.wait(timeout=10)
            try:
                return work()
            except Refusal as refusal:
                return refusal

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))
