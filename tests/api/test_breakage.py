"""Estimates of breakage over HTTP, and what was booked by them."""

from typing import Any

import pytest

from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from tests.api.months import close

ESTIMATES, RUNS = "/v1/breakage-estimates", "/v1/breakage-runs"


def estimate(desk: Desk, **changed: Any):
    said = {
        "offer_id": desk.offer("eleven"),
        "period": "2026-01",
        "method": "proportional",
        "basis_points": 1_000,
        "reason": "Of last year's packs a tenth was never collected.",
        **changed,
    }
    return desk.put(ESTIMATES, **said)


def test_an_estimate_is_made_and_made_anew_as_a_version(desk: Desk) -> None:
    first = estimate(desk)
    assert first.status_code == 200
    assert (first.json["version"], first.json["basis_points"]) == (1, 1_000)

    second = estimate(desk, basis_points=800)

    assert second.json["version"] == 2
    assert desk.get(ESTIMATES).json["items"] == [second.json, first.json]


@pytest.mark.parametrize(("method", "basis_points"), [("off", 1), ("remote", 1)])
def test_only_a_proportional_estimate_has_a_rate(
    desk: Desk, method: str, basis_points: int
) -> None:
    refused = estimate(desk, method=method, basis_points=basis_points)

    assert_problem(refused, 422, "estimate-invalid")


@pytest.mark.parametrize("unsaid", [{}, {"basis_points": None}])
def test_a_proportional_estimate_has_a_rate(desk: Desk, unsaid: dict) -> None:
    said = {"offer_id": desk.offer("eleven"), "period": "2026-01", "reason": "Last year's packs."}

    refused = desk.put(ESTIMATES, **said, **unsaid, method="proportional")

    assert wrong_fields(refused) == ["basis_points"]
    assert desk.put(ESTIMATES, **said, **unsaid, method="off").json["basis_points"] == 0
    assert estimate(desk, basis_points=0).json["basis_points"] == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"method": "guess"}, "method"),
        ({"basis_points": 10_000}, "basis_points"),
        ({"basis_points": -1}, "basis_points"),
        ({"reason": ""}, "reason"),
        ({"offer_id": "x"}, "offer_id"),
    ],
)
def test_what_is_no_estimate_is_refused(desk: Desk, changed: dict, field: str) -> None:
    assert wrong_fields(estimate(desk, **changed)) == [field]


@pytest.mark.parametrize(
    "period", ["2026-13", "0000-01", "99999-01", "2026-02", "2026", "２０２６-01"]
)
def test_a_period_that_is_none_is_refused(desk: Desk, period: str) -> None:
    assert_problem(estimate(desk, period=period), 422, "period-invalid")
    assert_problem(desk.get(f"{RUNS}?period={period}"), 422, "period-invalid")


def test_an_offer_that_is_not_there_is_not_estimated(desk: Desk) -> None:
    assert wrong_fields(estimate(desk, offer_id=NOBODYS)) == ["offer_id"]


def test_a_closed_months_estimate_stays(desk: Desk) -> None:
    desk.sell(desk.world.add_member())
    close(desk, "2026-01")

    assert_problem(estimate(desk), 409, "period-closed")
    assert estimate(desk, period="2026-02").status_code == 200


def test_what_a_month_booked_is_read_with_its_figures(desk: Desk) -> None:
    alice = desk.world.add_member()
    desk.sell(alice)
    desk.world.take(desk.world.add_till("A"), alice, 4)
    estimate(desk)
    close(desk, "2026-01")

    (row,) = desk.get(f"{RUNS}?period=2026-01").json["rows"]

    assert (row["sold"], row["cups_sold"], row["redeemed"], row["cups_redeemed"]) == (
        476,
        11,
        173,
        4,
    )
    # 476 × 4 ÷ 9.9 is 192, of which 173 left with the cups.
    assert (row["recognised"], row["amount"], row["estimate_version"], row["run"]) == (19, 19, 1, 1)
    assert row["entry_id"] is not None
    csv = desk.get(f"{RUNS}?period=2026-01&format=csv")
    assert csv.text.splitlines()[1].startswith(
        f"{desk.offer('eleven')},{desk.store('A')},2131,1,1,476"
    )


def test_a_month_without_estimates_booked_nothing(desk: Desk) -> None:
    assert desk.get(f"{RUNS}?period=2026-01").json == {"period": "2026-01", "rows": []}
