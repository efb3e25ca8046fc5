"""Changes of plan over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel.ids import new_id
from tests.api.frame.principals import bearer
from tests.club import Club, club_of
from tests.fakes import DECLINED, WANTS_HOLDER
from tests.world import World

pytestmark = pytest.mark.usefixtures("books_hold")


@pytest.fixture
def club(
    client: FlaskClient, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Club]:
    with club_of(world, offset=tmp_path / "clock", environment=monkeypatch) as made:
        made.add_plan("ten", every="day", every_count=30)
        made.add_plan("twenty", every="day", every_count=30, price=899, cups=20)
        yield made


@pytest.fixture
def alice(club: Club) -> dict[str, str]:
    """The headers of the subscriber."""
    return bearer(club.sign_in())


def address(mine: UUID) -> str:
    return f"/v1/subscriptions/{mine}/change"


def body(club: Club, code: str, at: str = "now") -> dict[str, Any]:
    return {"offer_id": str(club.world.offers[code][0]), "at": at}


def halfway(club: Club, **how: Any) -> UUID:
    mine = club.subscribe("ten", **how)
    club.pass_time(days=15)
    return mine


def assert_problem(answer: TestResponse, status: int, slug: str) -> None:
    assert (answer.status_code, answer.get_json()["reason"]) == (status, slug)


def twd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "TWD"}


def test_a_preview_says_line_by_line_what_a_change_costs_and_why(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = halfway(club)

    answer = client.post(f"{address(mine)}/preview", json=body(club, "twenty"), headers=alice)

    assert answer.status_code == 200
    seen = answer.get_json()
    assert (seen["amount"], seen["net"], seen["vat"]) == (twd(200), twd(190), twd(10))
    assert [(line["code"], line["amount"]) for line in seen["lines"]] == [
        ("new_plan", twd(450)),
        ("old_plan", twd(-250)),
    ]
    assert "15" in seen["lines"][0]["why"]
    assert (seen["days_left"], seen["days"]) == (15, 30)
    assert (seen["cups_left"], seen["cups_after"]) == (10, 15)
    assert seen["plan"]["code"] == "twenty"


def test_a_preview_of_a_change_at_the_end_costs_nothing_now(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = halfway(club)

    seen = client.post(
        f"{address(mine)}/preview", json=body(club, "twenty", "end"), headers=alice
    ).get_json()

    assert (seen["at"], seen["amount"], seen["lines"]) == ("end", twd(0), [])
    assert seen["takes_effect_at"] == club.periods(mine)[0].ends_at.isoformat()


def test_a_change_at_once_is_charged_and_made(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = halfway(club)

    answer = client.put(address(mine), json=body(club, "twenty"), headers=alice)

    assert answer.status_code == 200
    made = answer.get_json()
    assert (made["status"], made["amount"], made["client_secret"]) == ("applied", twd(200), None)
    shown = client.get(f"/v1/subscriptions/{mine}", headers=alice).get_json()
    assert shown["plan"]["code"] == "twenty"
    assert client.get(address(mine), headers=alice).status_code == 404


def test_asking_twice_charges_once(club: Club, client: FlaskClient, alice: dict[str, str]):
    mine = halfway(club)

    answers = [client.put(address(mine), json=body(club, "twenty"), headers=alice) for _ in "12"]

    assert [one.get_json()["status"] for one in answers] == ["applied", "applied"]
    assert club.charges == 1


def test_a_change_at_the_end_is_planned_shown_and_withdrawn(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = halfway(club)

    made = client.put(address(mine), json=body(club, "twenty", "end"), headers=alice).get_json()

    assert (made["at"], made["status"], made["amount"]) == ("end", "planned", twd(0))
    assert client.get(address(mine), headers=alice).get_json() == made
    gone = client.delete(address(mine), headers=alice)
    assert (gone.status_code, gone.get_json()["plan"]["code"]) == (200, "ten")
    assert client.get(address(mine), headers=alice).status_code == 404
    assert_problem(client.delete(address(mine), headers=alice), 409, "no-change-asked")


def test_a_change_that_waits_for_its_holder_gives_them_the_secret(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = halfway(club, card=WANTS_HOLDER)

    made = client.put(address(mine), json=body(club, "twenty"), headers=alice).get_json()

    assert made["status"] == "asked"
    assert made["client_secret"] is not None
    assert client.get(address(mine), headers=alice).get_json() == made


def test_a_refused_card_is_told(club: Club, client: FlaskClient, alice: dict[str, str]):
    mine = halfway(club, card=DECLINED)

    answer = client.put(address(mine), json=body(club, "twenty"), headers=alice)

    assert_problem(answer, 402, "payment-declined")


def test_what_cannot_be_is_told_why(club: Club, client: FlaskClient, alice: dict[str, str]):
    club.add_plan("monthly two", price=899)
    mine = halfway(club)

    answer = client.put(address(mine), json=body(club, "monthly two"), headers=alice)

    assert_problem(answer, 409, "change-only-at-end")
    assert answer.get_json()["why"] == "interval"
    again = client.put(address(mine), json=body(club, "ten"), headers=alice)
    assert_problem(again, 409, "same-plan")


def test_somebody_elses_plan_is_not_there(club: Club, client: FlaskClient, alice: dict[str, str]):
    nobodys = new_id()
    answers = [
        client.get(address(nobodys), headers=alice),
        client.put(address(nobodys), json=body(club, "twenty"), headers=alice),
        client.delete(address(nobodys), headers=alice),
        client.post(f"{address(nobodys)}/preview", json=body(club, "twenty"), headers=alice),
    ]
    assert [one.status_code for one in answers] == [404] * 4
