"""The exported journal is the books: it opens, moves and closes as they do, and stands alone."""

from datetime import date

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import snapshot, transaction
from ledger import export, policy
from ledger.errors import PeriodState
from ledger.models import Entry, MonthBalance
from ledger.policy import Pair
from tests.service.ledger.exporting import (
    FEBRUARY,
    FORMS,
    JANUARY,
    asserted,
    book,
    close,
    collect,
    exported,
    posted,
    seal,
    sell,
    trade,
)

pytestmark = pytest.mark.parametrize("form", FORMS)

# Debits are positive. A has sold 11 cups for 476 net; 3 and a free one were made at A, 2 at B.
JANUARY_CLOSES = {
    ("Assets:A:1111", "TWD"): 500,
    ("Assets:A:1111", "CUPS"): 11,
    ("Liabilities:A:2131:X-eleven", "TWD"): -259,
    ("Liabilities:A:2131:X-eleven", "CUPS"): -5,
    ("Liabilities:A:2171:B", "TWD"): -87,
    ("Liabilities:A:2171:B", "CUPS"): -2,
    ("Liabilities:A:2194", "TWD"): -24,
    ("Liabilities:A:2194", "CUPS"): 0,
    ("Income:A:4111", "TWD"): -130,
    ("Income:A:4111", "CUPS"): -4,
    ("Assets:B:1171:A", "TWD"): 87,
    ("Assets:B:1171:A", "CUPS"): 2,
    ("Income:B:4111", "TWD"): -87,
    ("Income:B:4111", "CUPS"): -2,
    ("Assets:C:1111", "TWD"): 500,
    ("Assets:C:1111", "CUPS"): 11,
    ("Liabilities:C:2131:X-eleven", "TWD"): -476,
    ("Liabilities:C:2131:X-eleven", "CUPS"): -11,
    ("Liabilities:C:2194", "TWD"): -24,
    ("Liabilities:C:2194", "CUPS"): 0,
}


def test_every_account_must_hold_what_the_month_closed_with(world, form):
    trade(world)
    assert asserted(exported(world, JANUARY, form), form) == JANUARY_CLOSES


def test_what_is_asserted_is_what_the_dense_balances_say(world, form):
    trade(world)
    with transaction():
        february = select(MonthBalance).where(MonthBalance.first_on == FEBRUARY.first_on)
        rows = db.session.scalars(february).all()
    claimed = asserted(exported(world, FEBRUARY, form), form)
    assert len(claimed) == 2 * len(rows)  # money and cups
    assert sorted(claimed.values()) == sorted(
        held for row in rows for held in (-row.balance, -row.cups)
    )


def test_the_entries_lead_from_the_opening_to_what_is_asserted(world, form):
    trade(world)
    for month in (JANUARY, FEBRUARY):
        text = exported(world, month, form)
        moved, claimed = posted(text), asserted(text, form)
        assert {key: moved.get(key, 0) for key in claimed} == claimed
        assert set(moved) <= set(claimed)


def test_a_month_opens_with_what_the_month_before_closed_with(world, form):
    trade(world)
    opening = posted(
        exported(world, FEBRUARY, form), only=" opening" if form == "hledger" else '"opening"'
    )
    assert opening == {key: held for key, held in JANUARY_CLOSES.items() if held}


def test_the_first_month_opens_with_nothing(world, form):
    trade(world)
    assert "opening" not in exported(world, JANUARY, form)


def test_only_accounts_that_are_asserted_are_opened(world, form):
    trade(world)
    text = exported(world, FEBRUARY, form)
    word = "account " if form == "hledger" else "2026-01-31 open "
    opened = [line.removeprefix(word) for line in text.splitlines() if line.startswith(word)]
    assert sorted(opened) == sorted({account for account, _ in asserted(text, form)})


def test_one_version_of_a_month_is_always_the_same_text(world, form):
    trade(world)
    text = exported(world, JANUARY, form)
    sell(world, date(2026, 3, 1))
    assert exported(world, JANUARY, form) == text


def test_entries_stand_in_the_order_of_their_days(world, form):
    collect(world, date(2026, 1, 10), made_at="B", amount=43, cups=1)
    sell(world, date(2026, 1, 5))
    close(JANUARY)
    text = exported(world, JANUARY, form)
    assert text.index("2026-01-05 *") < text.index("2026-01-10 *")


