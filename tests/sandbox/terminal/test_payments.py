"""Payments at a terminal."""

from collections.abc import Callable

import pytest

from tests.sandbox.provider import PUBLISHABLE_KEY, Provider
from tests.sandbox.terminal.conftest import Counter, new_id

TERMS = {"amount": 500, "currency": "TWD", "terminal": "A-1"}


def test_a_payment_waits_for_a_card(counter: Counter):
    asked = counter.ask_for(500, payment_id="a-first")

    assert asked == {
        "id": "a-first",
        "amount": 500,
        "currency": "TWD",
        "terminal": "A-1",
        "status": "waiting",
        "approval_code": None,
        "card": None,
        "refunded": 0,
        "reason": None,
    }
    assert counter.get("payments/a-first") == asked


def test_a_card_pays(counter: Counter):
    asked = counter.ask_for()

    counter.tap(asked["id"])

    paid = counter.get(f"payments/{asked['id']}")
    assert (paid["status"], paid["reason"]) == ("approved", None)
    assert paid["card"] == {"brand": "visa", "last4": "4242"}
    assert len(paid["approval_code"]) == 6


def test_a_card_is_declined(counter: Counter):
    asked = counter.ask_for()

    counter.tap(asked["id"], "declined")

    declined = counter.get(f"payments/{asked['id']}")
    assert (declined["status"], declined["reason"]) == ("declined", "card_declined")
    assert declined["approval_code"] is None


def test_the_same_payment_again_is_the_same_payment(counter: Counter):
    paid_id = counter.paid(500)

    again = counter.ask_for(500, payment_id=paid_id)

    assert (again["id"], again["status"]) == (paid_id, "approved")


@pytest.mark.parametrize("change", [{"amount": 501}, {"currency": "JPY"}, {"terminal": "B-2"}])
def test_other_terms_under_a_known_id_are_a_conflict(counter: Counter, change: dict[str, object]):
    asked = counter.ask_for(500)

    answer = counter.call("PUT", f"payments/{asked['id']}", json=TERMS | change)

    assert answer == (409, {"error": "conflict"})
    assert counter.get(f"payments/{asked['id']}") == asked


def test_a_waiting_payment_can_be_cancelled_and_takes_no_card_then(counter: Counter):
    asked = counter.ask_for()

    cancelled = counter.call("POST", f"payments/{asked['id']}/cancel")
    tapped = counter.call(
        "POST", f"test_helpers/payments/{asked['id']}/tap", json={"outcome": "approved"}
    )

    assert (cancelled[0], cancelled[1]["status"]) == (200, "cancelled")
    assert tapped == (409, {"error": "not_waiting"})


@pytest.mark.parametrize("outcome", ["approved", "declined"])
def test_what_a_card_has_decided_cannot_be_cancelled(counter: Counter, outcome: str):
    asked = counter.ask_for()
    counter.tap(asked["id"], outcome)

    status, shown = counter.call("POST", f"payments/{asked['id']}/cancel")

    assert (status, shown["status"]) == (200, outcome)


def test_cards_are_held_to_terminals_by_themselves_after_a_moment(counter: Counter):
    counter.provider.set_faults(terminal_taps=1, terminal_tap_ms=200)

    asked = counter.ask_for()

    assert asked["status"] == "waiting"
    assert counter.wait_for(asked["id"], "approved")["approval_code"]


def test_no_card_comes_by_itself_where_that_is_off(counter: Counter):
    counter.provider.set_faults(terminal_taps=0, terminal_tap_ms=0)

    asked = counter.ask_for()

    assert counter.get(f"payments/{asked['id']}")["status"] == "waiting"


def test_usually_that_moment_is_a_second(counter: Counter):
    counter.provider.reset_faults()

    shown = counter.provider.raw("GET", "/v1/test_helpers/faults").json()

    assert (shown["terminal_taps"], shown["terminal_tap_ms"]) == (1, 1_000)


def test_unknown_payments_and_addresses_are_not_found(counter: Counter):
    for method, path in (
        ("GET", "payments/nobodys"),
        ("POST", "payments/nobodys/cancel"),
        ("GET", "cards"),
        ("DELETE", f"payments/{counter.ask_for()['id']}"),
    ):
        assert counter.call(method, path) == (404, {"error": "not_found"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (TERMS | {"amount": 0}, "amount"),
        (TERMS | {"amount": -5}, "amount"),
        (TERMS | {"amount": 5.0}, "amount"),
        (TERMS | {"amount": "500"}, "amount"),
        (TERMS | {"amount": True}, "amount"),
        (TERMS | {"amount": 10**9}, "amount"),
        (TERMS | {"currency": "twd"}, "currency"),
        (TERMS | {"terminal": ""}, "terminal"),
        (TERMS | {"tip": 1}, "tip"),
        ({"amount": 500, "currency": "TWD"}, "terminal"),
        ([TERMS], "body"),
        (None, "body"),
    ],
)
def test_bad_terms_are_refused_by_name(counter: Counter, body: object, field: str):
    payment_id = new_id()

    answer = counter.call("PUT", f"payments/{payment_id}", json=body)

    assert answer == (400, {"error": "invalid", "field": field})
    assert counter.call("GET", f"payments/{payment_id}")[0] == 404


def test_bad_ids_and_bad_json_are_refused(counter: Counter):
    long, nonsense = "a" * 65, b"{"

    assert counter.call("PUT", f"payments/{long}", json=TERMS)[1]["field"] == "id"
    assert counter.call("PUT", "payments/a%20b", json=TERMS)[1]["field"] == "id"
    assert counter.call("PUT", f"payments/{new_id()}", content=nonsense)[1]["field"] == "body"


@pytest.mark.parametrize("key", [PUBLISHABLE_KEY, "sk_test_of_somebody_else", "no-key"])
def test_only_the_secret_key_opens(counter: Counter, key: str):
    answer = counter.call("PUT", f"payments/{new_id()}", json=TERMS, key=key)

    assert answer == (401, {"error": "unauthorized"})


def test_payments_survive_a_restart(own_counter: Callable[[], Counter], own_provider: Provider):
    counter = own_counter()
    paid_id, waiting = counter.paid(), counter.ask_for()
    before = [counter.get(f"payments/{one}") for one in (paid_id, waiting["id"])]

    own_provider.stop()
    counter = own_counter()

    assert [counter.get(f"payments/{one}") for one in (paid_id, waiting["id"])] == before
    assert counter.tap(waiting["id"])["status"] == "approved"
