"""A shopper opens the wallet: one with 1,000 lots and 10,000 events, over HTTP."""

import http.client
import json
import time
from statistics import median
from typing import Any

import psycopg

from bench.figures import Figures
from bench.site import ROOT, Site, gunicorn, site, wait_for_quiet

_MEMBERS = 5_000
_MANY, _FEW = 1, 2
_LOTS, _EVENTS = 1_000, 10_000
_PAGES = {"wallet": "/v1/wallet", "lots": "/v1/wallet/lots", "history": "/v1/wallet/history"}


def measure(figures: Figures, short: bool) -> None:
    """Measure the first page of each look into the wallet: median and p99 of single requests.

    And count statements, of who has 1,000 lots and of who has ten: they are the same.
    """
    times = 50 if short else 400
    with site(members=_MEMBERS) as at:
        _fill(at)
        with gunicorn(at) as (port, _):
            wait_for_quiet()
            for name, address in _PAGES.items():
                _ask(port, _MANY, address, times=20)  # warm: connections, statements, imports
                took = sorted(_ask(port, _MANY, address, times=times))
                figures.add(f"{name}_ms", 1000 * median(took), "ms")
                figures.add(f"{name}_p99_ms", 1000 * took[int(len(took) * 0.99)], "ms")
            for name, address in _PAGES.items():
                many, few = (_statements(at, port, who, address) for who in (_MANY, _FEW))
                if many != few:
                    raise RuntimeError(f"{address}: {many} statements of many lots, {few} of few")
                figures.add(f"{name}_statements", many, "count")
            _check(port)


def _fill(at: Site) -> None:
    sql = (ROOT / "bench" / "wallet.sql").read_text(encoding="utf-8")
    url = at.postgres.url("jibei_owner", "jibei")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql)
    at.ask("ANALYZE")
    at.ask("CHECKPOINT")


def _ask(port: int, who: int, address: str, *, times: int) -> list[float]:
    """Ask so many times over one connection; answer the seconds that each took."""
    took = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(times):
        begun = time.perf_counter()
        _read(connection, who, address)
        took.append(time.perf_counter() - begun)
    connection.close()
    return took


def _read(connection: http.client.HTTPConnection, who: int, address: str) -> Any:
    token = f"Bearer mem_{who:043d}"
    connection.request("GET", address, headers={"Authorization": token})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != http.client.OK:
        raise RuntimeError(f"{address} was answered {answer.status}: {body}")
    return body


def _statements(at: Site, port: int, who: int, address: str) -> int:
    """How many statements one request costs, by PostgreSQL's own count.

    Each statement is counted by itself: what does not come with every request (the five with which
    a worker opens its first connection) is not what a request costs.
    """
    times = 20
    _ask(port, who, address, times=5)
    before = _counted(at)
    _ask(port, who, address, times=times)
    return sum(
        round((calls - before.get(query, 0)) / times) for query, calls in _counted(at).items()
    )


def _counted(at: Site) -> dict[str, int]:
    """How often each statement has run, by its id."""
    time.sleep(1.2)  # backends report what they counted about once a second
    (counted,) = at.ask("""
        SELECT coalesce(json_object_agg(queryid, calls), '{}')
        FROM (
            SELECT queryid, sum(calls)::bigint AS calls FROM pg_stat_statements
            WHERE userid = 'jibei_app'::regrole
              AND query !~* '^(begin|commit|rollback|set|show|deallocate)'
            GROUP BY queryid
        )
    """)
    assert isinstance(counted, dict)
    return counted


def _check(port: int) -> None:
    """What was measured must also be right: all events together are what is in the wallet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    wallet = _read(connection, _MANY, _PAGES["wallet"])
    events, cups, cursor = 0, 0, ""
    while cursor is not None:
        page = _read(connection, _MANY, f"{_PAGES['history']}?limit=200{cursor}")
        events += len(page["items"])
        cups += sum(one["cups"] for one in page["items"])
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    connection.close()
    held = wallet["cups"] + wallet["frozen"] + wallet["ended"]
    if (events, cups) != (_EVENTS, held):
        raise RuntimeError(f"{events} events of {cups} cups do not explain the {held} held")
