"""Refunds at a terminal."""

import threading

import pytest

from tests.sandbox.terminal.conftest import Counter, new_id


def test_parts_can_be_refunded_up_to_the_whole(counter: Counter):
    paid_id = counter.paid(500)

    part = counter.refund(paid_id, 100, refund_id="a-part")
    counter.refund(paid_id, 400)

    assert part == {
        "id": "a-part",
        "payment": paid_id,
        "amount": 100,
        "status": "done",
        "reason": None,
    }
    assert counter.get("refunds/a-part") == part
    shown = counter.get(f"payments/{paid_id}")
    assert (shown["refunded"], shown["status"]) == (500, "approved")


def test_more_than_is_left_fails(counter: Counter):
    paid_id = counter.paid(500)
    counter.refund(paid_id, 400)

    failed = counter.refund(paid_id, 101)

    assert (failed["status"], failed["reason"]) == ("failed", "more_than_paid")
    assert counter.get(f"payments/{paid_id}")["refunded"] == 400


def test_a_refund_again_is_the_same_refund(counter: Counter):
    paid_id, refund_id = counter.paid(500), new_id()

    first = counter.refund(paid_id, 200, refund_id=refund_id)
    again = counter.refund(paid_id, 200, refund_id=refund_id)

    assert again == first
    assert counter.get(f"payments/{paid_id}")["refunded"] == 200


def test_a_refund_that_failed_stays_failed(counter: Counter):
    asked, refund_id = counter.ask_for(500), new_id()
    before = counter.refund(asked["id"], 500, refund_id=refund_id)
    counter.tap(asked["id"])

    again = counter.refund(asked["id"], 500, refund_id=refund_id)

    assert (before["status"], before["reason"]) == ("failed", "not_paid")
    assert again == before
    assert counter.refund(asked["id"], 500)["status"] == "done"


def test_other_terms_under_a_known_id_are_a_conflict(counter: Counter):
    paid_id, refund_id = counter.paid(500), new_id()
    counter.refund(paid_id, 200, refund_id=refund_id)

    for terms in ({"payment": paid_id, "amount": 201}, {"payment": counter.paid(), "amount": 200}):
        answer = counter.call("PUT", f"refunds/{refund_id}", json=terms)
        assert answer == (409, {"error": "conflict"})


@pytest.mark.parametrize("outcome", ["declined", "cancelled"])
def test_what_was_not_paid_cannot_be_refunded(counter: Counter, outcome: str):
    asked = counter.ask_for()
    if outcome == "declined":
        counter.tap(asked["id"], "declined")
    else:
        counter.call("POST", f"payments/{asked['id']}/cancel")

    assert counter.refund(asked["id"], 1)["reason"] == "not_paid"


def test_unknown_refunds_and_payments_are_not_found(counter: Counter):
    terms = {"payment": "nobodys", "amount": 1}

    assert counter.call("GET", "refunds/nobodys") == (404, {"error": "not_found"})
    assert counter.call("PUT", f"refunds/{new_id()}", json=terms) == (404, {"error": "not_found"})


def test_racing_refunds_never_return_more_than_was_paid(counter: Counter):
    paid_id, done = counter.paid(500), list[int]()

    def refund() -> None:
        made = counter.refund(paid_id, 200)
        done.append(made["amount"] if made["status"] == "done" else 0)

    racers = [threading.Thread(target=refund) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert sorted(done) == [0, 0, 0, 0, 200, 200]
    assert counter.get(f"payments/{paid_id}")["refunded"] == 400
