"""What finance reads agrees with the worked examples, to the dollar."""

from datetime import date, timedelta
from uuid import UUID

import pytest

import chain
import ledger
import redemption
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import snapshot, transaction
from ledger import policy, reports
from ledger.errors import PeriodInvalid
from ledger.month import Month
from ledger.reports import Control, Owed, StatementLine
from ledger.service.fold import drain
from redemption.models import Redemption

JANUARY = Month(date(2026, 1, 1))
FEBRUARY = Month(date(2026, 2, 1))


@pytest.fixture
def traded(world):
    """E2 with the pack of 500: sold at A, 3 cups there, 2 at B in January, 1 at C in February."""
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    tills = {store: world.add_till(store) for store in "ABC"}
    world.take(tills["A"], alice, 3)
    world.take(tills["B"], alice, 2)
    world.take(tills["C"], alice, 1, now=world.now + timedelta(days=20))
    return tills


def read(report, *args, **said):
    with snapshot():
        return report(*args, **said)


def moved(row):
    """The numbers of a movement that are not 0."""
    return {
        name: value for name, value in row._asdict().items() if isinstance(value, int) and value
    }


def pay(world, payer, payee, amount, *, on):
    pairs = policy.settlement(
        payer_id=world.stores[payer], payee_id=world.stores[payee], amount=amount
    )
    with transaction():
        ledger.post(
            ledger.Event(
                member_id=UUID(int=0),
                kind="settlement",
                source_id=new_id(),
                pairs=pairs,
                event_at=world.now,
                occurred_on=on,
                currency="TWD",
            )
        )


@pytest.mark.parametrize("is_folded", [False, True])
def test_the_roll_forward_opens_where_the_last_one_closed(world, traded, is_folded):
    if is_folded:
        drain()
    (row,) = read(reports.roll_forward, JANUARY)
    assert row[:4] == (world.stores["A"], world.offers["eleven"][0], "2131", "TWD")
    assert moved(row) == {
        "sold": 476,
        "redeemed": 216,
        "closing": 260,
        "cups_sold": 11,
        "cups_redeemed": 5,
        "cups_closing": 6,
    }
    (row,) = read(reports.roll_forward, FEBRUARY)
    assert moved(row) == {
        "opening": 260,
        "redeemed": 44,
        "closing": 216,
        "cups_opening": 6,
        "cups_redeemed": 1,
        "cups_closing": 5,
    }


def test_the_roll_forward_of_some_months_opens_with_the_first_and_closes_with_the_last(traded):
    (row,) = read(reports.roll_forward_range, JANUARY, FEBRUARY)
    assert (row.opening, row.sold, row.redeemed, row.closing) == (0, 476, 260, 216)


def test_the_roll_forward_of_one_store_or_offer_is_a_part_of_the_whole(world, traded):
    offer_id = world.offers["eleven"][0]
    whole = read(reports.roll_forward, JANUARY)
    assert read(reports.roll_forward, JANUARY, store_id=world.stores["A"]) == whole
    assert read(reports.roll_forward, JANUARY, offer_id=offer_id) == whole
    assert read(reports.roll_forward, JANUARY, store_id=world.stores["B"]) == []
    assert read(reports.roll_forward, JANUARY, offer_id=new_id()) == []


@pytest.mark.parametrize(
    ("first", "last"), [(FEBRUARY, JANUARY), (Month(date(2023, 1, 1)), JANUARY)]
)
def test_a_range_that_is_turned_around_or_too_long_is_refused(world, first, last):
    with pytest.raises(PeriodInvalid), snapshot():
        reports.roll_forward_range(first, last)


def test_the_longest_range_is_three_years(world):
    assert read(reports.roll_forward_range, Month(date(2023, 2, 1)), JANUARY) == []


def test_the_settlement_names_who_owes_whom_by_month(world, traded):
    a, b, c = (world.stores[store] for store in "ABC")
    pay(world, "A", "B", 60, on=date(2026, 2, 10))
    assert read(reports.settlement_matrix, JANUARY) == [Owed(a, b, "TWD", 2, 86, 0, 0, 86)]
    assert sorted(read(reports.settlement_matrix, FEBRUARY)) == sorted(
        [Owed(a, b, "TWD", 0, 0, 60, 86, 26), Owed(a, c, "TWD", 1, 44, 0, 0, 44)]
    )


