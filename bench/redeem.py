"""A complete redemption: over HTTP with everything on, against one SQL statement."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil

from bench.figures import Figures
from bench.site import ROOT, Site, gunicorn, site, wait_for_quiet

_MEMBERS = 60_000
_MOST_A_SECOND = 4_000
_TILLS_AT_ONCE = 16
_next_scan = 0


@dataclass(frozen=True)
class _Counters:
    """What server and database have counted so far."""

    cpu_s: float
    statements: int
    commits: int
    wal_bytes: int
    redemptions: int


def measure(figures: Figures, short: bool) -> None:
    """Measure limit and subject in turn, then latencies at half of the rate."""
    seconds, rounds = (2.0, 1) if short else (10.0, 5)
    with site(members=_MEMBERS) as at:
        limits, rates = [], []
        with gunicorn(at) as (port, master):
            _load(port, seconds=1.0)  # warm: connections, prepared statements, imports
            at.ask("ANALYZE")  # as autovacuum does within a minute; plans are made anew after it
            wait_for_quiet()
            for _ in range(rounds):
                limits.append(at.pgbench("limit.pgbench", seconds=seconds))
                rates.append(_load(port, seconds=seconds)["per_s"])
            ratios = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
            figures.add("redeem_limit_per_s", median(limits), "1/s")
            figures.add("redeem_http_per_s", median(rates), "1/s")
            figures.add("redeem_http_ratio", median(ratios), "of_limit")
            _counted(figures, at, port, master, seconds)
            _latencies(figures, port, rate=median(rates) / 2, seconds=seconds * 2)
            workers = [child.memory_info().rss for child in master.children()]
            figures.add("worker_rss_mb", max(workers) / 2**20, "MB")
        _check_books(at)


def _counted(figures: Figures, at: Site, port: int, master: psutil.Process, seconds: float) -> None:
    """What one redemption costs, by the counters of PostgreSQL and of the operating system."""
    at.ask("CHECKPOINT")
    before = _counters(at, master)
    _load(port, seconds=seconds)
    after = _counters(at, master)
    done = after.redemptions - before.redemptions
    figures.add("redeem_statements", (after.statements - before.statements) / done, "count")
    figures.add("redeem_commits", (after.commits - before.commits) / done, "count")
    figures.add("redeem_wal_bytes", (after.wal_bytes - before.wal_bytes) / done, "B")
    figures.add("redeem_python_cpu_ms", 1000 * (after.cpu_s - before.cpu_s) / done, "ms")


def _latencies(figures: Figures, port: int, *, rate: float, seconds: float) -> None:
    seen = _load(port, seconds=seconds, rate=rate)
    figures.add("redeem_p50_ms", seen["p50_ms"], "ms")
    figures.add("redeem_p99_ms", seen["p99_ms"], "ms")


def _counters(at: Site, master: psutil.Process) -> _Counters:
    """Read the counters, without what reading them costs."""
    time.sleep(1.2)  # backends report what they counted about once a second
    row: tuple[Any, ...] = at.ask("""
        SELECT (SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
                WHERE userid = 'jibei_app'::regrole
                  AND query !~* '^(begin|commit|rollback|set|show|deallocate)'),
               (SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
                WHERE userid = 'jibei_app'::regrole AND query ~* 'insert|update|^commit'),
               (SELECT wal_bytes FROM pg_stat_wal),
               (SELECT count(*) FROM redemption)
    """)
    times = [child.cpu_times() for child in master.children()]
    cpu_s = sum(one.user + one.system for one in times)
    statements, commits, wal_bytes, redemptions = (int(value) for value in row)
    return _Counters(cpu_s, statements, commits, wal_bytes, redemptions)


def _load(port: int, *, seconds: float, rate: float | None = None) -> dict[str, Any]:
    global _next_scan
    asked = [str(port), str(_MEMBERS), str(_next_scan), str(seconds), str(_TILLS_AT_ONCE)]
    _next_scan += int(_MOST_A_SECOND * (seconds + 2))  # the next load begins behind this one
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *asked, *([] if rate is None else [str(rate)])],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=dict(os.environ),
        timeout=seconds + 60,
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    if set(seen["statuses"]) != {"201"} or seen["lost"]:
        raise RuntimeError(f"not every redemption was made: {seen}")
    return seen


def _check_books(at: Site) -> None:
    """What was measured must also be right: cups and money agree everywhere."""
    wrong = at.ask("""
        SELECT (SELECT count(*) FROM lot WHERE used <> (
                    SELECT coalesce(sum(cups), 0) FROM redemption_line taken
                    WHERE taken.member_id = lot.member_id AND taken.lot_id = lot.id)),
               (SELECT count(*) FROM lot WHERE net_recognised <> (
                    SELECT coalesce(sum(amount), 0) FROM line
                    WHERE line.member_id = lot.member_id AND line.lot_id = lot.id
                      AND line.debit = lot.account)),
               (SELECT count(*) FROM redemption WHERE cups <> (
                    SELECT sum(cups) FROM redemption_line taken
                    WHERE taken.member_id = redemption.member_id
                      AND taken.redemption_id = redemption.id))
    """)
    if any(wrong):
        raise RuntimeError(f"cups or money do not agree after the run: {wrong}")
