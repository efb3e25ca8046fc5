"""The accountants get the journal in their own codes, a leg a row."""

import csv
from datetime import date
from io import StringIO

import pytest
from sqlalchemy import select

from chain.models import LegalEntity, StoreOwner
from kernel.db import db
from kernel.transaction import transaction
from ledger import chart
from tests.service.ledger.exporting import (
    FEBRUARY,
    JANUARY,
    close,
    collect,
    exported,
    seal,
    sell,
    trade,
)


def rows_of(text):
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


def label(code, external_code, starts_on, name="name"):
    with transaction():
        chart.label_account(code=code, name=name, external_code=external_code, starts_on=starts_on)


def test_a_line_is_two_rows_with_the_codes_of_everything(world):
    _, entry_id = collect(world, date(2026, 1, 20), made_at="B", amount=87, cups=2)
    seal(entry_id, number=12)
    close(JANUARY)
    rows = rows_of(exported(world, JANUARY, "csv"))
    assert [
        (
            row["line"],
            row["legal_entity"],
            row["store"],
            row["account"],
            row["debit"],
            row["credit"],
        )
        for row in rows
    ] == [
        ("1", "entity-A", "A", "2131", "87", ""),
        ("1", "entity-A", "A", "2171", "", "87"),
        ("2", "entity-B", "B", "1171", "87", ""),
        ("2", "entity-B", "B", "4111", "", "87"),
    ]
    assert rows[0] | {"account_name": ""} == {
        "number": "12",
        "entry_id": str(entry_id),
        "book_date": "2026-01-20",
        "occurred_on": "2026-01-20",
        "kind": "redemption",
        "line": "1",
        "legal_entity": "entity-A",
        "store": "A",
        "account": "2131",
        "account_name": "",
        "jibei_account": "2131",
        "debit": "87",
        "credit": "",
        "currency": "TWD",
        "cups": "2",
        "counterpart_store": "B",
        "offer": "eleven",
        "reverses_id": "",
    }


def test_debits_are_credits_in_every_store(world):
    trade(world)
    for month in (JANUARY, FEBRUARY):
        rows = rows_of(exported(world, month, "csv"))
        for store in "ABC":
            mine = [row for row in rows if row["store"] == store]
            debits = sum(int(row["debit"] or 0) for row in mine)
            assert debits == sum(int(row["credit"] or 0) for row in mine)
        assert rows


def test_a_free_cup_says_on_which_side_it_stands(world):
    collect(world, date(2026, 1, 20), made_at="A", amount=0, cups=1)
    close(JANUARY)
    rows = rows_of(exported(world, JANUARY, "csv"))
    assert [(row["debit"], row["credit"], row["cups"]) for row in rows] == [
        ("0", "", "1"),
        ("", "0", "1"),
    ]


def test_an_account_has_the_code_that_it_had_on_the_day(world):
    label("1111", "CASH-OLD", date(2025, 1, 1))
    label("1111", "CASH-NEW", date(2026, 1, 10))
    sell(world, date(2026, 1, 9))
    sell(world, date(2026, 1, 10))
    close(JANUARY)
    rows = rows_of(exported(world, JANUARY, "csv"))
    cash = {row["book_date"]: row["account"] for row in rows if row["debit"]}
    assert cash == {"2026-01-09": "CASH-OLD", "2026-01-10": "CASH-NEW"}


def test_a_store_stands_under_the_owner_that_it_had_in_the_month(world):
    sell(world, date(2026, 1, 9))
    close(JANUARY)
    with transaction():
        sold_to = db.session.scalars(
            select(LegalEntity).where(LegalEntity.code == "entity-B")
        ).one()
        for starts_on in (date(2026, 2, 1),):
            db.session.add(
                StoreOwner(
                    store_id=world.stores["A"], starts_on=starts_on, legal_entity_id=sold_to.id
                )
            )
    sell(world, date(2026, 2, 9))
    close(FEBRUARY)
    for month, owner in ((JANUARY, "entity-A"), (FEBRUARY, "entity-B")):
        rows = rows_of(exported(world, month, "csv"))
        assert {row["legal_entity"] for row in rows} == {owner}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝"])
def test_a_name_that_looks_like_a_formula_comes_out_as_text(world, start):
    label("1111", f"{start}1+1", date(2026, 1, 1), name=f'{start}HYPERLINK("x")')
    sell(world, date(2026, 1, 9))
    close(JANUARY)
    cash = rows_of(exported(world, JANUARY, "csv"))[0]
    assert (cash["account"], cash["account_name"]) == (f"'{start}1+1", f'\'{start}HYPERLINK("x")')
