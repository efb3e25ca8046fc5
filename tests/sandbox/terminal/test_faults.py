"""The sandbox's faults strike the terminals' provider, too."""

import time

from tests.sandbox.terminal.conftest import Counter, new_id

TERMS = {"amount": 500, "currency": "TWD", "terminal": "A-1"}
BROKEN = (500, {"error": "unavailable"})


def test_a_lost_answer_has_had_its_effect_and_its_id_finds_it(counter: Counter):
    payment_id = new_id()
    counter.provider.set_faults(fail_after_success=2)

    for _ in range(2):
        assert counter.call("PUT", f"payments/{payment_id}", json=TERMS) == BROKEN

    assert counter.get(f"payments/{payment_id}")["status"] == "waiting"
    assert counter.ask_for(500, payment_id=payment_id)["id"] == payment_id


def test_the_answer_to_a_refund_and_to_a_cancelling_can_be_lost(counter: Counter):
    paid_id, asked, refund_id = counter.paid(), counter.ask_for(), new_id()
    counter.provider.set_faults(fail_after_success=2)
    terms = {"payment": paid_id, "amount": 500}

    assert counter.call("PUT", f"refunds/{refund_id}", json=terms) == BROKEN
    assert counter.call("POST", f"payments/{asked['id']}/cancel") == BROKEN

    assert counter.refund(paid_id, 500, refund_id=refund_id)["status"] == "done"
    assert counter.get(f"payments/{paid_id}")["refunded"] == 500
    assert counter.get(f"payments/{asked['id']}")["status"] == "cancelled"


def test_a_call_that_fails_before_has_done_nothing(counter: Counter):
    payment_id = new_id()
    counter.provider.set_faults(fail_before=1)

    assert counter.call("PUT", f"payments/{payment_id}", json=TERMS) == BROKEN

    assert counter.call("GET", f"payments/{payment_id}")[0] == 404


def test_questions_and_taps_are_not_lost(counter: Counter):
    asked = counter.ask_for()
    counter.provider.set_faults(fail_after_success=1)

    assert counter.get(f"payments/{asked['id']}") == asked
    assert counter.tap(asked["id"])["status"] == "approved"
    assert counter.call("POST", f"payments/{asked['id']}/cancel") == BROKEN


def test_answers_can_be_late(counter: Counter):
    counter.provider.set_faults(latency_ms=300)
    started = time.monotonic()

    counter.ask_for()

    assert time.monotonic() - started >= 0.3