def test_a_statement_of_a_store_shows_both_directions(world, traded):
    a, b, c = (world.stores[store] for store in "ABC")
    pay(world, "A", "B", 60, on=date(2026, 2, 10))
    theirs = read(reports.settlement_statement, FEBRUARY, store_id=b)
    assert theirs == [StatementLine(a, "receivable", "TWD", 0, 86, 0, 0, 60, 26)]
    ours = read(reports.settlement_statement, FEBRUARY, store_id=a)
    assert sorted(ours) == sorted(
        [
            StatementLine(b, "payable", "TWD", 0, 86, 0, 0, 60, 26),
            StatementLine(c, "payable", "TWD", 1, 0, 44, 0, 0, 44),
        ]
    )


def test_a_statement_of_a_legal_entity_sums_stores_by_who_owns_them_in_the_month(world, traded):
    with transaction():
        entities = {store: chain.list_owners(world.stores[store])[0].entity.id for store in "ABC"}
        chain.set_owner(
            store_id=world.stores["C"], legal_entity_id=entities["B"], starts_on=FEBRUARY.first_on
        )
    january = read(reports.settlement_statement, JANUARY, legal_entity_id=entities["A"])
    assert january == [StatementLine(entities["B"], "payable", "TWD", 2, 0, 86, 0, 0, 86)]
    february = read(reports.settlement_statement, FEBRUARY, legal_entity_id=entities["A"])
    assert february == [StatementLine(entities["B"], "payable", "TWD", 1, 86, 44, 0, 0, 130)]
    theirs = read(reports.settlement_statement, FEBRUARY, legal_entity_id=entities["B"])
    assert theirs == [StatementLine(entities["A"], "receivable", "TWD", 1, 86, 44, 0, 0, 130)]
    assert read(reports.settlement_statement, FEBRUARY, legal_entity_id=entities["C"]) == []


def test_a_statement_is_of_one_store_or_one_legal_entity(world):
    with pytest.raises(ValueError, match="one store or of one legal entity"), snapshot():
        reports.settlement_statement(JANUARY)


