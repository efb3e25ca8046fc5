"""Statements on a server under test, each on a connection of its own."""

from typing import Any

import psycopg


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def one(url: str, question: str) -> Any:
    """The single value that answers a question."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]
