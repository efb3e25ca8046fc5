"""The end of 200,000 lots among a million: against one bare statement, and beside redemptions."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg

from bench.figures import Figures
from bench.scanning import Tills
from bench.site import ROOT, Site, gunicorn, site, wait_for_quiet

_MEMBERS, _FEW_MEMBERS = 200_000, 30_000
_ROUNDS = 3
_RATE, _SECONDS = 100.0, 8.0
_APART = 7_919
"""So members come from all over the tables."""


@dataclass
class _Seen:
    """The seconds of each round, and the memory of the workers."""

    floor: list[float] = field(default_factory=list)
    one: list[float] = field(default_factory=list)
    two: list[float] = field(default_factory=list)
    grown_mb: list[float] = field(default_factory=list)


def measure(figures: Figures, short: bool) -> None:
    """Floor, one worker and two in turn, each on lots that are due again; then with redemptions.

    `expiry_ratio` is the rate of one worker, the job as it runs, over that of the one statement
    that does the same writes. `expiry_rss_mb` is how much a worker's peak memory grew meanwhile.
    `expiry_redeem_p99_ratio` is the p99 of redemptions on a schedule while a worker expires over
    that of as many before.
    """
    members, rounds = (_FEW_MEMBERS, 1) if short else (_MEMBERS, _ROUNDS)
    with site(members=members) as at:
        _run(at, "expiry.sql")
        seen = _Seen()
        for _ in range(rounds):
            seen.floor.append(_floor(at, short=short))
            seen.one.append(_workers(at, 1, seen, short=short))
            seen.two.append(_workers(at, 2, seen, short=short))
        _told(figures, seen, members)
        _redeeming(figures, at, rounds=rounds, short=short)


def _told(figures: Figures, seen: _Seen, due: int) -> None:
    ratios = [floor / one for floor, one in zip(seen.floor, seen.one, strict=True)]
    doubled = [one / two for one, two in zip(seen.one, seen.two, strict=True)]
    figures.add("expiry_lots", due, "count")
    figures.add("expiry_floor_per_s", due / median(seen.floor), "1/s")
    figures.add("expiry_per_s", due / median(seen.one), "1/s")
    figures.add("expiry_ratio", median(ratios), "of_floor")
    figures.add("expiry_two_workers_ratio", median(doubled), "of_one")
    figures.add("expiry_rss_mb", max(seen.grown_mb), "MB")


def _floor(at: Site, *, short: bool) -> float:
    statement = _read("expiry_floor.sql")
    _again(at, short=short)
    with psycopg.connect(at.postgres.url("jibei_app", "jibei"), autocommit=True) as connection:
        begun = time.perf_counter()
        done = connection.execute(statement).rowcount
        seconds = time.perf_counter() - begun
    _check(at, done)
    return seconds


def _workers(at: Site, count: int, seen: _Seen, *, short: bool) -> float:
    """The seconds until nothing is due, for so many workers that begin together."""
    _again(at, short=short)
    with ExitStack() as started:
        workers = [started.enter_context(_worker(at)) for _ in range(count)]
        begun_at = time.time()
        for worker in workers:
            _begin(worker)
        ended = [_ended(worker) for worker in workers]
    seen.grown_mb += [one["grown_mb"] for one in ended]
    _check(at, at.members)
    return max(one["ended_at"] for one in ended) - begun_at


def _redeeming(figures: Figures, at: Site, *, rounds: int, short: bool) -> None:
    """Redemptions by members from everywhere, before and while a worker expires."""
    seconds = 1.0 if short else _SECONDS
    ratios = []
    with gunicorn(at) as (port, _):
        tills = Tills(port, at.members, apart=_APART)
        tills.scan(seconds=seconds, rate=_RATE)  # warm
        for _ in range(rounds):
            _again(at, short=short)
            before = tills.scan(seconds=seconds, rate=_RATE)["p99_ms"]
            with _worker(at) as worker:
                _begin(worker)
                during = tills.scan(seconds=seconds, rate=_RATE)["p99_ms"]
                is_over = worker.poll() is not None
                _ended(worker)
            if is_over and not short:
                raise RuntimeError("the worker was done before the redemptions were")
            ratios.append(during / before)
    figures.add("expiry_redeem_p99_ratio", median(ratios), "of_before")


@contextmanager
def _worker(at: Site) -> Iterator["subprocess.Popen[str]"]:
    worker = subprocess.Popen(
        [sys.executable, "-m", "bench.expiring"],
        cwd=ROOT,
        env={**os.environ, **at.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdout is not None
        if worker.stdout.readline() != "ready\n":
            raise RuntimeError("the worker ended before it was ready")
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def _begin(worker: "subprocess.Popen[str]") -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


def _ended(worker: "subprocess.Popen[str]") -> dict[str, float]:
    assert worker.stdout is not None
    told: dict[str, float] = json.loads(worker.stdout.readline())
    return told


def _again(at: Site, *, short: bool) -> None:
    _run(at, "expiry_again.sql")
    for table in ("lot", "wallet", "entry", "line", "unfolded", "outbox"):
        at.ask(f"VACUUM ANALYZE {table}")
    at.ask("CHECKPOINT")
    if not short:
        wait_for_quiet()


def _run(at: Site, script: str) -> None:
    url = at.postgres.url("postgres", "jibei")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_read(script).replace(":members", str(at.members)))


def _read(script: str) -> str:
    return Path(__file__).with_name(script).read_text(encoding="utf-8")


def _check(at: Site, done: int) -> None:
    """What was measured must also be right: each lot once, with its money, and told."""
    counted = at.ask("""
        SELECT (SELECT count(*) FROM lot WHERE units = 3 AND NOT is_open),
               (SELECT count(*) FROM entry), (SELECT count(*) FROM outbox),
               (SELECT count(*) FROM wallet WHERE version = 1), (SELECT count(*) FROM unfolded),
               (SELECT (sum(amount) / 67)::bigint FROM line WHERE qty = 2)
    """)
    if {int(str(one)) for one in counted} != {at.members} or done != at.members:
        raise RuntimeError(f"not every lot lapsed once: {counted} of {at.members}")
