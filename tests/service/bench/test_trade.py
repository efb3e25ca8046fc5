"""A small play leaves books that agree with the lots, month by month, and closes what is over."""

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

import invoicing.proof
import redemption.proof
import vouchers.proof
from bench.trade import Trade, play
from kernel.db import db
from kernel.transaction import transaction
from ledger import proof
from ledger.models.book import KINDS
from ledger.service.closing import list_periods
from tests.conftest import Engines, empty_database

FIRST_ON = date(2026, 1, 1)
ROOMS = (invoicing.proof, redemption.proof, vouchers.proof)  # importing them registers their checks


@pytest.fixture(scope="module")
def trade(application: Flask, engines: Engines) -> Iterator[Trade]:
    """Three months of three stores, played once for all tests here."""
    with empty_database(application, engines):
        yield play(3, 3, 9, 3, FIRST_ON)


def rows(statement: str) -> list[tuple]:
    with transaction():
        return [tuple(row) for row in db.session.execute(text(statement))]


def test_every_kind_of_movement_is_played(trade):
    played = {kind for (kind,) in rows("SELECT DISTINCT kind FROM entry")}

    assert played == set(KINDS)


def test_what_lots_hold_is_what_the_books_owe_by_store_and_offer(trade):
    differences = rows("""
        WITH held AS (
            SELECT store_id, offer_id, account, sum(net - net_recognised) AS amount,
                   sum(units - used) AS cups
            FROM lot GROUP BY 1, 2, 3
        ), leg AS (
            SELECT store_id, offer_id, credit AS account, amount, qty FROM line
            UNION ALL SELECT store_id, offer_id, debit, -amount, -qty FROM line
        ), owed AS (
            SELECT store_id, offer_id, account, sum(amount) AS amount, sum(qty) AS cups
            FROM leg WHERE account IN ('2131', '2132') GROUP BY 1, 2, 3
        )
        SELECT * FROM held FULL JOIN owed USING (store_id, offer_id, account)
        WHERE held.amount IS DISTINCT FROM owed.amount OR held.cups IS DISTINCT FROM owed.cups
    """)

    assert differences == []


def test_months_are_closed_once_they_are_over(trade):
    with transaction():
        states = {str(period.month): (period.state, period.version) for period in list_periods()}

    assert states == {
        "2026-01": ("closed", 1),
        "2026-02": ("closed", 2),  # reopened once
        "2026-03": ("closed", 1),
        "2026-04": ("open", 1),
    }


def test_what_comes_after_a_closing_is_booked_late_with_both_dates(trade):
    late = rows("""
        SELECT kind, count(*) FROM entry
        WHERE date_trunc('month', book_date) > date_trunc('month', occurred_on) GROUP BY kind
    """)

    assert dict(late).keys() >= {"void", "lapse", "top_up"}


def test_the_proof_of_the_books_finds_nothing(trade):
    with transaction():
        check_id = proof.begin(now=trade.now)

    steps = list(proof.go_on(check_id))

    with transaction():
        assert list(proof.findings_of(check_id)) == []
    (entries,) = rows("SELECT count(*) FROM entry")[0]
    assert sum(step.label == "entries" for step in steps) == 1
    assert steps[-1].checked > entries > 600
