"""A member's subscriptions over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from subs.models import Subscription
from tests.api.frame.principals import bearer, member_token
from tests.club import Club, club_of
from tests.fakes import DECLINED, GOOD, LOST, WANTS_HOLDER
from tests.world import World

pytestmark = pytest.mark.usefixtures("books_hold")

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
        "cancel_reason": None,
        "next_plan": None,
        "pause": None,
        "current_period": {
            "number": 1,
            "starts_at": period.starts_at.isoformat(),
            "ends_at": period.ends_at.isoformat(),
        },
        "next_charge_at": period.ends_at.isoformat(),
        "wanted": None,
        "card": {"brand": "visa", "last4": "4242"},
        "client_secret": None,
        "started_at": period.starts_at.isoformat(),
        "ended_at": None,
    }


def test_a_change_that_is_to_come_is_shown(club: Club, client: FlaskClient, alice: dict[str, str]):
    mine, version_id = club.subscribe(), club.add_plan("large", price=899, cups=20)
    with transaction():
        db.session.get_one(Subscription, mine).next_version_id = version_id

    body = seen(client, mine, alice)

    assert (body["plan"]["code"], body["next_plan"]["code"]) == ("monthly", "large")
    assert body["next_plan"]["price"] == {"amount": 899, "currency": "TWD"}


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

    first = client.post(f"{ALL}/{mine}/cancel", json={}, headers=headers)
    again = client.post(f"{ALL}/{mine}/cancel", json={}, headers=headers)

    assert first.status_code == 200
    assert first.get_json()["cancel_at_end"] is True
    assert first.get_json()["next_charge_at"] is None
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_what_was_cancelled_can_be_kept(club: Club, client: FlaskClient, alice: dict[str, str]):
    mine = club.subscribe()
    client.post(f"{ALL}/{mine}/cancel", json={}, headers=keyed(alice))

    kept = client.post(f"{ALL}/{mine}/keep", headers=keyed(alice))

    assert kept.get_json()["cancel_at_end"] is False
    assert kept.get_json()["next_charge_at"] is not None


def test_a_past_due_plan_is_cancelled_at_once_and_a_second_time_refused(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = past_due(club)

    first = client.post(f"{ALL}/{mine}/cancel", json={}, headers=keyed(alice))
    second = client.post(f"{ALL}/{mine}/cancel", json={}, headers=keyed(alice))

    assert (first.status_code, first.get_json()["status"]) == (200, "cancelled")
    assert_problem(second, 409, "subscription-ended")
    assert second.get_json()["ended_as"] == "cancelled"


@pytest.mark.parametrize("verb", ["cancel", "keep", "resume"])
def test_a_verb_needs_a_key(club: Club, client: FlaskClient, alice: dict[str, str], verb: str):
    mine = club.subscribe()

    answer = client.post(f"{ALL}/{mine}/{verb}", json={}, headers=alice)

    assert_problem(answer, 400, "idempotency-key-missing")


def test_somebody_elses_subscription_is_not_found(club: Club, client: FlaskClient):
    mine = club.subscribe()
    bob = bearer(member_token())

    answers = [
        client.get(f"{ALL}/{mine}", headers=bob),
        client.post(f"{ALL}/{mine}/cancel", json={}, headers=keyed(bob)),
        client.get(f"{ALL}/{mine}/history", headers=bob),
        client.post(f"{ALL}/{mine}/keep", headers=keyed(bob)),
        client.put(f"{ALL}/{mine}/pause", json={"until": "2026-03-01"}, headers=bob),
        client.delete(f"{ALL}/{mine}/pause", headers=bob),
        client.post(f"{ALL}/{mine}/resume", headers=keyed(bob)),
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
    lapses_at = club.periods(mine)[-1].lapses_at.isoformat()
    assert body["wanted"] == {"what": "authentication", "until": lapses_at}
    assert body["next_charge_at"] is None


@pytest.mark.parametrize(
    "body", [{}, {"payment_method": ""}, {"payment_method": 1}, {"payment_method": "x", "to": 1}]
)
def test_a_malformed_card_is_refused(
    club: Club, client: FlaskClient, alice: dict[str, str], body: dict[str, Any]
):
    mine = club.subscribe()

    answer = client.put(f"{ALL}/{mine}/card", json=body, headers=alice)

    assert_problem(answer, 422, "validation")


def test_a_plan_is_cancelled_at_once_with_a_reason(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = club.subscribe()
    body = {"at": "now", "reason": "too_expensive"}

    answer = client.post(f"{ALL}/{mine}/cancel", json=body, headers=keyed(alice))

    shown = answer.get_json()
    assert (shown["status"], shown["cancel_reason"]) == ("cancelled", "too_expensive")
    assert shown["ended_at"] is not None
    assert shown["next_charge_at"] is None


@pytest.mark.parametrize(
    "body", [{"at": "later"}, {"at": None}, {"reason": "Alice"}, {"reason": 1}, {"why": "moved"}]
)
def test_a_malformed_cancelling_is_refused_and_cancels_nothing(
    club: Club, client: FlaskClient, alice: dict[str, str], body: dict[str, Any]
):
    mine = club.subscribe()

    answer = client.post(f"{ALL}/{mine}/cancel", json=body, headers=keyed(alice))

    assert_problem(answer, 422, "validation")
    assert club.subscription(mine).cancel_at_end is False


@pytest.fixture
def rested(club: Club) -> UUID:
    """A subscription that may be paused for 60 days."""
    club.add_plan("restful", most_pause_days=60)
    return club.subscribe("restful")


def pause_until(
    client: FlaskClient, mine: UUID, headers: dict[str, str], until: object
) -> TestResponse:
    return client.put(f"{ALL}/{mine}/pause", json={"until": until}, headers=headers)


def test_a_plan_is_paused_and_the_pause_is_shown_and_withdrawn(
    client: FlaskClient, alice: dict[str, str], rested: UUID
):
    asked = pause_until(client, rested, alice, "2026-03-01")
    withdrawn = [client.delete(f"{ALL}/{rested}/pause", headers=alice) for _ in range(2)]

    pause = {"begins_at": asked.json["pause"]["begins_at"], "ends_at": asked.json["next_charge_at"]}
    assert (asked.status_code, asked.json["pause"]) == (200, pause)
    assert pause["begins_at"] == asked.json["current_period"]["ends_at"]
    assert pause["ends_at"].startswith("2026-03-01T04:00:0")
    assert [answer.json["pause"] for answer in withdrawn] == [None, None]


def test_a_pause_is_ended_by_resuming(
    club: Club, client: FlaskClient, alice: dict[str, str], rested: UUID
):
    pause_until(client, rested, alice, "2026-03-01")
    club.go_to(club.periods(rested)[0].ends_at)
    club.renew()
    assert seen(client, rested, alice)["status"] == "paused"
    late = client.delete(f"{ALL}/{rested}/pause", headers=alice)

    resumed = client.post(f"{ALL}/{rested}/resume", headers=keyed(alice))
    club.renew()

    assert_problem(late, 409, "pause-begun")
    assert resumed.status_code == 200
    assert seen(client, rested, alice)["status"] == "active"


@pytest.mark.parametrize("until", ["2026-02-14", "2026-04-16", "1970-01-01", "9999-12-31"])
def test_a_day_that_is_not_offered_is_a_conflict_that_says_which_are(
    client: FlaskClient, alice: dict[str, str], rested: UUID, until: str
):
    answer = pause_until(client, rested, alice, until)

    assert_problem(answer, 409, "pause-days")
    assert (answer.json["first_on"], answer.json["last_on"]) == ("2026-02-15", "2026-04-15")


@pytest.mark.parametrize("until", [None, "", "tomorrow", "2026-02-30", "2026-03-01T00:00:00Z", 1])
def test_a_malformed_day_is_refused(
    client: FlaskClient, alice: dict[str, str], rested: UUID, until: object
):
    assert_problem(pause_until(client, rested, alice, until), 422, "validation")


def test_what_costs_nothing_has_no_next_charge(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    club.add_plan("free", price=0)

    assert seen(client, club.subscribe("free", price=0), alice)["next_charge_at"] is None


def test_what_cannot_be_paused_or_resumed_is_a_conflict(
    club: Club, client: FlaskClient, alice: dict[str, str], rested: UUID
):
    plain, ending = club.subscribe(), club.subscribe("restful")
    client.post(f"{ALL}/{ending}/cancel", json={}, headers=keyed(alice))

    never = pause_until(client, plain, alice, "2026-03-01")
    awake = client.post(f"{ALL}/{rested}/resume", headers=keyed(alice))

    assert_problem(never, 409, "pause-not-offered")
    assert_problem(pause_until(client, ending, alice, "2026-03-01"), 409, "plan-ends")
    assert_problem(awake, 409, "not-paused")
    assert (awake.json["status"], awake.json["state"]) == (409, "active")


def test_the_history_is_told_page_by_page_the_newest_first(
    club: Club, client: FlaskClient, alice: dict[str, str]
):
    mine = club.subscribe()
    body = {"reason": "moved"}
    client.post(f"{ALL}/{mine}/cancel", json=body, headers=keyed(alice))

    address = f"{ALL}/{mine}/history"
    page = client.get(address, query_string={"limit": "1"}, headers=alice).get_json()
    more = {"limit": "1", "cursor": page["next_cursor"]}
    rest = client.get(address, query_string=more, headers=alice).get_json()

    (asked,), (begun,) = page["items"], rest["items"]
    assert (asked["cause"], asked["from_status"], asked["to_status"]) == (
        "cancel_asked",
        "active",
        "active",
    )
    assert asked["facts"]["reason"] == "moved"
    assert (begun["cause"], begun["from_status"], begun["to_status"]) == (
        "started",
        None,
        "active",
    )
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=-1", "cursor=forged", "page=2"])
def test_a_malformed_page_is_refused(client: FlaskClient, alice: dict[str, str], query: str):
    assert_problem(client.get(f"{ALL}?{query}", headers=alice), 422, "validation")


def test_the_page_of_a_link_says_the_same_of_every_id(club: Club, client: FlaskClient):
    mine = club.subscribe()

    pages = [client.get(f"/s/{one}") for one in (mine, new_id())]

    assert {(page.status_code, page.mimetype, page.text) for page in pages} == {
        (200, "text/html", pages[0].text)
    }
    assert "您的訂閱方案" in pages[0].text
    assert "script" not in pages[0].text
    assert pages[0].headers["Referrer-Policy"] == "no-referrer"
