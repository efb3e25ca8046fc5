"""What the books cost a redemption, and how much faster than they grow they are folded."""

import re
import time
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from bench.figures import Figures
from bench.site import PLANS, Site, site
from kernel import secrets
from kernel.application import bare_application
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import Pair, policy
from ledger.content import content_hash
from ledger.service.fold import BATCH, fold_some
from redemption import statements
from redemption.reading import READS_ONE

_MEMBERS = 20_000
_WARM = 100
_CUPS, _UNITS, _NET, _VAT = 2, 1100, 47_600, 2_400  # of the packs in chain.sql
WITHOUT_BOOKS = re.sub(
    r"\), booked AS \(.*?\), answered AS \(",
    "), answered AS (",
    statements.WRITE,
    flags=re.DOTALL,
)


def measure(figures: Figures, *, short: bool) -> None:
    """Redemptions with books and without, in turn, on one connection; then the fold."""
    with site(members=_MEMBERS) as at:
        at.ask("ANALYZE")
        _overhead(figures, at, pairs=1_000 if short else 4_000)
        _fold(figures, at, seconds=2.0 if short else 10.0)


def _overhead(figures: Figures, at: Site, *, pairs: int) -> None:
    """`posting_overhead_ratio` is of the time that a redemption waits for its two statements.

    That is all the database does for it: reading, writing, the commit. `posting_write_ratio` is of
    the execution of the writing statement alone, as the server counts it: with entry, lines and
    their trigger over without.
    """
    url = at.postgres.url("jibei_app", "jibei")
    with psycopg.connect(url, autocommit=True, prepare_threshold=0, options=PLANS) as connection:
        took: dict[str, list[float]] = {statements.WRITE: [], WITHOUT_BOOKS: []}
        for number in range(_WARM + pairs):
            if number == _WARM:
                at.ask("SELECT pg_stat_statements_reset()")
            for turn, statement in enumerate(took):
                seconds = _redeem(connection, statement, member=1 + 2 * number + turn)
                if number >= _WARM:
                    took[statement].append(seconds)
    counted = at.ask("""
        SELECT sum(mean_exec_time) FILTER (WHERE query LIKE '%INSERT INTO entry%'),
               sum(mean_exec_time) FILTER (WHERE query NOT LIKE '%INSERT INTO entry%')
        FROM pg_stat_statements
        WHERE query LIKE '%INSERT INTO redemption_line%' AND calls >= 1000
    """)
    written, without = (float(str(value)) for value in counted)
    figures.add("redemption_database_ms", 1000 * median(took[statements.WRITE]), "ms")
    ratios = [with_books / plain for with_books, plain in zip(*took.values(), strict=True)]
    figures.add("posting_overhead_ratio", median(ratios), "of_without")
    figures.add("posting_write_ratio", written / without, "of_without")


def _redeem(connection: psycopg.Connection, statement: str, *, member: int) -> float:
    """One redemption, as `redemption.service.redeem` makes it; the seconds in its statements."""
    reading, writing = _row(member)
    begun = time.perf_counter()
    connection.execute(READS_ONE["plain"], reading).fetchall()
    done = connection.execute(statement, writing).fetchall()
    seconds = time.perf_counter() - begun
    if not done:
        raise RuntimeError("the redemption was not written")
    return seconds


