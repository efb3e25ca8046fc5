"""A member's subscriptions over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel.ids import new_id
from tests.api.frame.principals import bearer, member_token
from tests.club import Club, club_of
from tests.fakes import DECLINED, GOOD, LOST, WANTS_HOLDER
from tests.world import World

ALL = "/v1/subscriptions"


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


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": new_id().hex}


def seen(client: FlaskClient, mine: UUID, headers: dict[str, str]) -> dict[str, Any]:
    answer = client.get(f"{ALL}/{mine}", headers=headers)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.get_json()
    return body


def past_due(club: Club, card: str = DECLINED) -> UUID:
    mine = club.subscribe(card=card)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    return mine


def assert_problem(answer: TestResponse, status: int, slug: str) -> None:
    assert (answer.status_code, answer.get_json()["reason"]) == (status, slug)


def test_a_subscription_shows_its_plan_period_next_charge_and_card(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = club.subscribe()

    body = seen(client, mine, alice)

    (period,) = club.periods(mine)
    assert body == {
        "id": str(mine),
        "plan": {
            "code": "monthly",
            "name": "monthly",
            "version": 1,
            "cups": 10,
            "price": {"amount": 499, "currency": "TWD"},
        },
        "status": "active",
        "cancel_at_end": False,
        "current_period": {
            "number": 1,
            "starts_at": period.starts_at.isoformat(),
            "ends_at": period.ends_at.isoformat(),
        },
        "next_charge_at": period.ends_at.isoformat(),
        "card": {"brand": "visa", "last4": "4242"},
        "client_secret": None,
        "started_at": period.starts_at.isoformat(),
        "ended_at": None,
    }


def test_the_list_is_paged_and_holds_only_ones_own(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    first, second = club.subscribe(), club.subscribe()

    page = client.get(ALL, query_string={"limit": "1"}, headers=alice).get_json()
    rest = client.get(
        ALL, query_string={"limit": "1", "cursor": page["next_cursor"]}, headers=alice
    ).get_json()
    others = client.get(ALL, headers=bearer(member_token())).get_json()

    assert [one["id"] for one in page["items"]] == [str(second)]
    assert [one["id"] for one in rest["items"]] == [str(first)]
    assert rest["next_cursor"] is None
    assert others == {"items": [], "next_cursor": None}


def test_cancelling_is_scheduled_and_a_retry_replays_it(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = club.subscribe()
    headers = keyed(alice)

    first = client.post(f"{ALL}/{mine}/cancel", headers=headers)
    again = client.post(f"{ALL}/{mine}/cancel", headers=headers)

    assert first.status_code == 200
    assert first.get_json()["cancel_at_end"] is True
    assert first.get_json()["next_charge_at"] is None
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_what_was_cancelled_can_be_kept(club: Club, client: FlaskClient, alice: dict[str, str]):
    mine = club.subscribe()
    client.post(f"{ALL}/{mine}/cancel", headers=keyed(alice))

    kept = client.post(f"{ALL}/{mine}/keep", headers=keyed(alice))

    assert kept.get_json()["cancel_at_end"] is False
    assert kept.get_json()["next_charge_at"] is not None


def test_a_past_due_plan_is_cancelled_at_once_and_a_second_time_refused(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = past_due(club)

    first = client.post(f"{ALL}/{mine}/cancel", headers=keyed(alice))
    second = client.post(f"{ALL}/{mine}/cancel", headers=keyed(alice))

    assert (first.status_code, first.get_json()["status"]) == (200, "cancelled")
    assert_problem(second, 409, "subscription-ended")
    assert second.get_json()["ended_as"] == "cancelled"


@pytest.mark.parametrize("verb", ["cancel", "keep"])
def test_a_verb_needs_a_key(club: Club, client: FlaskClient, alice: dict[str, str], verb: str):
    mine = club.subscribe()

    answer = client.post(f"{ALL}/{mine}/{verb}", headers=alice)

    assert_problem(answer, 400, "idempotency-key-missing")


def test_somebody_elses_subscription_is_not_found(club: Club, client: FlaskClient):
    mine = club.subscribe()
    bob = bearer(member_token())

    answers = [
        client.get(f"{ALL}/{mine}", headers=bob),
        client.post(f"{ALL}/{mine}/cancel", headers=keyed(bob)),
        client.post(f"{ALL}/{mine}/keep", headers=keyed(bob)),
        client.put(f"{ALL}/{mine}/card", json={"payment_method": GOOD}, headers=bob),
    ]

    for answer in answers:
        assert_problem(answer, 404, "not-found")
    assert club.subscription(mine).cancel_at_end is False


def test_junk_for_an_id_is_not_found(client: FlaskClient, alice: dict[str, str]):
    assert_problem(client.get(f"{ALL}/junk", headers=alice), 404, "not-found")


def test_nobody_reads_without_signing_in(club: Club, client: FlaskClient):
    mine = club.subscribe()

    assert_problem(client.get(ALL), 401, "unauthenticated")
    assert_problem(client.get(f"{ALL}/{mine}"), 401, "unauthenticated")


def test_another_card_is_charged_at_once_when_past_due(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = past_due(club, LOST)
    assert seen(client, mine, alice)["next_charge_at"] is None

    answer = client.put(f"{ALL}/{mine}/card", json={"payment_method": GOOD}, headers=alice)
    club.renew()

    assert answer.status_code == 200
    assert seen(client, mine, alice)["status"] == "active"
    assert len(club.lots()) == 2


def test_a_card_that_is_refused_or_wants_its_holder_is_a_conflict(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = club.subscribe()

    refused = client.put(f"{ALL}/{mine}/card", json={"payment_method": LOST}, headers=alice)
    wanting = client.put(f"{ALL}/{mine}/card", json={"payment_method": WANTS_HOLDER}, headers=alice)

    assert refused.get_json()["reason"] == "card-declined"
    assert wanting.get_json()["reason"] == "card-needs-authentication"


def test_a_payment_that_waits_for_its_holder_shows_how_to_authenticate_it(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = past_due(club, WANTS_HOLDER)

    body = seen(client, mine, alice)

    (payment,) = club.asked()
    assert (body["status"], body["client_secret"]) == ("past_due", payment.client_secret)


@pytest.mark.parametrize(
    "body", [{}, {"payment_method": ""}, {"payment_method": 1}, {"payment_method": "x", "to": 1}]
)
def test_a_malformed_card_is_refused(
    club: Club, client: FlaskClient, alice: dict[str, str], body: dict[str, Any]
):
    mine = club.subscribe()

    answer = client.put(f"{ALL}/{mine}/card", json=body, headers=alice)

    assert_problem(answer, 422, "validation")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=-1", "cursor=forged", "page=2"])
def test_a_malformed_page_is_refused(client: FlaskClient, alice: dict[str, str], query: str):
    assert_problem(client.get(f"{ALL}?{query}", headers=alice), 422, "validation")
