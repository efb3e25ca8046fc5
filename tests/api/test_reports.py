"""Finance reads the books over HTTP; nobody else does."""

from urllib.parse import quote

import pytest

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
