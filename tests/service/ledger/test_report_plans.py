"""Reports do not grow with the years: they go by keys to a month, a store, or what is not folded.

Tables hold three closed months and an open one, more than a page of each, with fresh statistics; so
PostgreSQL chooses what it would choose in production. Reading lines, entries or roll-ups whole is
what must not happen.
"""

from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import event

from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import snapshot
from ledger import reports
from ledger.month import Month
from tests.conftest import empty_database

ROLLUPS = ("rollup_day", "rollup_month", "rollup_forward", "month_balance")
GROWING = ("line", "entry", "seal", *ROLLUPS)
NOVEMBER = Month(date(2025, 11, 1))
DAY = date(2025, 11, 20)

_STORES = "SELECT md5(n::text)::uuid AS store_id, n AS store FROM generate_series(1, 60) n"
_FILL = f"""
SET session_replication_role = replica;
INSERT INTO book_month (first_on, state, version, closed_at, digest)
SELECT month::date, 'closed', 1, now(), sha256('')
FROM generate_series('2023-01-01'::timestamp, '2025-12-01', '1 month') month;
INSERT INTO rollup_month
SELECT first_on, account, store_id, md5('o' || offer)::uuid, md5('c' || offer)::uuid, kind, 'TWD',
       5, 7, 1
FROM (SELECT first_on FROM book_month) months, ({_STORES}) stores,
     unnest(array['2131', '2171', '2194', '1111']) account, generate_series(1, 3) offer,
     unnest(array['sale', 'redemption']) kind;
INSERT INTO rollup_forward
SELECT first_on, store_id, offer_id, account, currency, 7, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0,
       0, 0, 0, 0, 0
FROM rollup_month WHERE account = '2131' AND kind = 'sale';
INSERT INTO rollup_day
SELECT day::date, account, store_id, kind, 'TWD', 5, 7, 1
FROM generate_series('2025-01-01'::timestamp, '2025-12-31', '1 day') day, ({_STORES}) stores,
     unnest(array['2131', '2171', '2194', '1111']) account,
     unnest(array['sale', 'redemption']) kind;
INSERT INTO month_balance
SELECT DISTINCT ON (1, 3, 4, 5, 6) first_on, 1, account, store_id, offer_id, counterpart_store_id,
       currency, 9, 1
FROM rollup_month;
INSERT INTO entry (member_id, id, kind, source_id, event_at, occurred_on, book_date, currency,
                   content_hash)
SELECT md5('m' || n)::uuid, md5('e' || n)::uuid, 'redemption', md5('s' || n)::uuid, now(),
       date '2025-01-01' + n % 365, date '2025-01-01' + n % 365, 'TWD', sha256('')
FROM generate_series(1, 30000) n;
UPDATE entry SET book_date = book_date + 40 WHERE id < '01000000-0000-0000-0000-000000000000';
INSERT INTO line (member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount, qty)
SELECT member_id, id, 1, book_date, md5((1 + n % 60)::text)::uuid, '2131', '4111', 5, 1
FROM (SELECT *, row_number() OVER () AS n FROM entry) numbered;
INSERT INTO seal (number, member_id, entry_id, chain)
SELECT row_number() OVER (), member_id, id, sha256('') FROM entry;
INSERT INTO unfolded (entry_id, member_id, book_date)
SELECT id, member_id, book_date FROM entry WHERE book_date = '2025-11-20';
"""

REPORTS = {
    "roll-forward": lambda: reports.roll_forward(NOVEMBER),
    "roll-forward as occurred": lambda: reports.roll_forward(NOVEMBER, basis="occurred"),
    "roll-forward of a store": lambda: reports.roll_forward(NOVEMBER, store_id=new_id()),
    "liability": lambda: reports.liability_on(DAY),
    "liability at the end of a month": lambda: reports.liability_on(NOVEMBER.last_on),
    "matrix": lambda: reports.settlement_matrix(NOVEMBER),
    "statement": lambda: reports.settlement_statement(NOVEMBER, store_id=new_id()),
    "trial balance": lambda: reports.trial_balance(DAY, DAY + timedelta(days=30)),
    "vat": lambda: reports.vat_summary(NOVEMBER),
    "journal": lambda: reports.journal(DAY, DAY + timedelta(days=9), limit=50),
    "journal of a store": lambda: reports.journal(
        DAY, DAY + timedelta(days=9), store_id=new_id(), limit=50
    ),
}
SERVED = {
    "ix_entry_late": "roll-forward as occurred",
    "ix_line_report": "journal",
    "pk_month_balance": "roll-forward",
    "pk_rollup_forward": "roll-forward",
    "pk_rollup_month": "matrix",
    "pk_line": "roll-forward",
    "uq_seal_entry_once": "journal",
}


@pytest.fixture(scope="module")
def plans(application, engines):
    """What PostgreSQL does for each report, for the values that are asked for."""
    url = engines.postgres.url("postgres", "jibei")
    with psycopg.connect(url, autocommit=True) as owner, empty_database(application, engines):
        for statement in _FILL.split(";\n"):
            owner.execute(statement)
        owner.execute("ANALYZE " + ", ".join((*GROWING, "unfolded", "book_month")))
        told = {name: plan(owner, report) for name, report in REPORTS.items()}
    with psycopg.connect(url, autocommit=True) as owner:
        for table in (*GROWING, "unfolded", "book_month"):
            owner.execute(f"VACUUM ANALYZE {table}")  # it is empty again, and known to be
    return told


def plan(owner, report):
    """The statements of a report, explained by PostgreSQL."""
    seen = []

    def remember(_connection, _cursor, statement, parameters, _context, _many):
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", remember)
    with snapshot():
        report()
    event.remove(db.engine, "before_cursor_execute", remember)
    return [row[0] for sql, params in seen for row in owner.execute(f"EXPLAIN {sql}", params)]


@pytest.mark.parametrize("name", REPORTS)
def test_no_report_reads_a_growing_table_whole(plans, name):
    whole = [line for line in plans[name] if "Seq Scan on" in line]
    assert [line for line in whole if line.split(" on ")[1].split()[0] in GROWING] == []


@pytest.mark.parametrize("index", SERVED)
def test_the_index_serves_the_report(plans, index):
    assert any(index in line for line in plans[SERVED[index]])


def test_the_liability_goes_by_day_to_the_daily_roll_up(plans):
    told = "\n".join(plans["liability"])
    assert "pk_rollup_day" in told or "ix_rollup_day_account" in told
