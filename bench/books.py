"""The books' figures: reports over many lines, what posting costs, the fold, and the proof.

`SIZE=1m`, `10m` or `100m` says how many lines the books have; growth is against a tenth of them.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

import invoicing.proof
import redemption.proof
import vouchers.proof
from bench import posting
from bench.bulk import Books, Plan, TooLittleDisk, books, check_disk
from bench.figures import Figures
from bench.site import wait_for_quiet
from kernel import clock
from kernel.transaction import snapshot, transaction
from ledger import proof
from ledger.month import Month
from ledger.reports import liability_on, roll_forward, settlement_matrix

SIZES = {"1m": 1_000_000, "10m": 10_000_000, "100m": 100_000_000}
ROOMS = (invoicing.proof, redemption.proof, vouchers.proof)  # importing them registers their checks
_FEW_STORES = 10
_MOST_PROVED = 1_000_000
_SAID_EVERY_S = 5.0
_WARM, _FEW_TIMES = 3, 9


def measure(figures: Figures, short: bool) -> None:
    """Measure posting and fold on engines of their own, then reports and proof on large books.

    The books are a chain's of 300 stores. A million lines would be thin there, so those are of ten:
    what a report reads, cells by months, is then as full as in the large ones. The proof is of the
    smaller books, unless they are large too.
    """
    gc.collect()
    gc.freeze()  # as gunicorn.conf.py does
    small, large = _plans(os.environ.get("SIZE") or ("1m" if short else "10m"))
    posting.measure(figures, short=short)
    times = _FEW_TIMES if short else 25
    with _made(small) as made:
        before = _median_ms(lambda: roll_forward(_closed(made)), times)
        if small.is_whole:
            _proof(figures, made)
    with _made(large) as made:
        figures.add("books_lines", large.lines, "count")
        _reports(figures, made, before=before, times=times)


def _plans(size: str) -> tuple[Plan, Plan]:
    """The smaller books and the large ones; ends with a sentence where they cannot be made."""
    if size not in SIZES:
        raise SystemExit(f"SIZE is one of {', '.join(SIZES)}, not {size}.")
    lines = SIZES[size]
    stores = _FEW_STORES if lines == SIZES["1m"] else 300
    small = Plan(lines // 10, stores, is_whole=lines // 10 <= _MOST_PROVED)
    large = Plan(lines, stores, is_whole=False)
    try:
        check_disk(large)
    except TooLittleDisk as refusal:
        raise SystemExit(str(refusal)) from None
    return small, large


def _reports(figures: Figures, at: Books, *, before: float, times: int) -> None:
    """Medians of warm reports, Python objects included, each in a snapshot of its own."""
    closed, current = _closed(at), at.plan.months[-1]
    took = _median_ms(lambda: roll_forward(closed), times)
    figures.add("rollforward_ms", took, "ms")
    figures.add("rollforward_growth_10x", took / before, "of_a_tenth")
    figures.add("rollforward_open_ms", _median_ms(lambda: roll_forward(current), times), "ms")
    some_day = at.plan.months[len(at.plan.months) // 2].first_on + timedelta(days=16)
    figures.add("asof_ms", _median_ms(lambda: liability_on(some_day), times), "ms")
    figures.add("settlement_ms", _median_ms(lambda: settlement_matrix(closed), times), "ms")
    naive = Path(__file__).with_name("naive.sql").read_text(encoding="utf-8")
    asked = naive.replace(":first_on", str(closed.first_on)).replace(
        ":next_on", str(closed.next_on)
    )
    figures.add("rollforward_naive_ms", _ms(lambda: at.ask(asked)), "ms")


def _proof(figures: Figures, at: Books) -> None:
    """Every check, over all of it: books that were made right, so it must find nothing."""
    begun = time.perf_counter()
    with transaction():
        check_id = proof.begin(now=clock.now())
    for _ in proof.go_on(check_id):
        pass
    seconds = time.perf_counter() - begun
    with transaction():
        found = list(proof.findings_of(check_id))
    if found:
        raise RuntimeError(f"the books do not agree: {found[:3]}")
    per_million = seconds / (at.plan.lines / 1_000_000)
    figures.add("books_check_s_per_million", per_million, "s")


@contextmanager
def _made(plan: Plan) -> Iterator[Books]:
    begun = said = time.perf_counter()

    def say(what: str) -> None:
        nonlocal said
        now = time.perf_counter()
        if now - said >= _SAID_EVERY_S:
            said = now
            print(f"# {now - begun:.0f} s, {plan.lines:,} lines: {what}", flush=True)

    with books(plan, say=say) as made:
        yield made


def _closed(at: Books) -> Month:
    return at.plan.months[-2]


def _median_ms(report: Callable[[], object], times: int) -> float:
    """The machine must be quiet where many are taken: a growth is of two moments."""
    if times > _FEW_TIMES:
        wait_for_quiet()

    def read() -> None:
        with snapshot():
            report()

    for _ in range(_WARM):
        read()
    return median(_ms(read) for _ in range(times))


def _ms(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - begun)
