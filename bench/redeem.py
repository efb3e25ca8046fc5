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
    """What the database has counted so far."""

    statements: int
    commits: int
    wal_bytes: int
    redemptions: int


def measure(figures: Figures, short: bool) -> None:
    """Measure limit and subject in turn, then latencies at half of the rate; and what is beside."""
    seconds, rounds = (2.0, 2) if short else (10.0, 5)
    with site(members=_MEMBERS) as at:
        with gunicorn(at) as (port, master):
            tills = Tills(port, at.members)
            tills.scan(seconds=1.0)  # warm: connections, prepared statements, imports
            at.ask("ANALYZE")  # as autovacuum does within a minute; plans are made anew after it
            if not short:
                wait_for_quiet()
            rate = _rates(figures, at, tills, master, seconds=seconds, rounds=rounds)
            _counted(figures, at, tills, seconds)
            _latencies(figures, at, tills, rate=rate / 2, seconds=seconds, rounds=rounds)
            hot.measure(figures, at, tills, seconds=seconds, rounds=rounds)
            batch.measure(figures, at, port, short=short)
            workers = [child.memory_info().rss for child in master.children()]
            figures.add("worker_rss_mb", max(workers) / 2**20, "MB")
        _check_books(at)
        streams.measure(figures, at)
    growth.measure(figures, short=short)


def _rates(
    figures: Figures, at: Site, tills: Tills, master: psutil.Process, *, seconds: float, rounds: int
) -> float:
    """How many a second, limit and subject in turn, and how much CPU the web workers take for one.

    CPU is that of the whole load, so it is divided by all that was answered. It is the least of the
    rounds, with the median beside it: whatever else the machine (or another on the same iron) does
    can only add to it.
    """
    limits, rates, cpu = [], [], []
    for _ in range(rounds):
        limits.append(at.pgbench("limit.pgbench", seconds=seconds))
        before = _cpu_s(master)
        seen = tills.scan(seconds=seconds)
        cpu.append(1000 * (_cpu_s(master) - before) / seen["answered"])
        rates.append(seen["per_s"])
    ratios = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
    figures.add("redeem_limit_per_s", median(limits), "1/s")
    figures.add("redeem_http_per_s", median(rates), "1/s")
    figures.add("redeem_http_ratio", median(ratios), "of_limit")
    figures.add("redeem_python_cpu_ms", min(cpu), "ms")
    figures.add("redeem_python_cpu_median_ms", median(cpu), "ms")
    return float(median(rates))


def _cpu_s(master: psutil.Process) -> float:
    times = [worker.cpu_times() for worker in master.children()]
    return float(sum(one.user + one.system for one in times))


def _counted(figures: Figures, at: Site, tills: Tills, seconds: float) -> None:
    """What one redemption costs, by the counters of PostgreSQL."""
    at.ask("CHECKPOINT")
    before = _counters(at)
    tills.scan(seconds=seconds)
    after = _counters(at)
    done = after.redemptions - before.redemptions
    figures.add("redeem_statements", (after.statements - before.statements) / done, "count")
    figures.add("redeem_commits", (after.commits - before.commits) / done, "count")
    figures.add("redeem_wal_bytes", (after.wal_bytes - before.wal_bytes) / done, "B")


def _latencies(
    figures: Figures, at: Site, tills: Tills, *, rate: float, seconds: float, rounds: int
) -> None:
    """How long answers take, in turn with the limit's own statement as often: medians of rounds.

    The longest round of each is told besides: where the limit has one, too, the machine stalled.
    """
    seen, limits = [], []
    for _ in range(rounds):
        limits.append(at.pgbench_p99_ms("limit.pgbench", rate=rate, seconds=seconds))
        seen.append(tills.scan(seconds=seconds, rate=rate))
    slow = [one["p99_ms"] for one in seen]
    figures.add("redeem_p50_ms", median(one["p50_ms"] for one in seen), "ms")
    figures.add("redeem_p99_ms", median(slow), "ms")
    figures.add("redeem_p99_most_ms", max(slow), "ms")
    figures.add("redeem_limit_p99_ms", median(limits), "ms")
    figures.add("redeem_limit_p99_most_ms", max(limits), "ms")


def _counters(at: Site) -> _Counters:
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
    statements, commits, wal_bytes, redemptions = (int(value) for value in row)
    return _Counters(statements, commits, wal_bytes, redemptions)


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
