"""Lists for reconciliation."""

from collections.abc import Callable

import pytest

from tests.sandbox.provider import Provider
from tests.sandbox.terminal.conftest import Counter

HOUR_S = 3_600


@pytest.fixture
def day(own_counter: Callable[[], Counter], own_provider: Provider) -> Counter:
    """A payment in each of four hours, each refunded by 1 in the same hour."""
    counter = own_counter()
    for hour in range(4):
        own_provider.clock_file.write_text(f"{hour * HOUR_S}")
        counter.tap(counter.ask_for(500, payment_id=f"p-{hour}")["id"])
        counter.refund(f"p-{hour}", 1, refund_id=f"r-{hour}")
    return counter


def listed(counter: Counter, path: str) -> list[str]:
    return [one["id"] for one in counter.get(path)["items"]]


def moment_of(counter: Counter, hour: int) -> int:
    """Half an hour before that hour's payment, in epoch seconds by the sandbox's clock."""
    event = counter.provider.client().customers.create({})
    return event.created + (hour - 3) * HOUR_S - HOUR_S // 2


def test_payments_are_listed_in_order_as_they_stand(day: Counter):
    shown = day.get("payments")

    assert [one["id"] for one in shown["items"]] == ["p-0", "p-1", "p-2", "p-3"]
    assert shown["items"][2] == day.get("payments/p-2")
    assert shown["items"][2]["refunded"] == 1
    assert shown["next_after"] is None


def test_refunds_are_listed_as_well(day: Counter):
    shown = day.get("refunds")

    assert [one["id"] for one in shown["items"]] == ["r-0", "r-1", "r-2", "r-3"]
    assert shown["items"][1] == day.get("refunds/r-1")


@pytest.mark.parametrize("kind", ["payments", "refunds"])
def test_a_span_of_time_is_listed(day: Counter, kind: str):
    first, third = moment_of(day, 1), moment_of(day, 3)
    letter = kind[0]

    assert listed(day, f"{kind}?since={first}&until={third}") == [f"{letter}-1", f"{letter}-2"]
    assert listed(day, f"{kind}?since={third}") == [f"{letter}-3"]
    assert listed(day, f"{kind}?until={first}") == [f"{letter}-0"]


def test_long_lists_come_in_pages(day: Counter):
    since = moment_of(day, 1)

    first = day.get(f"payments?since={since}&limit=2")
    second = day.get(f"payments?since={since}&limit=2&after={first['next_after']}")

    assert [one["id"] for one in first["items"]] == ["p-1", "p-2"]
    assert first["next_after"] == "p-2"
    assert ([one["id"] for one in second["items"]], second["next_after"]) == (["p-3"], None)


@pytest.mark.parametrize(
    ("query", "field"),
    [("since=yesterday", "since"), ("until=-1", "until"), ("limit=101", "limit"), ("of=me", "of")],
)
def test_questions_that_make_no_sense_are_refused(counter: Counter, query: str, field: str):
    assert counter.call("GET", f"payments?{query}") == (400, {"error": "invalid", "field": field})


def test_a_page_after_nothing_known_is_not_found(counter: Counter):
    assert counter.call("GET", "refunds?after=nobodys")[0] == 404
