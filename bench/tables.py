"""A million rows of ten columns as a file, through a route, as a web worker would make it.

Each file is made in a process of its own, since a process's peak memory never falls. What is asked
is the frame and the writers: the rows come from a generator, not from a database.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from flask import Flask
from marshmallow import Schema

from api.auth import anyone
from api.routing import Resource
from api.tables import TABLE, column, rows_of
from bench.figures import Figures
from bench.site import ROOT
from kernel.ids import new_id

_ROWS, _FEW_ROWS = 1_000_000, 100_000


def measure(figures: Figures, short: bool) -> None:
    """Take the peak memory of the process, and its CPU seconds for a million rows.

    With `short` it is a tenth of the rows, the seconds times ten: memory does not depend on them.
    """
    rows = _FEW_ROWS if short else _ROWS
    for form in ("json", "csv", "xlsx"):
        made = _made_apart(form, rows)
        figures.add(f"{form}_million_rss_mb", made["rss_mb"], "MB")
        figures.add(f"{form}_million_s", made["cpu_s"] * _ROWS / rows, "s")


def _made_apart(form: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.tables", form, str(rows)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    made: dict[str, float] = json.loads(done.stdout)
    return made


class _JournalView(Schema):
    """One line of a journal."""

    entry_id = column.Id("Its entry.")
    store_id = column.Id("In whose book.")
    store = column.Text("The store's name.")
    book_on = column.Day("When it is booked.")
    debit = column.Text("The account that is debited.")
    credit = column.Text("The account that is credited.")
    currency = column.Text("ISO 4217.")
    amount = column.Money("How much.")
    cups = column.Cups("How many.")
    total = column.Money("All so far.")


class _LinesView(Schema):
    """A million lines."""

    rows = rows_of(_JournalView, "As they come.")


def _lines(rows: int) -> Iterator[tuple[Any, ...]]:
    first_on, stores = date(2026, 1, 1), [new_id() for _ in range(300)]
    for number in range(rows):
        at, on = number % len(stores), first_on + timedelta(number // 3_000 % 365)
        store, name = stores[at], f"Jibei 寄杯 {at}"
        yield new_id(), store, name, on, "2131", "4111", "TWD", number, number % 11, number * 87


def _asked(rows: int) -> Flask:
    journal = Resource("journal", "/journal", "Journal: for the benchmark.")

    @journal.get("", guard=anyone, answer=_LinesView, transaction="own", produces=TABLE)
    def list_lines() -> dict[str, Any]:
        """Answer all lines."""
        return {"rows": _lines(rows)}

    application = Flask(__name__)
    application.register_blueprint(journal.blueprint)
    return application


def _make(form: str, rows: int) -> dict[str, float]:
    client = _asked(rows).test_client()
    begun = time.process_time()
    with client.get(f"/journal?format={form}") as answer:
        if answer.status_code != 200:
            raise RuntimeError(f"the answer was {answer.status}")
        if sum(map(len, answer.response)) != answer.content_length:
            raise RuntimeError("the answer was cut off")
    cpu_s = time.process_time() - begun
    rss_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu_s": cpu_s, "rss_mb": rss_kb / 1024}


if __name__ == "__main__":
    print(json.dumps(_make(sys.argv[1], int(sys.argv[2]))))
