"""The tables of the one file."""

import sqlite3

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    object TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (object, seq);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event_id);
CREATE TABLE IF NOT EXISTS held_deliveries (
    seq INTEGER PRIMARY KEY REFERENCES deliveries (seq),
    endpoint_id TEXT NOT NULL,
    until REAL NOT NULL,
    waits_for_later_until REAL,
    copies INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS faults (name TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refunds_to_settle (
    refund_id TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    due_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS funds (
    transaction_id TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    net INTEGER NOT NULL,
    available_on INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS fractions (currency TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS terminal_payments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    request TEXT NOT NULL,
    status TEXT NOT NULL,
    approval_code TEXT,
    card TEXT,
    refunded INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    waits_since REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS terminal_payments_waiting
    ON terminal_payments (waits_since) WHERE status = 'waiting';
CREATE TABLE IF NOT EXISTS terminal_refunds (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    request TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT
);
CREATE TABLE IF NOT EXISTS calendar (
    the_only INTEGER PRIMARY KEY CHECK (the_only = 1),
    begun INTEGER NOT NULL
);
"""


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the tables that are missing, and change those of a file of an earlier version.

    Before the answer to any change could be lost, a kept answer noted whether it moved money.
    """
    connection.executescript(_TABLES)
    columns = connection.execute("SELECT name FROM pragma_table_info('idempotency_keys')")
    if ("moved_money",) in columns.fetchall():
        connection.execute("ALTER TABLE idempotency_keys DROP COLUMN moved_money")
