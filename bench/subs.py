"""Renewals: the writing against one bare statement, the asking against a bare stub, the finding."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from bench import charges
from bench.figures import Figures
from bench.site import Site, site, wait_for_quiet
from kernel import clock
from kernel.application import bare_application
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import install_chart
from payments import Asking, Intent
from subs.renewing import BATCH
from subs.service import outcome, renewal
from subs.service.taking_up import take_up

_FEW, _MANY = 10_000, 1_000_000
_DUE = 1_600
_ROUNDS = 3
_SHORT = (1_000, 8_000, 400)
_WRITTEN = (
    *("subscription", "period", "payment", "subscription_event", "outbox", "wallet", "lot"),
    *("entry", "line", "unfolded", "invoice", "invoice_line", "invoice_document"),
)
_STEP = 7_919
"""Prime: so that members come in no order."""


def measure(figures: Figures, short: bool) -> None:
    """Write renewals among few subscriptions and among many, find what is due, and charge.

    `renewal_record_ratio` is the rate of claiming, deciding and recording (without the charge) over
    that of one statement that does the same writes; `renewal_growth_ratio` is what one costs among
    many over what it costs among few; `due_scan_ms` is the question of the tick among many.
    """
    few, many, due = _SHORT if short else (_FEW, _MANY, _DUE)
    rounds = 1 if short else _ROUNDS
    with site(members=100) as at, _application():
        _run(at, "renewal_plan.sql")
        _load(at, 1, few)
        among_few, among_many = _Among(at, 0, few), _Among(at, few, many - few)
        costs = _writing(figures, among_few, due, rounds, is_quiet=not short)
        _load(at, few + 1, many)
        grown = _writing(figures, among_many, due, rounds, is_quiet=not short, says="_many")
        figures.add("renewal_growth_ratio", grown / costs, "of_few")
        figures.add("due_scan_ms", _due_scan_ms(among_many), "ms")
        charges.measure(figures, at, short=short)


@contextmanager
def _application() -> Iterator[None]:
    with bare_application().app_context():
        with transaction():
            install_chart()
        gc.collect()
        gc.freeze()  # as worker.py does
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


@dataclass
class _Among:
    """Subscriptions of a site, `count` of them after the first `base`, that become due in turn."""

    at: Site
    base: int
    count: int
    made_due: int = 0

    def make_due(self, due: int, *, is_quiet: bool = False) -> int:
        """Let the paid period of some end now, none twice."""
        first = self.base + self.made_due + 1
        self.made_due += due
        if self.made_due > self.count:
            raise RuntimeError("there are no others left")
        _run(self.at, "renewal_due.sql", first=first, last=first + due - 1)
        for table in _WRITTEN:  # as autovacuum does
            self.at.ask(f"VACUUM ANALYZE {table}")
        if is_quiet:
            wait_for_quiet()
        return due


def _writing(
    figures: Figures, among: _Among, due: int, rounds: int, *, is_quiet: bool, says: str = ""
) -> float:
    """Floor and engine in turn, each on subscriptions that nobody has renewed yet."""
    floors, engines = [], []
    _engine(among.make_due(100))  # warm
    for _ in range(rounds):
        floors.append(_floor(among.at, among.make_due(due, is_quiet=is_quiet)))
        engines.append(_engine(among.make_due(due, is_quiet=is_quiet)))
    ratios = [floor / engine for floor, engine in zip(floors, engines, strict=True)]
    figures.add(f"renewal_floor{says}_per_s", due / median(floors), "1/s")
    figures.add(f"renewal_record{says}_per_s", due / median(engines), "1/s")
    figures.add(f"renewal_record{says}_ratio", median(ratios), "of_floor")
    return median(engines)


def _floor(at: Site, due: int) -> float:
    url = at.postgres.url("jibei_app", "jibei")
    with psycopg.connect(url, autocommit=True) as connection:
        begun = time.perf_counter()
        done = connection.execute(_read("renewal_floor.sql")).rowcount
        seconds = time.perf_counter() - begun
    _check(done, due)
    return seconds


def _engine(due: int) -> float:
    """What the job does, a set at a time, as if the provider had answered at once."""
    done, begun = 0, time.perf_counter()
    while asked := _taken_up():
        seen = {one.payment_id: _paid(one) for one in asked}
        with transaction():
            outcome.record(seen, now=clock.now())
        done += len(asked)
    seconds = time.perf_counter() - begun
    _check(done, due)
    return seconds


def _taken_up() -> list[Asking]:
    now = clock.now()
    with transaction():
        return take_up(renewal.claim(limit=BATCH, now=now), now=now)


def _paid(asked: Asking) -> Intent:
    ref = f"pi_{new_id().hex}"
    return Intent(ref, "succeeded", asked.payment_id, asked.amount, asked.currency)


def _due_scan_ms(among: _Among) -> float:
    """The tick's question, and the ids of a set, where a few hundred of many are due."""
    due, seconds = among.make_due(BATCH), []
    for _ in range(9):
        now, begun = clock.now(), time.perf_counter()
        with transaction():
            found = db.session.scalars(renewal.subscriptions_due(now)).all()
        seconds.append(time.perf_counter() - begun)
        _check(len(found), due)
    return 1000 * median(seconds)


def _load(at: Site, first: int, last: int) -> None:
    _run(at, "renewal.sql", first=first, last=last, step=_STEP)
    at.ask("VACUUM ANALYZE")
    at.ask("CHECKPOINT")


def _run(at: Site, script: str, **facts: int) -> None:
    sql = _read(script)
    for name, fact in facts.items():
        sql = sql.replace(f":{name}", str(fact))
    with psycopg.connect(at.postgres.url("postgres", "jibei"), autocommit=True) as connection:
        connection.execute(sql)


def _read(script: str) -> str:
    return Path(__file__).with_name(script).read_text(encoding="utf-8")


def _check(done: int, due: int) -> None:
    if done != due:
        raise RuntimeError(f"{done} were renewed of {due}")
