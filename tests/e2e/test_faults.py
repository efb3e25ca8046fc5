"""Whatever is killed in the middle and started again: everything happens, and happens once.

In the middle means here: the provider has taken the money, and its answer is still on the way.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from dev.tour.tour import PLAN, Tour
from kernel import clock
from tests.e2e.buyer import LEASES_ARE_OVER, new_buyer
from tests.e2e.installation import Installation, wait

pytestmark = pytest.mark.faults

_PRICE_IN_HUNDREDTHS = 49_900
_SALE = ("sale", 10, 475)
_LAPSE = ("lapse", -10, -475)


@contextmanager
def slow_provider(stage: Tour, *, latency_ms: int = 800) -> Iterator[None]:
    """Every answer of the provider comes so much later than its effect."""
    stage.merchant.post("/v1/test_helpers/faults", latency_ms=str(latency_ms))
    try:
        yield
    finally:
        stage.merchant.post("/v1/test_helpers/faults", latency_ms="0")


_TOGETHER = ("workers",)  # as `make up` has it: all queues in one process
_APART = ("events", "billing", "nightly")
_EVERYTHING = ["valkey", "web", *_APART, "tick"]


@pytest.mark.parametrize(
    ("staff", "names"),
    [
        (_TOGETHER, ["valkey"]),
        (_TOGETHER, ["workers"]),
        (_TOGETHER, ["web"]),
        (_APART, ["events"]),
        (_APART, ["billing"]),
        (_APART, ["tick", "nightly"]),
        (_APART, _EVERYTHING),
    ],
    ids="+".join,
)
def test_a_kill_amid_a_payment_and_a_renewal_loses_and_doubles_nothing(
    installation: Installation, stage: Tour, staff: Sequence[str], names: list[str]
) -> None:
    installation.staff(*staff)
    buyer = new_buyer(installation, stage)

    with slow_provider(stage), ThreadPoolExecutor(1) as till:
        till.submit(buyer.pay)  # its answer may never come
        wait("the provider is asked", lambda: buyer.payments("asked_at") == 1 or None)
        time.sleep(0.3)
        installation.kill(*names)
    _start_again(installation, names)
    assert buyer.pay_patiently().document["status"] == "succeeded"
    _let_events_be_read(installation, names)

    subscription = buyer.await_period(1)
    buyer.await_quiet()
    assert buyer.paid_charges() == [_PRICE_IN_HUNDREDTHS]
    assert buyer.history() == [_SALE]

    with slow_provider(stage):
        buyer.let_month_pass(subscription)
        wait("the provider is asked", lambda: buyer.payments("asked_at") == 2 or None)
        time.sleep(0.3)
        installation.kill(*names)
    _start_again(installation, names)
    wait("the renewal is settled", lambda: buyer.payments("settled_at") == 2 or None)
    _let_events_be_read(installation, names)

    buyer.sign_in_again()
    buyer.cancel(buyer.await_period(2))
    wait("the old cups lapse", lambda: _LAPSE in buyer.history() or None)
    buyer.await_quiet()
    assert buyer.paid_charges() == [_PRICE_IN_HUNDREDTHS] * 2
    assert sorted(buyer.history()) == sorted([_SALE, _SALE, _LAPSE])
    assert buyer.shopper.cups(PLAN) == 10


def test_without_redis_a_request_is_answered_as_ever_and_its_work_is_done_later(
    installation: Installation, stage: Tour
) -> None:
    buyer = new_buyer(installation, stage)
    installation.kill("valkey")

    began = time.monotonic()
    answer = buyer.pay()
    took = time.monotonic() - began

    assert answer.document["status"] == "succeeded"
    assert took < 5
    assert buyer.history() == []
    installation.start("valkey")
    buyer.cancel(buyer.await_period(1))
    assert buyer.history() == [_SALE]


def test_a_deploy_lets_requests_under_way_finish(installation: Installation, stage: Tour) -> None:
    buyer = new_buyer(installation, stage)

    with slow_provider(stage), ThreadPoolExecutor(1) as till:
        paying = till.submit(buyer.pay)
        wait("the provider is asked", lambda: buyer.payments("asked_at") == 1 or None)
        exit_code = installation.ask_to_end("web")
        answer = paying.result()

    assert answer.document["status"] == "succeeded"
    assert exit_code == 0
    installation.start("web")
    installation.wait_until_ready()
    buyer.cancel(buyer.await_period(1))
    assert buyer.paid_charges() == [_PRICE_IN_HUNDREDTHS]


def test_workers_and_tick_end_when_they_are_asked_to_with_redis_and_without(
    installation: Installation,
) -> None:
    installation.staff(*_TOGETHER)
    installation.wait_until_staffed()
    codes = [installation.ask_to_end(name) for name in ("workers", "tick")]
    installation.start("workers")
    installation.wait_until_staffed()

    installation.kill("valkey")
    codes.append(installation.ask_to_end("workers"))

    assert codes == [0, 0, 0]
    installation.start("valkey", "workers", "tick")


def _start_again(installation: Installation, names: list[str]) -> None:
    """Start what was killed, but not yet what would hear of the money from the provider's event.

    So whoever had asked for it must ask again, and not be charged again.
    """
    installation.start(*(name for name in names if name != "events"))
    installation.wait_until_ready()
    clock.advance(LEASES_ARE_OVER)


def _let_events_be_read(installation: Installation, names: list[str]) -> None:
    if "events" in names:
        installation.start("events")
    clock.advance(LEASES_ARE_OVER)
