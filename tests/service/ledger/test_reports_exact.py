"""Whatever was posted, folded, closed and reopened: reports say what all lines say."""

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.ids import new_id
from kernel.transaction import snapshot
from ledger import reports
from tests.conftest import empty_database
from tests.examples import examples
from tests.service.ledger import naive
from tests.service.ledger.stories import DAYS, MONTHS, STORIES, Books
from tests.world import small_world

BASES = ("booked", "occurred")


@given(story=STORIES, days=st.tuples(DAYS, DAYS))
@settings(max_examples=examples(3), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_report_says_what_all_lines_say(application, engines, now, story, days):
    with empty_database(application, engines):
        world = small_world(now)
        books = Books(list(world.stores.values())[:3], [new_id(), new_id()])
        for step in story:
            books.play(step)
        with snapshot():
            legs = naive.all_legs()
            check_roll_forwards(legs)
            check_days(legs, days)
            for month in MONTHS:
                check_month(legs, month, books)


def check_roll_forwards(legs):
    for basis in BASES:
        for month in MONTHS:
            rows = reports.roll_forward(month, basis=basis)
            naively = naive.roll_forward(legs, month, month, basis)
            assert [naive.said(row) for row in rows] == naively
        rows = reports.roll_forward_range(MONTHS[1], MONTHS[3], basis=basis)
        naively = naive.roll_forward(legs, MONTHS[1], MONTHS[3], basis)
        assert [naive.said(row) for row in rows] == naively


def check_days(legs, days):
    for day in (*days, *(month.last_on for month in MONTHS)):
        rows = reports.liability_on(day)
        found = {(row.store_id, row.account, row.currency): row[3:] for row in rows}
        assert found == naive.held(legs, day)
        assert all(row.difference == 0 for row in reports.control_liability(rows, on=day))
    first_on, last_on = sorted(days)
    trial = reports.trial_balance(first_on, last_on)
    found = {(row.account, row.currency): row[3:] for row in trial}
    assert found == naive.trial_balance(legs, first_on, last_on, None)
    assert all(row.difference == row.opening == 0 for row in reports.totals(trial))


def check_month(legs, month, books):
    matrix = reports.settlement_matrix(month)
    found = {(row.sold_at_id, row.made_at_id, row.currency): row[3:] for row in matrix}
    assert found == naive.settlement(legs, month)
    store = books.stores[0]
    statement = reports.settlement_statement(month, store_id=store)
    found = {row[:3]: row[3:8] for row in statement}
    assert found == naive.statement(legs, month, {store}, {})
    trial = reports.trial_balance(month.first_on, month.last_on, store_id=store)
    found = {(row.account, row.currency): row[3:] for row in trial}
    assert found == naive.trial_balance(legs, month.first_on, month.last_on, {store})
    vat = reports.vat_summary(month)
    found = {row[:3]: (row[3], row[4], row[6], row[7]) for row in vat}
    assert found == naive.vat(legs, month)
    controls = [
        *reports.control_settlement(matrix, month=month),
        *reports.control_vat(vat, month=month),
        *reports.control_roll_forward(reports.roll_forward(month), last=month),
    ]
    assert all(row.difference == 0 for row in controls)


@given(story=STORIES)
@settings(max_examples=examples(2), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_journal_holds_every_line_once_in_pages(application, engines, now, story):
    with empty_database(application, engines):
        world = small_world(now)
        books = Books(list(world.stores.values())[:3], [new_id(), new_id()])
        for step in story:
            books.play(step)
        with snapshot():
            lines = {(leg.line.entry_id, leg.line.ordinal) for leg in naive.all_legs()}
            listed, after = [], None
            while page := reports.journal(date(2026, 1, 1), date(2027, 1, 1), after=after, limit=3):
                listed += page
                after = page[-1].place
    assert [row.place for row in listed] == sorted(row.place for row in listed)
    assert len(listed) == len(lines)
    assert {(row.entry_id, row.ordinal) for row in listed} == lines
