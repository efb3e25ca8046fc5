"""A member's clock over HTTP: an admin moves it, and for that member it is later."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel import clock
from kernel.ids import new_id
from subs import clock_jobs
from tests.club import Club, club_of
from tests.world import Till, World, bearer, key

pytestmark = pytest.mark.usefixtures("books_hold")

DAY_S = 24 * 3600


@pytest.fixture
def club(
    client: FlaskClient, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Club]:
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        yield made


@pytest.fixture
def alice(club: Club) -> dict[str, str]:
    """The headers of the subscriber."""
    return bearer(club.sign_in())


@pytest.fixture
def admin(club: Club) -> dict[str, str]:
    return club.world.open_office("admin")


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, **key()}


def address(club: Club) -> str:
    return f"/v1/sandbox/members/{club.member_id}/clock"


def advance(client: FlaskClient, club: Club, headers: dict[str, str], *, days: int) -> TestResponse:
    return client.post(
        f"{address(club)}/advance", json={"seconds": days * DAY_S}, headers=keyed(headers)
    )


def read(client: FlaskClient, club: Club, headers: dict[str, str]) -> dict[str, Any]:
    answer = client.get(address(club), headers=headers)
    assert answer.status_code == 200, answer.json
    body: dict[str, Any] = answer.get_json()
    return body


def scan(client: FlaskClient, club: Club, till: Till) -> TestResponse:
    """Alice shows her phone, which has everybody's time."""
    code = club.world.code(club.world.add_credential(club.member_id), at=clock.common())
    body = {"code": code, "product_id": str(club.world.products["latte"]), "cups": 1}
    return client.post("/v1/redemptions", json=body, headers=keyed(bearer(till.token)))


def test_a_clock_tells_where_it_goes_and_that_it_has_arrived(client, club, admin):
    club.subscribe()

    moved = advance(client, club, admin, days=40)
    clock_jobs.move_clocks()

    assert moved.status_code == 200
    assert moved.json["is_moving"] is True
    now = datetime.fromisoformat(read(client, club, admin)["now"])
    assert read(client, club, admin)["is_moving"] is False
    assert (
        timedelta(0) <= now - datetime.fromisoformat(moved.json["goal_at"]) < timedelta(minutes=1)
    )


def test_a_clock_that_was_never_moved_is_everybodys(client, club, admin):
    seen = read(client, club, admin)

    assert seen["is_moving"] is False
    assert seen["now"] == seen["goal_at"]


def test_a_retry_does_not_move_it_twice(client, club, admin):
    same = keyed(admin)
    for _ in range(2):
        client.post(f"{address(club)}/advance", json={"seconds": DAY_S}, headers=same)

    clock_jobs.move_clocks()

    ahead = datetime.fromisoformat(read(client, club, admin)["now"]) - club.now
    assert timedelta(hours=23) < ahead < timedelta(hours=25)


def test_a_year_of_a_plan_passes_for_the_member_and_shows(client, club, admin, alice):
    mine = club.subscribe()

    advance(client, club, admin, days=365)
    clock_jobs.move_clocks()

    seen = client.get(f"/v1/subscriptions/{mine}", headers=alice).json
    assert seen["status"] == "active"
    assert len(club.periods(mine)) == 13


def test_what_a_member_asks_for_happens_in_their_time(client, club, admin, alice):
    mine = club.subscribe()
    advance(client, club, admin, days=40)
    clock_jobs.move_clocks()

    body = {"at": "now", "reason": "moved"}
    client.post(f"/v1/subscriptions/{mine}/cancel", json=body, headers=keyed(alice))

    ended_at = club.subscription(mine).ended_at
    assert ended_at is not None
    assert ended_at - club.now > timedelta(days=39)


def test_cups_are_handed_over_in_the_members_time_by_a_code_in_everybodys(client, club, admin):
    club.subscribe()
    till = club.world.add_till("W")
    advance(client, club, admin, days=40)
    clock_jobs.move_clocks()

    handed = scan(client, club, till)

    assert handed.status_code == 201, handed.json
    redeemed_at = datetime.fromisoformat(handed.json["redeemed_at"])
    assert redeemed_at - club.now > timedelta(days=39)
    assert handed.json["left"] == 9


def test_cups_are_taken_back_in_the_members_time_too(client, club, admin):
    club.subscribe()
    till = club.world.add_till("W")
    advance(client, club, admin, days=40)
    clock_jobs.move_clocks()
    handed = scan(client, club, till).json

    undone = client.post(f"/v1/redemptions/{handed['id']}/void", headers=keyed(bearer(till.token)))

    assert undone.status_code == 200, undone.json
    assert undone.json["voided_at"] > undone.json["redeemed_at"]


def test_a_clock_goes_ten_years_ahead_at_most(client, club, admin):
    answers = [advance(client, club, admin, days=366) for _ in range(11)]

    assert [one.status_code for one in answers] == [200] * 10 + [409]
    assert answers[-1].json["reason"] == "clock-too-far"


@pytest.mark.parametrize("seconds", [0, -1, 366 * DAY_S + 1])
def test_a_clock_moves_forward_and_a_year_at_once(client, club, admin, seconds):
    answer = client.post(
        f"{address(club)}/advance", json={"seconds": seconds}, headers=keyed(admin)
    )

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


@pytest.mark.parametrize("role", ["clerk", "manager", "finance"])
def test_only_an_admin_moves_or_reads_it(client, club, role):
    other = club.world.open_office(role)

    assert advance(client, club, other, days=1).status_code == 403
    assert client.get(address(club), headers=other).status_code == 403


def test_a_member_does_not_move_it(client, club, alice):
    assert advance(client, club, alice, days=1).status_code == 401


def test_outside_the_sandbox_there_is_no_such_clock(client, club, admin, monkeypatch):
    monkeypatch.delenv("CLOCK_FILE")

    assert advance(client, club, admin, days=1).status_code == 404
    assert client.get(address(club), headers=admin).status_code == 404


def test_who_is_no_member_has_no_clock(client, club, admin):
    club.member_id = new_id()

    assert advance(client, club, admin, days=1).status_code == 404
    assert client.get(address(club), headers=admin).status_code == 404
