"""The law's rules for invoices."""

from datetime import UTC, date, datetime, timedelta

import pytest

from invoicing import policy

SOLD_ON = date(2026, 1, 14)


@pytest.mark.parametrize(
    ("day", "first_on"),
    [
        (date(2026, 1, 1), date(2026, 1, 1)),
        (date(2026, 2, 28), date(2026, 1, 1)),
        (date(2026, 3, 1), date(2026, 3, 1)),
        (date(2026, 10, 31), date(2026, 9, 1)),
        (date(2026, 12, 31), date(2026, 11, 1)),
        (date(2028, 2, 29), date(2028, 1, 1)),
    ],
)
def test_a_day_is_filed_with_the_two_months_that_begin_with_an_odd_one(day, first_on):
    assert policy.filing_period(day) == first_on


@pytest.mark.parametrize(
    ("taken_back", "giving_back", "today", "by"),
    [
        (0, 500, SOLD_ON, "void"),
        (0, 500, date(2026, 2, 28), "void"),
        (0, 500, date(2026, 3, 1), "allowance"),
        (0, 500, date(2027, 1, 14), "allowance"),
        (0, 499, SOLD_ON, "allowance"),
        (100, 400, SOLD_ON, "allowance"),
    ],
)
def test_only_a_whole_invoice_of_the_same_two_months_is_void(taken_back, giving_back, today, by):
    chosen = policy.taken_back_by(
        gross=500, taken_back=taken_back, giving_back=giving_back, sold_on=SOLD_ON, today=today
    )
    assert chosen == by


@pytest.mark.parametrize(
    ("vat_code", "basis_points", "vat", "kind"),
    [
        ("standard", 500, 24, "taxable"),
        ("standard", 500, 0, "taxable"),
        ("standard", 0, 24, "taxable"),
        ("zero", 0, 0, "zero"),
        ("exempt", 0, 0, "exempt"),
        ("exempt", 500, 24, "taxable"),
    ],
)
def test_a_rate_says_what_the_tax_office_calls_a_line(vat_code, basis_points, vat, kind):
    assert policy.tax_type(vat_code=vat_code, basis_points=basis_points, vat=vat) == kind


def test_a_person_s_invoice_arrives_in_two_days_and_a_company_s_in_seven():
    made_at = datetime(2026, 1, 14, 4, tzinfo=UTC)
    to_person = policy.must_arrive_by(made_at, is_to_company=False)
    to_company = policy.must_arrive_by(made_at, is_to_company=True)
    assert to_person - made_at == timedelta(hours=48)
    assert to_company - made_at == timedelta(days=7)


def test_waits_grow_up_to_an_hour_and_never_end():
    now = datetime(2026, 1, 14, 4, tzinfo=UTC)
    waits = [
        (policy.next_try_at(tries=tries, now=now) - now).total_seconds()
        for tries in (1, 2, 3, 11, 12, 100_000)
    ]
    assert waits == [2, 4, 8, 2048, 3600, 3600]
