"""Whatever people call things, an export says it as text and nothing else."""

import re
from datetime import date

import pytest

from kernel.transaction import transaction
from ledger import chart
from ledger.policy import Pair
from tests.service.ledger.exporting import FORMS, JANUARY, asserted, book, close, exported, sell

EVIL = 'x"\n2026-01-01 open Assets:Evil\r\n    Assets:Evil  1 TWD\u2028; type:E, date:2020-01-01\\'
_DAY = r"\d{4}-\d\d-\d\d"
_NAME = r"(Assets|Liabilities|Income|Expenses)(:[A-Z0-9][A-Za-z0-9-]*)+"
_TEXT = r'"([^"\\\n]|\\["\\])*"'
GRAMMAR = {
    "beancount": [
        r"; The books of .*",
        rf'option "[a-z_]+" {_TEXT}',
        rf"{_DAY} commodity [A-Z]+",
        rf"{_DAY} open {_NAME}",
        rf'{_DAY} \* "[a-z_]+"( "[A-Za-z0-9-]+")?( \^[0-9a-f-]{{36}})*',
        rf"  (store|account|external|title|offer|counterpart): {_TEXT}",
        rf"  {_NAME}  -?\d+ [A-Z]+",
        rf"{_DAY} balance {_NAME}  -?\d+ [A-Z]+",
    ],
    "hledger": [
        r"; The books of .*",
        r"decimal-mark \.",
        r"commodity 1000\. [A-Z]+",
        rf"account {_NAME}",
        r"    ; (store|account|external|title|offer|counterpart): [^:,]*",
        rf"{_DAY} \* [a-z]+  ; entry:[0-9a-f-]{{36}}",
        rf"{_DAY} \* (opening|closing) [A-Za-z0-9-]+",
        rf"    {_NAME}  -?\d+ [A-Z]+( = -?\d+ [A-Z]+)?",
    ],
}


@pytest.fixture
def hostile(world):
    """A store, an offer and an account that are called the worst."""
    world.add_store(EVIL)
    world.add_store(f"={EVIL}")
    world.add_offer(EVIL)
    with transaction():
        chart.label_account(
            code="4113", name=EVIL, external_code=f"={EVIL}", starts_on=date(2026, 1, 1)
        )
    store_id, other_id = world.stores[EVIL], world.stores[f"={EVIL}"]
    pairs = [
        Pair(store_id, "2131", "4113", 7, 1, other_id, world.offers[EVIL][0]),
        Pair(store_id, "1171", "4113", 7, 0, other_id),
    ]
    book("adjustment", pairs, date(2026, 1, 5))
    sell(world, date(2026, 1, 5))
    close(JANUARY)
    return world


@pytest.mark.parametrize("form", FORMS)
def test_every_line_is_one_that_an_export_has(hostile, form):
    text = exported(hostile, JANUARY, form)
    allowed = re.compile("|".join(f"({line})" for line in GRAMMAR[form]))
    assert [
        line for line in re.split("[\n\r\u2028]", text) if line and not allowed.fullmatch(line)
    ] == []


@pytest.mark.parametrize("form", FORMS)
def test_two_stores_of_almost_one_name_stay_two(hostile, form):
    accounts = {account for account, _ in asserted(exported(hostile, JANUARY, form), form)}
    assert len(accounts) == 6
