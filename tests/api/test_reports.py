"""Finance reads the books over HTTP; nobody else does."""

import csv
from io import BytesIO, StringIO
from urllib.parse import quote

import pytest
from openpyxl import load_workbook

REPORTS = ("/v1/reports/deferred-revenue", "/v1/reports/settlement")


def test_finance_reads_the_roll_forward_and_the_settlement(client, world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    world.take(world.add_till("B"), alice, 2)
    headers = world.open_office("finance")
    rolled = client.get(REPORTS[0] + "?period=2026-01", headers=headers).json
    (row,) = rolled["rows"]
    assert (row["opening"], row["sold"], row["redeemed"], row["closing"]) == (0, 476, 87, 389)
    assert (row["cups_sold"], row["cups_redeemed"], row["cups_closing"]) == (11, 2, 9)
    settled = client.get(REPORTS[1] + "?period=2026-01", headers=headers).json
    assert settled["rows"] == [
        {
            "sold_at_id": str(world.stores["A"]),
            "made_at_id": str(world.stores["B"]),
            "currency": "TWD",
            "cups": 2,
            "amount": 87,
        }
    ]


@pytest.mark.parametrize("report", REPORTS)
def test_finance_reads_the_same_rows_in_every_form(client, world, report):
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    world.take(world.add_till("B"), alice, 2)
    headers = world.open_office("finance")

    told, in_csv, in_xlsx = (
        client.get(f"{report}?period=2026-01&format={form}", headers=headers)
        for form in ("json", "csv", "xlsx")
    )

    name = report.rpartition("/")[2]
    for answer, ending in ((in_csv, "csv"), (in_xlsx, "xlsx")):
        named = f'attachment; filename="{name}-2026-01.{ending}"'
        assert answer.headers["Content-Disposition"] == named
    (row,) = told.json["rows"]
    lines = csv.reader(StringIO(in_csv.data.decode("utf-8-sig"), newline=""))
    assert list(lines) == [list(row), [str(value) for value in row.values()]]
    book = load_workbook(BytesIO(in_xlsx.data))
    cells = list(book["rows"].iter_rows(values_only=True))
    assert cells == [tuple(row), tuple(row.values())]
    about = {line[0]: line[1] for line in book["about"].iter_rows(values_only=True)}
    facts = {name: fact for name, fact in told.json.items() if name != "rows"}
    assert about.items() >= facts.items()


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_report_of_nothing_is_a_file_with_its_head(client, world, report, form):
    answer = client.get(
        f"{report}?period=2026-01&format={form}", headers=world.open_office("finance")
    )

    assert answer.status_code == 200
    if form == "csv":
        assert answer.data.count(b"\r\n") == 1
    else:
        assert load_workbook(BytesIO(answer.data))["rows"].max_row == 1


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize(
    "period", ["2999-01", "2026-13", "2026", "2026-1", "x", "2026-01-01", "０"]
)
def test_a_malformed_or_future_period_is_refused(client, world, report, period):
    answer = client.get(f"{report}?period={quote(period)}", headers=world.open_office("finance"))
    assert (answer.status_code, answer.json["reason"]) == (422, "period-invalid")


@pytest.mark.parametrize("report", REPORTS)
def test_a_missing_period_is_refused(client, world, report):
    answer = client.get(report, headers=world.open_office("finance"))
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


@pytest.mark.parametrize("report", REPORTS)
def test_managers_and_shoppers_do_not_read_the_books(client, world, report):
    refused = client.get(f"{report}?period=2026-01", headers=world.open_office("manager"))
    assert (refused.status_code, refused.json["reason"]) == (403, "forbidden")
    shopper = world.sign_in(world.add_member())
    assert client.get(f"{report}?period=2026-01", headers=shopper).status_code == 401
