"""Accounts of an export have names that both tools take, and no two have one name."""

import re
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import NOBODY, new_id
from ledger.chart import Labelled
from ledger.export.naming import Cell, Names, component

STORE, OTHER, OFFER = new_id(), new_id(), new_id()
LEGAL = re.compile(r"[A-Z0-9][A-Za-z0-9-]*")


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("A", "A"),
        ("TPE-01", "TPE-01"),
        ("4Seasons", "4Seasons"),
        ("eleven", "X-eleven"),
        ("台北", "X--53f0--5317-"),
        ("A:B", "X-A-3a-B"),
        ("A  B", "X-A-20--20-B"),
        ("None", "X-None"),
        ("X-A-3a-B", "X-X-2d-A-2d-3a-2d-B"),
        ("", "X-"),
    ],
)
def test_a_code_becomes_a_part_of_a_name(code, written):
    assert component(code) == written
    assert LEGAL.fullmatch(written)


@given(st.text(alphabet=st.sampled_from("AXax-2d3:; \n台")), st.text(st.sampled_from("AXax-2d3:")))
def test_different_codes_stay_different(one, other):
    assert LEGAL.fullmatch(component(one))
    assert (component(one) == component(other)) == (one == other)


@pytest.fixture
def names():
    kinds = {"1171": "asset", "2131": "liability", "4111": "income", "6221": "expense"}
    return Names(
        stores={STORE: "A", OTHER: "b"},
        offers={OFFER: "eleven"},
        accounts={
            code: Labelled(code, kind, True, code, code, date(1970, 1, 1))
            for code, kind in kinds.items()
        },
    )


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (Cell("2131", STORE, OFFER, NOBODY), "Liabilities:A:2131:X-eleven"),
        (Cell("2131", STORE, NOBODY, NOBODY), "Liabilities:A:2131:None"),
        (Cell("1171", STORE, NOBODY, OTHER), "Assets:A:1171:X-b"),
        (Cell("4111", OTHER, NOBODY, NOBODY), "Income:X-b:4111"),
        (Cell("6221", STORE, NOBODY, NOBODY), "Expenses:A:6221"),
        (Cell("9999", STORE, NOBODY, NOBODY), "Equity:A:9999"),
    ],
)
def test_an_account_is_named_by_its_kind_its_store_and_what_it_is_kept_by(names, cell, name):
    assert names.of(cell) == name


def test_what_has_no_code_is_called_by_its_id(names):
    unknown = UUID("a1b2c3d4-0000-7000-8000-000000000001")
    named = names.of(Cell("4111", unknown, NOBODY, NOBODY))
    assert named == "Income:X-a1b2c3d4-2d-0000-2d-7000-2d-8000-2d-000000000001:4111"