def test_a_void_stands_in_a_column_of_its_own_and_takes_the_debt_back(world):
    alice, till = world.add_member(), world.add_till("B")
    world.add_lot(alice, "eleven", store="A")
    taken = world.take(till, alice, 2)
    with transaction():
        redemption.void(
            redemption_id=UUID(taken.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=world.now,
        )
    (row,) = read(reports.roll_forward, JANUARY)
    assert (row.sold, row.redeemed, row.voided, row.closing) == (476, 87, 87, 476)
    assert [owed.amount for owed in read(reports.settlement_matrix, JANUARY)] == [0]
    statement = read(reports.settlement_statement, JANUARY, store_id=world.stores["A"])
    assert [(row.owed, row.voided, row.closing) for row in statement] == [(87, 87, 0)]


def test_the_liability_can_be_read_as_of_any_past_day(world, traded):
    sold_on = world.now.date()
    held = {
        day: [row[1:] for row in read(reports.liability_on, day)]
        for day in (sold_on - timedelta(days=1), sold_on, sold_on + timedelta(days=20))
    }
    assert list(held.values()) == [
        [],
        [("2131", "TWD", 260, 6)],
        [("2131", "TWD", 216, 5)],
    ]


def test_the_liability_by_account_is_of_the_whole_chain(world, traded):
    world.add_lot(world.add_member(), "eleven", store="B")
    day = world.now.date()
    (row,) = read(reports.liability_on, day, by="account")
    assert row == (None, "2131", "TWD", 260 + 476, 6 + 11)
    (row,) = read(reports.liability_on, day, by="account", store_id=world.stores["B"])
    assert row.balance == 476


def test_the_trial_balance_shows_each_account_with_debits_positive(world, traded):
    rows = read(reports.trial_balance, JANUARY.first_on, JANUARY.last_on)
    assert {row.account: row[3:] for row in rows} == {
        "1111": (0, 500, 0, 500),
        "1171": (0, 86, 0, 86),
        "2131": (0, 216, 476, -260),
        "2171": (0, 0, 86, -86),
        "2194": (0, 0, 24, -24),
        "4111": (0, 0, 216, -216),
    }
    (total,) = reports.totals(rows)
    assert (total.opening, total.debit, total.difference, total.closing) == (0, 802, 0, 0)


def test_the_trial_balance_of_a_legal_entity_is_of_its_stores_in_the_month(world, traded):
    with transaction():
        ledger.install_chart()
        entity_id = chain.list_owners(world.stores["B"])[0].entity.id
    rows = read(reports.trial_balance, JANUARY.first_on, JANUARY.last_on, legal_entity_id=entity_id)
    assert [(row.account, row.kind, row.closing) for row in rows] == [
        ("1171", "asset", 86),
        ("4111", "income", -86),
    ]
    store_id = world.stores["A"]
    other = read(
        reports.trial_balance,
        JANUARY.first_on,
        JANUARY.last_on,
        legal_entity_id=entity_id,
        store_id=store_id,
    )
    assert other == []


def test_the_vat_summary_puts_the_tax_beside_what_it_belongs_to(world, traded):
    (row,) = read(reports.vat_summary, JANUARY)
    assert row[1:] == ("sale", "TWD", 476, 0, 476, 24, 0, 24)
    assert read(reports.vat_summary, FEBRUARY) == []


def test_a_refund_gives_vat_back_less_that_of_the_fee(world):
    """E3: 433 and 22 come back, 12 and 1 are kept."""
    lot = {"store_id": world.stores["A"], "offer_id": new_id(), "lot_id": new_id()}
    returned = policy.Returned(net=433, vat=22, cups=5, fee_net=12, fee_vat=1)
    with transaction():
        ledger.post(
            ledger.Event(
                member_id=new_id(),
                kind="refund",
                source_id=new_id(),
                pairs=policy.refund(returned, account="2131", **lot),
                event_at=world.now,
                occurred_on=FEBRUARY.first_on,
                currency="TWD",
            )
        )
    (row,) = read(reports.vat_summary, FEBRUARY)
    assert row[1:] == ("refund", "TWD", 12, 433, -421, 1, 22, -21)


def test_a_control_shows_the_difference(world, traded):
    drain()
    with snapshot():
        rows = reports.roll_forward(JANUARY)
        sound = reports.control_roll_forward(rows, last=JANUARY)
        short = reports.control_roll_forward([], last=JANUARY)
        mine = reports.control_roll_forward(rows, last=JANUARY, store_id=world.stores["A"])
    assert sound == mine == [Control("TWD", 260, 260, 0)]
    assert short == [Control("TWD", 0, 260, -260)]


def test_the_journal_leads_down_to_the_redemption(world, traded):
    drain()
    lines = read(
        reports.journal,
        JANUARY.first_on,
        JANUARY.last_on,
        store_id=world.stores["B"],
        account="4111",
        limit=9,
    )
    (line,) = lines
    assert (line.kind, line.debit, line.amount, line.number) == ("redemption", "1171", 86, 3)
    with snapshot():
        found = reports.get_entry(line.member_id, line.entry_id)
    assert [each.ordinal for each in found.lines] == [1, 2]
    assert (found.entry.source_id, found.number, found.reversed_by_id) == (line.source_id, 3, None)
    with transaction():
        handed = db.session.get(Redemption, (line.member_id, line.source_id))
    assert (handed.cups, handed.store_id) == (2, world.stores["B"])


def test_an_entry_names_what_reversed_it(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    with transaction():
        (sale,) = ledger.list_happenings(member_id=member_id, limit=9, before_id=None)
        reversal_id = ledger.reverse(
            member_id=member_id,
            entry_id=sale.id,
            event_at=world.now,
            known_on=world.now.date(),
        )
    found = read(reports.get_entry, member_id, sale.id)
    assert found.reversed_by_id == reversal_id
    assert found.number is None


def test_an_entry_that_is_not_there_is_not_found(world):
    with pytest.raises(NotFound), snapshot():
        reports.get_entry(new_id(), new_id())


@pytest.mark.parametrize(
    "period",
    ["", "2026", "2026-13", "2026-1", "2026-02", "26-01", "２０２６-01", "2026-01-01"],
)
def test_what_is_no_month_or_has_not_begun_is_refused(period):
    with pytest.raises(PeriodInvalid):
        Month.parse(period, today_on=date(2026, 1, 14))


def test_the_present_month_is_a_period():
    assert Month.parse("2026-01", today_on=date(2026, 1, 14)) == JANUARY
