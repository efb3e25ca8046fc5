"""Statistics over HTTP."""

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from kernel import clock
from subs.statistics import jobs
from tests.api.frame.principals import bearer, member_token, office_token, staff
from tests.examples import in_turn
from tests.kept import Kept
from tests.service.subs.lives import MONTH, Lives
from tests.world import World

RENEWALS = "/v1/stats/renewals"
EVERY = ("renewals", "yearly-renewals", "revenue", "trials", "dunning", "endings", "cohorts")
SPAN = "?from=2026-01&to=2026-03"


@pytest.fixture
def lives(
    client: FlaskClient, world: World, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since 14 January: one who stays, one who leaves after a month, one on trial; it is April."""
    offset = tmp_path / "clock"
    ahead = world.now + 3 * MONTH + timedelta(days=2) - clock.now()
    offset.write_text(f"{ahead.total_seconds()}\n", encoding="ascii")
    monkeypatch.setenv("CLOCK_FILE", str(offset))
    kept.once("three_lives", lambda: _live(world))


def _live(world: World) -> None:
    made = Lives(world)
    made.add_plan()
    staying, leaving = (made.begin(at=world.now) for _ in range(2))
    staying.pay_months(1, 4, since=world.now)
    leaving.end(leaving.pay_months(1, 1, since=world.now), reason="moved")
    trying = made.begin(at=world.now, trial_until=world.now + timedelta(days=7), channel="web")
    trying.tell("trialing", "past_due", "renewal_failed", at=world.now + timedelta(days=7))
    trying.end(world.now + MONTH, cause="not_paid", before="past_due")
    jobs.count_all_months()


def at_a_desk(role: str = "finance") -> dict[str, str]:
    return bearer(office_token(staff_id=staff(role=role).id))


def read(client: FlaskClient, name: str, query: str = SPAN) -> dict[str, Any]:
    answer = client.get(f"/v1/stats/{name}{query}", headers=at_a_desk())
    assert answer.status_code == 200, answer.get_json()
    body: dict[str, Any] = answer.get_json()
    return body


def test_renewal_rates_are_read_with_their_formula(lives: None, client: FlaskClient):
    body = read(client, "renewals")

    formulas = {one["figure"]: one["formula"] for one in body["formulas"]}
    assert formulas["renewal_rate"].startswith("renewed / due")
    february, march = body["rows"]
    assert body["computed_at"] > february.pop("matures_at")
    assert february == {
        "month": "2026-02", "plan": None, "version": None, "store_id": None, "store": None,
        "channel": None, "due": 2, "on_time": 1, "renewed": 1, "is_mature": True,
        "on_time_rate": "0.5000", "renewal_rate": "0.5000",
    }  # fmt: skip
    assert (march["month"], march["due"], march["is_mature"]) == ("2026-03", 1, True)


def test_a_cohort_that_is_not_mature_has_counts_and_no_rates(lives: None, client: FlaskClient):
    (row,) = read(client, "renewals", "?from=2026-04&to=2026-04")["rows"]

    assert (row["due"], row["renewed"], row["is_mature"]) == (1, 1, False)
    assert (row["on_time_rate"], row["renewal_rate"]) == (None, None)


def test_revenue_adds_up(lives: None, client: FlaskClient):
    january, february, march = read(client, "revenue")["rows"]

    assert (january["new"], january["closing"], january["currency"]) == (1000, 1000, "TWD")
    assert (february["opening"], february["churn"], february["closing"]) == (1000, 500, 500)
    assert (february["gross_retention"], february["logo_churn"]) == ("0.5000", "0.5000")
    assert (march["net_retention"], march["revenue_churn"]) == ("1.0000", "0.0000")


def test_trials_dunning_and_reasons_are_read(lives: None, client: FlaskClient):
    (trial,) = read(client, "trials")["rows"]
    (dunned,) = read(client, "dunning")["rows"]
    cancelled, lapsed = read(client, "endings")["rows"]

    assert (trial["started"], trial["converted"], trial["conversion_rate"]) == (1, 0, "0.0000")
    assert (dunned["begun"], dunned["recovered"], dunned["recovery_rate"]) == (1, 0, "0.0000")
    assert (cancelled["reason"], cancelled["ended"], cancelled["share"]) == ("moved", 1, "0.5000")
    assert (lapsed["cause"], lapsed["reason"]) == ("not_paid", "not_paid")


def test_cohorts_are_read_up_to_an_age(lives: None, client: FlaskClient):
    rows = read(client, "cohorts", "?from=2026-01&to=2026-01&ages=2&channel=app")["rows"]

    assert [(row["age"], row["retained"], row["retention"]) for row in rows] == [
        (0, 2, "1.0000"),
        (1, 1, "0.5000"),
        (2, 1, "0.5000"),
    ]


def test_figures_are_told_apart_by_what_is_asked(lives: None, client: FlaskClient):
    by_store = read(client, "revenue", f"{SPAN}&by=store&plan=monthly")["rows"]
    by_plan = read(client, "renewals", f"{SPAN}&by=version")["rows"]

    assert {(row["store"], row["plan"]) for row in by_store} == {("W", None)}
    assert {(row["plan"], row["version"]) for row in by_plan} == {("monthly", 1)}


def test_yearly_renewals_are_none_where_there_is_no_yearly_plan(lives: None, client: FlaskClient):
    assert read(client, "yearly-renewals")["rows"] == []


@pytest.mark.parametrize("name", EVERY)
def test_every_statistic_is_a_csv_file_too(lives: None, client: FlaskClient, name: str):
    answer = client.get(f"/v1/stats/{name}{SPAN}&format=csv", headers=at_a_desk())

    lines = csv.DictReader(StringIO(answer.get_data(as_text=True).lstrip("\ufeff")))
    assert answer.content_type == "text/csv; charset=utf-8"
    assert list(lines) == [
        {column: _in_csv(value) for column, value in row.items()}
        for row in read(client, name)["rows"]
    ]
    assert (lines.fieldnames or [])[:2] == ["month", "plan"]


def _in_csv(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


@pytest.mark.parametrize("name", EVERY)
def test_every_rate_states_its_formula(lives: None, client: FlaskClient, name: str):
    answer = client.get(f"/v1/stats/{name}{SPAN}&format=csv", headers=at_a_desk())
    columns = answer.get_data(as_text=True).lstrip("\ufeff").splitlines()[0].split(",")

    stated = {one["figure"] for one in read(client, name)["formulas"] if one["formula"]}

    ends = ("rate", "retention", "churn", "share")
    rates = {column for column in columns if column.endswith(ends) and column != "churn"}
    assert rates
    assert rates <= stated


REFUSED = (
    "",
    "?from=2026-01",
    "?from=2026-1&to=2026-01",
    "?from=2026-13&to=2026-01",
    "?from=0000-01&to=2026-01",
    "?from=2026-01-01&to=2026-01",
    "?from=２０２６-01&to=2026-01",
    "?from=2026-02&to=2026-01",
    "?from=2023-01&to=2026-01",
    "?from=2026-01&to=2026-01&by=member",
    "?from=2026-01&to=2026-01&store_id=1",
    "?from=2026-01&to=2026-01&channel=post",
    "?from=2026-01&to=2026-01&cups=1",
)


@pytest.mark.in_turn
@pytest.mark.parametrize(("turn", "name"), list(enumerate(EVERY)), ids=EVERY)
def test_malformed_and_endless_questions_are_refused(client: FlaskClient, turn: int, name: str):
    desk = at_a_desk()
    for query in in_turn(REFUSED, turn):
        answer = client.get(f"/v1/stats/{name}{query}", headers=desk)
        assert (answer.status_code, answer.get_json()["reason"]) == (422, "validation"), query


@pytest.mark.parametrize("by", ["month", "plan", "version", "store", "channel"])
@pytest.mark.parametrize("name", EVERY)
def test_every_statistic_is_told_apart_by_the_same(
    lives: None, client: FlaskClient, name: str, by: str
):
    ages = "&ages=2" if name == "cohorts" else ""
    rows = read(client, name, f"{SPAN}&by={by}{ages}")["rows"]

    told_apart = {"month": None, "plan": "plan", "version": "version"}.get(by, by)
    assert all(told_apart is None or row[told_apart] is not None for row in rows)
    assert rows or name in {"yearly-renewals", "trials", "dunning"}


@pytest.mark.parametrize("query", ["by=store&ages=36", "ages=37", "ages=-1", "ages=x"])
def test_cohorts_of_all_stores_and_of_any_age_are_refused(client: FlaskClient, query: str):
    answer = client.get(f"/v1/stats/cohorts{SPAN}&{query}", headers=at_a_desk())

    assert (answer.status_code, answer.get_json()["reason"]) == (422, "validation")


def test_a_future_month_names_its_field(lives: None, client: FlaskClient):
    answer = client.get(f"{RENEWALS}?from=2026-01&to=2026-05", headers=at_a_desk())

    assert [error["field"] for error in answer.get_json()["errors"]] == ["to"]


def test_before_anything_was_counted_there_is_nothing(world: World, client: FlaskClient):
    for name in EVERY:
        body = read(client, name, "?from=2026-01&to=2026-01")
        assert (body["rows"], body["computed_at"]) == ([], None)


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("manager", 403), ("clerk", 403)])
def test_only_finance_and_admin_read_figures(
    world: World, client: FlaskClient, role: str, status: int
):
    for name in EVERY:
        answer = client.get(f"/v1/stats/{name}?from=2026-01&to=2026-01", headers=at_a_desk(role))
        assert answer.status_code == status


def test_a_shopper_or_nobody_reads_no_figures(world: World, client: FlaskClient):
    query = f"{RENEWALS}?from=2026-01&to=2026-01"

    assert client.get(query).status_code == 401
    assert client.get(query, headers=bearer(member_token())).status_code == 401
