"""Renewal rates over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from subs import jobs
from tests.api.frame.principals import bearer, member_token, office_token, staff
from tests.club import Club, club_of
from tests.world import World

RENEWALS = "/v1/stats/renewals"


@pytest.fixture
def club(
    client: FlaskClient, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Club]:
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        yield made


def at_a_desk(role: str = "finance") -> dict[str, str]:
    return bearer(office_token(staff_id=staff(role=role).id))


def test_the_rates_of_renewed_and_cancelled_plans_are_read(club: Club, client: FlaskClient):
    renewed, cancelled = club.subscribe(), club.subscribe()
    club.cancel(cancelled)
    club.go_to(club.periods(renewed)[0].ends_at)
    club.renew()
    club.pass_time(days=28, hours=1)
    jobs.refresh_renewal_rates()

    body = client.get(f"{RENEWALS}?from=2026-01&to=2026-02", headers=at_a_desk()).get_json()

    (row,) = body["items"]
    assert "renewed / due" in body["formula"]
    assert body["computed_at"] > row["matures_at"]
    del row["matures_at"]
    assert row == {
        "month": "2026-02",
        "plan": "monthly",
        "version": 1,
        "due": 2,
        "on_time": 1,
        "renewed": 1,
        "is_mature": True,
        "on_time_rate": "0.5000",
        "renewal_rate": "0.5000",
    }


def test_a_cohort_that_is_not_mature_has_counts_and_no_rates(club: Club, client: FlaskClient):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at + timedelta(hours=1))
    club.renew()
    jobs.refresh_renewal_rates()

    body = client.get(f"{RENEWALS}?from=2026-02&to=2026-02", headers=at_a_desk()).get_json()

    (row,) = body["items"]
    assert (row["due"], row["renewed"], row["is_mature"]) == (1, 1, False)
    assert (row["on_time_rate"], row["renewal_rate"]) == (None, None)


def test_months_without_a_cohort_are_an_empty_answer(club: Club, client: FlaskClient):
    body = client.get(f"{RENEWALS}?from=2025-01&to=2026-01", headers=at_a_desk()).get_json()

    assert (body["items"], body["computed_at"]) == ([], None)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?from=2026-01",
        "?from=2026-1&to=2026-01",
        "?from=2026-13&to=2026-01",
        "?from=0000-01&to=2026-01",
        "?from=2026-01-01&to=2026-01",
        "?from=２０２６-01&to=2026-01",
        "?from=2026-01&to=2026-02",
        "?from=2026-02&to=2026-01",
        "?from=2014-01&to=2026-01",
        "?from=2026-01&to=2026-01&plan=monthly",
    ],
)
def test_malformed_future_and_endless_months_are_refused(
    club: Club, client: FlaskClient, query: str
):
    answer = client.get(RENEWALS + query, headers=at_a_desk())

    assert (answer.status_code, answer.get_json()["reason"]) == (422, "validation")


def test_a_future_month_names_its_field(club: Club, client: FlaskClient):
    answer = client.get(f"{RENEWALS}?from=2026-01&to=2027-01", headers=at_a_desk())

    assert [error["field"] for error in answer.get_json()["errors"]] == ["to"]


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("manager", 403), ("clerk", 403)])
def test_only_finance_and_admin_read_figures(
    club: Club, client: FlaskClient, role: str, status: int
):
    answer = client.get(f"{RENEWALS}?from=2026-01&to=2026-01", headers=at_a_desk(role))

    assert answer.status_code == status


def test_a_shopper_or_nobody_reads_no_figures(club: Club, client: FlaskClient):
    query = f"{RENEWALS}?from=2026-01&to=2026-01"

    assert client.get(query).status_code == 401
    assert client.get(query, headers=bearer(member_token())).status_code == 401