def test_a_number_of_the_seal_stands_at_its_entry(world, form):
    _, entry_id = sell(world, date(2026, 1, 5))
    seal(entry_id, number=4711)
    close(JANUARY)
    text = exported(world, JANUARY, form)
    said = {
        "beancount": f'2026-01-05 * "sale" ^{entry_id}\n  seal: 4711\n',
        "hledger": f"2026-01-05 * (4711) sale  ; entry:{entry_id}\n",
    }
    assert said[form] in text


def test_a_late_reversal_names_what_it_reverses_and_the_day_it_belongs_to(world, form):
    redemption_id = trade(world)
    with transaction():
        void_id = db.session.scalar(select(Entry.id).where(Entry.kind == "void"))
    said = {
        "beancount": f'2026-02-05 * "void" ^{void_id} ^{redemption_id}\n'
        f'  occurred: 2026-01-20\n  reverses: "{redemption_id}"\n',
        "hledger": f"2026-02-05 * void  ; entry:{void_id}, occurred:2026-01-20, "
        f"reverses:{redemption_id}\n",
    }
    assert said[form] in exported(world, FEBRUARY, form)


def test_a_line_is_written_leg_by_leg_in_money_and_in_cups(world, form):
    collect(world, date(2026, 1, 20), made_at="A", amount=87, cups=2)
    close(JANUARY)
    legs = [
        "Liabilities:A:2131:X-eleven  87 TWD",
        "Liabilities:A:2131:X-eleven  2 CUPS",
        "Income:A:4111  -87 TWD",
        "Income:A:4111  -2 CUPS",
    ]
    text = exported(world, JANUARY, form)
    indent = "    " if form == "hledger" else "  "
    assert "".join(f"{indent}{leg}\n" for leg in legs) in text


def test_cups_paid_in_two_currencies_are_one_sum(world, form):
    sell(world, date(2026, 1, 5))
    sell(world, date(2026, 1, 6), currency="HKD")
    close(JANUARY)
    text = exported(world, JANUARY, form)
    claimed = asserted(text, form)
    assert claimed["Assets:A:1111", "TWD"] == claimed["Assets:A:1111", "HKD"] == 500
    assert claimed["Assets:A:1111", "CUPS"] == 22
    assert " commodity HKD" in text or "commodity 1000. HKD" in text


def test_what_no_offer_is_named_for_stands_by_itself(world, form):
    pairs = [Pair(world.stores["A"], policy.VOUCHERS, policy.BREAKAGE, 7)]
    book("adjustment", pairs, date(2026, 1, 5))
    close(JANUARY)
    claimed = asserted(exported(world, JANUARY, form), form)
    assert claimed["Liabilities:A:2131:None", "TWD"] == 7


def test_an_open_month_is_refused(world, form):
    sell(world, date(2026, 1, 5))
    with pytest.raises(PeriodState) as refused:
        exported(world, JANUARY, form)
    assert refused.value.facts == {"state": "open", "version": 1}


def test_an_open_month_is_written_if_that_is_said(world, form):
    trade(world)
    sell(world, date(2026, 4, 1))
    march_and_april = FEBRUARY.next().next()
    text = exported(world, march_and_april, form, is_provisional=True)
    assert "provisional: the month is not closed" in text
    assert asserted(text, form)["Assets:A:1111", "TWD"] == 500 - 87 + 500
    assert posted(text)["Assets:A:1111", "TWD"] == 500 - 87 + 500


def test_an_open_month_opens_with_all_that_was_booked_before_it(world, form):
    trade(world)
    sell(world, date(2026, 3, 31))
    april = exported(world, FEBRUARY.next().next(), form, is_provisional=True)
    assert posted(april, only="opening")["Assets:A:1111", "TWD"] == 500 - 87 + 500


def test_progress_is_told_day_by_day(world, form):
    trade(world)
    heard = []
    with snapshot():
        pieces = export.chunks(
            month=FEBRUARY, form=form, offers={}, progress=lambda *done: heard.append(done)
        )
        assert "".join(pieces)
    assert heard == [(day, 28) for day in range(1, 29)]
