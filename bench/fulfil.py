"""From the provider's news to cups in the wallet: web, workers, tick and provider are all real.

Orders wait in their payer's own form, paid at the provider, which has not told yet. Then its signed
events come on a schedule (open loop, 50 a second). A latency counts from the moment when an event
was to be sent to the commit that put the cups into the wallet, by PostgreSQL's own time of commits.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import psycopg

from bench.figures import Figures
from bench.site import ROOT, Site, await_answer, free_port, gunicorn, site, wait_for_quiet

_RATE = 50.0
_WARM = 50
_PATIENCE_S = 60.0
_KEY = "sk_test_of_the_bench"
_NO_PROXY = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
_WORK = ("events", "billing", "nightly", "tick")


def measure(figures: Figures, short: bool) -> None:
    """Pay `_RATE` orders a second for a while; count from the news to the cups."""
    orders = int(_RATE * (4 if short else 20))
    settings = {"track_commit_timestamp": "on"}
    with site(members=_WARM + orders, settings=settings) as made, ExitStack() as stack:
        provider = stack.enter_context(_sandbox())
        ours = {"STRIPE_API_BASE": provider, **_NO_PROXY}
        at = replace(made, environment={**made.environment, **ours})
        refs = _place(at, provider, _WARM + orders)
        port, _ = stack.enter_context(gunicorn(at))
        workers = {work: stack.enter_context(_worker(at, work)) for work in _WORK}
        _tell(at, port, refs[:_WARM])
        _await_fulfilled(at, _WARM)
        at.ask("ANALYZE")
        wait_for_quiet()
        cpu_s = _cpu_s(workers["events"])
        due_at = _tell(at, port, refs[_WARM:])
        _await_fulfilled(at, _WARM + orders)
        spent_ms = 1000 * (_cpu_s(workers["events"]) - cpu_s)
        _report(figures, at, due_at)
        figures.add("fulfil_worker_cpu_ms", spent_ms / orders, "ms")


def _report(figures: Figures, at: Site, due_at: list[float]) -> None:
    rows = _all(at, "SELECT n, told_at, heard_at, fulfilled_at FROM bench_told ORDER BY n", _WARM)
    steps = {
        "fulfil": [(due, fulfilled) for due, (_, _, fulfilled) in zip(due_at, rows, strict=True)],
        "fulfil_told": [(due, told) for due, (told, _, _) in zip(due_at, rows, strict=True)],
        "fulfil_heard": [(told, heard) for told, heard, _ in rows],
        "fulfil_issued": [(heard, fulfilled) for _, heard, fulfilled in rows],
    }
    for name, spans in steps.items():
        took = sorted(1000 * (end - begin) for begin, end in spans)
        figures.add(f"{name}_p50_ms", took[len(took) // 2], "ms")
        figures.add(f"{name}_p99_ms", took[int(len(took) * 0.99)], "ms")


_TOLD = """
CREATE VIEW bench_told AS
SELECT ('x' || right(voucher_order.id::text, 8))::bit(32)::int AS n,
       extract(epoch FROM received_at)::float8 AS told_at,
       extract(epoch FROM pg_xact_commit_timestamp(provider_event.xmin))::float8 AS heard_at,
       extract(epoch FROM pg_xact_commit_timestamp(lot.xmin))::float8 AS fulfilled_at
FROM voucher_order
JOIN order_item ON order_item.order_id = voucher_order.id
JOIN lot ON lot.order_item_id = order_item.id
JOIN payment ON payment.purpose_id = voucher_order.id
JOIN provider_event ON provider_event.object_ref = payment.provider_ref
"""


def _all(at: Site, sql: str, after: int) -> list[tuple[float, float, float]]:
    with psycopg.connect(at.postgres.url("postgres", "jibei"), autocommit=True) as connection:
        connection.execute(_TOLD)
        return [(row[1], row[2], row[3]) for row in connection.execute(sql) if row[0] > after]


def _place(at: Site, provider: str, orders: int) -> list[str]:
    """Put the orders into the database, and have them paid at the provider."""
    sql = (ROOT / "bench" / "fulfil.sql").read_text(encoding="utf-8")
    with psycopg.connect(at.postgres.url("jibei_owner", "jibei"), autocommit=True) as connection:
        connection.execute(sql.replace(":orders", str(orders)))
    with ThreadPoolExecutor(4) as payers:
        return list(payers.map(partial(_paid, provider), range(1, orders + 1)))


def _paid(provider: str, number: int) -> str:
    form = {
        "amount": "50000",
        "currency": "twd",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
        "metadata[payment_id]": f"{0x17:08x}-0000-7000-8000-{number:012x}",
    }
    asked = urllib.request.Request(  # noqa: S310  our own address
        f"{provider}/v1/payment_intents",
        data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": f"Bearer {_KEY}"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310  as above
        return str(json.load(answer)["id"])


def _tell(at: Site, port: int, refs: list[str]) -> list[float]:
    secret = at.environment["STRIPE_WEBHOOK_SECRET"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.events", str(port), secret, str(_RATE)],
        input="\n".join(refs),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=len(refs) / _RATE + 60,
    )
    due_at: list[float] = json.loads(done.stdout)
    return due_at


def _await_fulfilled(at: Site, orders: int) -> None:
    give_up_at = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_at:
        (done,) = at.ask("SELECT count(*) FROM voucher_order WHERE status = 'fulfilled'")
        if done == orders:
            return
        time.sleep(0.5)
    raise RuntimeError(f"only {done} of {orders} paid orders have their cups")


def _cpu_s(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


@contextmanager
def _sandbox() -> Iterator[str]:
    """The sandbox provider, which tells nothing by itself."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="jibei-bench-") as folder:
        given = {"SANDBOX_DB": str(Path(folder) / "sandbox.sqlite3"), "SANDBOX_API_KEY": _KEY}
        command = ["gunicorn", "--config", "sandbox/gunicorn_settings.py"]
        command += ["--bind", f"127.0.0.1:{port}", "sandbox.wsgi:app"]
        with _process(["-m", *command], given):
            await_answer(f"http://127.0.0.1:{port}/", any_status=True)
            yield f"http://127.0.0.1:{port}"


@contextmanager
def _worker(at: Site, work: str) -> Iterator[psutil.Process]:
    with _process(["-OO", "worker.py", work], at.environment) as running:
        yield running


@contextmanager
def _process(arguments: list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    running = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait(timeout=20)