def _row(member: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the two statements are given; three in ten are made where they were not sold."""
    now, key = datetime.now(UTC), new_id().hex
    sold_at = 1 + member % 4
    made_at = 1 + sold_at % 4 if member // 2 % 10 < 3 else sold_at
    ids = {"redemption_id": new_id(), "entry_id": new_id()}
    lot_id, offer_id, member_id = bench_id(10, 2 * member + 1), bench_id(4, 1), bench_id(9, member)
    amount = policy.carried(net=_NET, units=_UNITS, used=0, net_recognised=0, cups=_CUPS)
    vat = policy.carried(net=_VAT, units=_UNITS, used=0, net_recognised=0, cups=_CUPS)
    pairs = policy.hand_over(
        sold_at_id=bench_id(2, sold_at),
        made_at_id=bench_id(2, made_at),
        account=policy.VOUCHERS,
        amount=amount,
        cups=_CUPS,
        offer_id=offer_id,
        lot_id=lot_id,
    )
    sealed = content_hash(
        member_id=member_id,
        entry_id=ids["entry_id"],
        kind="redemption",
        source_id=ids["redemption_id"],
        event_at=now,
        occurred_on=now.date(),
        book_date=now.date(),
        currency="TWD",
        reverses_id=None,
        pairs=pairs,
    )
    credential_id = member.to_bytes(8, "big")
    reading = {
        "shift_digest": _digest_of_shift(1),
        "credential_id": credential_id,
        "step": member,
        "product_id": bench_id(3, 1),
        "key": key,
        "now": now,
        "common_at": now,
    }
    return reading, {
        **reading,
        **ids,
        **_arrays(pairs),
        "member_id": member_id,
        "version": 0,
        "store_id": bench_id(2, made_at),
        "device_id": bench_id(7, 1),
        "staff_id": bench_id(6, 1),
        "cups": _CUPS,
        "today_on": now.date(),
        "business_day": now.date(),
        "currency": "TWD",
        "content_hash": sealed,
        "lot_ids": [lot_id],
        "lot_cups": [_CUPS],
        "lot_amounts": [amount],
        "lot_vats": [vat],
        "line_products": [bench_id(3, 1)],
        "line_lots": [lot_id],
        "line_offers": [offer_id],
        "line_cups": [_CUPS],
        "line_amounts": [amount],
        "line_vats": [vat],
        "line_top_ups": [0],
        "top_up": 0,
        "top_up_vat": 0,
        "news_ids": [new_id()],
        "news_topics": ["redemption.done"],
        "fingerprint": credential_id * 4,
        "answer": Jsonb({"redeemed": {"id": str(ids["redemption_id"]), "left": 100}}),
    }


def _arrays(pairs: list[Pair]) -> dict[str, Any]:
    return {
        "books": [pair.store_id for pair in pairs],
        "debits": [pair.debit for pair in pairs],
        "credits": [pair.credit for pair in pairs],
        "amounts": [pair.amount for pair in pairs],
        "qtys": [pair.qty for pair in pairs],
        "counterparts": [pair.counterpart_store_id for pair in pairs],
        "pair_offers": [pair.offer_id for pair in pairs],
        "pair_lots": [pair.lot_id for pair in pairs],
    }


def bench_id(kind: int, number: int) -> UUID:
    """What the function of this name in ids.sql answers."""
    return UUID(int=kind << 96 | 0x7000 << 64 | 0x8000 << 48 | number)


def _digest_of_shift(number: int) -> bytes:
    return secrets.digest(f"shf_{number:043d}")


def _fold(figures: Figures, at: Site, *, seconds: float) -> None:
    """Write at the limit, then fold all of it as the job does: batch by batch, each committed."""
    before = _lines(at)
    at.pgbench("limit.pgbench", seconds=seconds)
    written = (_lines(at) - before) / seconds
    waiting, begun = _lines(at), time.perf_counter()
    application = bare_application()
    with application.app_context():
        while _fold_batch():
            pass
        folded = waiting / (time.perf_counter() - begun)
        db.session.remove()
        db.engine.dispose()
    figures.add("lines_written_per_s", written, "1/s")
    figures.add("lines_folded_per_s", folded, "1/s")
    figures.add("fold_ratio", folded / written, "of_written")


def _fold_batch() -> int:
    with transaction():
        return fold_some(limit=BATCH)


def _lines(at: Site) -> int:
    (lines,) = at.ask("SELECT count(*) FROM line")
    return int(str(lines))
