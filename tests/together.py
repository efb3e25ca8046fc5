"""Racing: the same moment for many threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask import Flask
from sqlalchemy import text

from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import again, transaction

T = TypeVar("T")


def together(
    app: Flask, works: Sequence[Callable[[], T]], *, in_transactions: bool = True
) -> list[T | Refusal]:
    """Start all works at once, each in a thread of its own; answer what each answered.

    Each is one committed transaction, if it does not open its own ones (`in_transactions=False`),
    as jobs do and verbs that call the provider. A refusal counts as an answer, raised or returned.
    """
    start = Barrier(len(works))

    def run(work: Callable[[], T]) -> T | Refusal:
        with app.app_context():
            db.session.execute(text("SELECT 1"))  # connecting takes longer than racing
            start.wait(timeout=10)
            db.session.rollback()
            try:
                return again(lambda: _committed(work)) if in_transactions else work()
            except Refusal as refusal:
                return refusal

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def _committed(work: Callable[[], T]) -> T:
    with transaction():
        return work()
