"""What a month costs does not grow with the years before it."""

from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from kernel.db import db
from kernel.transaction import transaction
from payments import reconcile
from tests.conftest import Engines
from tests.world import World

_YEARS = """
INSERT INTO balance_transaction (provider_ref, kind, type, payment_ref, amount_minor, fee_minor,
    net_minor, currency, charged_minor, charged_currency, created_at, available_at, payout_ref)
SELECT 'txn_' || n, 'charge', 'charge', 'pi_' || n, 100, 3, 97, 'TWD', 100, 'TWD', at, at,
    'po_' || n / 10
FROM generate_series(10, 39999) AS n,
    LATERAL (SELECT '2024-01-01'::timestamptz + n * '26 min'::interval) AS t (at)
"""
_PAYMENTS = """
INSERT INTO payment (id, member_id, purpose, purpose_id, attempt, amount, currency, keeps_card,
    is_off_session, provider_ref, status, created_at, settled_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'test', gen_random_uuid(), 1, 1, 'TWD', false, false,
    payment_ref, 'succeeded', created_at, created_at
FROM balance_transaction
"""
_PAYOUTS = """
INSERT INTO payout (provider_ref, status, amount_minor, currency, is_automatic, is_itemised,
    created_at, arrives_at)
SELECT 'po_' || n, 'paid', 970, 'TWD', true, true, at, at
FROM generate_series(1, 3999) AS n,
    LATERAL (SELECT '2024-01-01'::timestamptz + n * '260 min'::interval) AS t (at)
"""


@pytest.fixture
def years(world: World, engines: Engines) -> str:
    """Two years of trade, of which PostgreSQL knows the extent."""
    url = engines.postgres.url("postgres", "jibei")
    with psycopg.connect(url, autocommit=True) as connection:
        for rows in (_PAYOUTS, _YEARS, _PAYMENTS):
            connection.execute(rows)
        connection.execute("ANALYZE payout, balance_transaction, payment")
    return url


def test_only_rows_of_the_month_are_read(years: str) -> None:
    seen = list[tuple[str, Any]]()

    def remember(_connection, _cursor, statement, parameters, _context, _many):
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", remember)
    try:
        with transaction():
            found = reconcile(month_first_on=date(2025, 3, 1), next_on=date(2025, 4, 1))
    finally:
        event.remove(db.engine, "before_cursor_execute", remember)

    assert list(found.lines) == ["matched"]
    plans = []
    with psycopg.connect(years) as connection:
        for statement, parameters in seen:
            plans += [row[0] for row in connection.execute(f"EXPLAIN {statement}", parameters)]  # type: ignore[call-overload]
    whole = [line for line in plans if "Seq Scan on" in line]
    for table in ("payment", "balance_transaction", "payout"):
        assert not [line for line in whole if f" on {table} " in line]
    assert any("ix_balance_transaction_created_at" in line for line in plans)
