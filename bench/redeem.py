"""A complete redemption: over HTTP with everything on, against one SQL statement."""

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil

from bench import batch, growth, hot, streams
from bench.figures import Figures
from bench.scanning import Tills
from bench.site import Site, gunicorn, site, wait_for_quiet

_MEMBERS = 60_000


@dataclass(frozen=True)
class _Counters:
    """What server and database have counted so far."""

    cpu_s: float
    statements: int
    commits: int
    wal_bytes: int
    redemptions: int


def measure(figures: Figures, short: bool) -> None:
    """Measure limit and subject in turn, then latencies at half of the rate; and what is beside."""
    seconds, rounds = (2.0, 1) if short else (10.0, 5)
    with site(members=_MEMBERS) as at:
        with gunicorn(at) as (port, master):
            tills = Tills(port, at.members)
            tills.scan(seconds=1.0)  # warm: connections, prepared statements, imports
            at.ask("ANALYZE")  # as autovacuum does within a minute; plans are made anew after it
            if not short:
                wait_for_quiet()
            limits, rates = [], []
            for _ in range(rounds):
                limits.append(at.pgbench("limit.pgbench", seconds=seconds))
                rates.append(tills.per_s(seconds=seconds))
            ratios = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
            figures.add("redeem_limit_per_s", median(limits), "1/s")
            figures.add("redeem_http_per_s", median(rates), "1/s")
            figures.add("redeem_http_ratio", median(ratios), "of_limit")
            _counted(figures, at, tills, master, seconds)
            _latencies(figures, tills, rate=median(rates) / 2, seconds=seconds * 2)
            hot.measure(figures, at, tills, seconds=seconds, rounds=rounds)
            batch.measure(figures, at, port, short=short)
            workers = [child.memory_info().rss for child in master.children()]
            figures.add("worker_rss_mb", max(workers) / 2**20, "MB")
        _check_books(at)
        streams.measure(figures, at)
    growth.measure(figures, short=short)


def _counted(
    figures: Figures, at: Site, tills: Tills, master: psutil.Process, seconds: float
) -> None:
    """What one redemption costs, by the counters of PostgreSQL and of the operating system."""
    at.ask("CHECKPOINT")
    before = _counters(at, master)
    tills.scan(seconds=seconds)
    after = _counters(at, master)
    done = after.redemptions - before.redemptions
    figures.add("redeem_statements", (after.statements - before.statements) / done, "count")
    figures.add("redeem_commits", (after.commits - before.commits) / done, "count")
    figures.add("redeem_wal_bytes", (after.wal_bytes - before.wal_bytes) / done, "B")
    figures.add("redeem_python_cpu_ms", 1000 * (after.cpu_s - before.cpu_s) / done, "ms")


def _latencies(figures: Figures, tills: Tills, *, rate: float, seconds: float) -> None:
    seen = tills.scan(seconds=seconds, rate=rate)
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
