"""What stores have paid one another, over HTTP."""

from typing import Any

import pytest

from kernel.ids import NOBODY, new_id
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields

SETTLEMENTS = "/v1/settlements"


def payment(desk: Desk, much: int = 87, **changed: Any) -> dict[str, Any]:
    return {
        "payer_id": desk.store("A"),
        "payee_id": desk.store("B"),
        "amount": {"amount": much, "currency": "TWD"},
        "paid_on": "2026-01-14",
        "reference": "TRF-1",
        **changed,
    }


@pytest.fixture
def indebted(desk: Desk) -> Desk:
    """A has sold two cups that B made: it owes 87."""
    alice = desk.world.add_member()
    desk.sell(alice)
    desk.world.take(desk.world.add_till("B"), alice, 2)
    return desk


def test_a_payment_is_recorded_in_both_books_and_listed(indebted: Desk) -> None:
    paid = indebted.post(SETTLEMENTS, **payment(indebted))

    assert paid.status_code == 201, paid.text
    assert paid.json["amount"] == {"amount": 87, "currency": "TWD"}
    assert (paid.json["owner_id"], paid.json["paid_on"]) == (str(NOBODY), "2026-01-14")
    assert indebted.get(SETTLEMENTS).json == {"items": [paid.json], "next_cursor": None}


def test_more_than_is_owed_is_refused(indebted: Desk) -> None:
    refused = indebted.post(SETTLEMENTS, **payment(indebted, 88))

    assert_problem(refused, 409, "settlement-exceeds-debt")
    assert (refused.json["owed"], refused.json["currency"]) == (87, "TWD")
    assert refused.json["detail"] == "The payer owes the payee 87 TWD."


def test_who_has_paid_too_much_owes_nothing(indebted: Desk) -> None:
    debt = {"account": "2171", "store_id": indebted.store("A")}
    claim = {"account": "1171", "store_id": indebted.store("B")}
    lines = [
        {**debt, "side": "debit", "amount": 90, "counterpart_store_id": indebted.store("B")},
        {**debt, "account": "1111", "side": "credit", "amount": 90},
        {**claim, "account": "1111", "side": "debit", "amount": 90},
        {**claim, "side": "credit", "amount": 90, "counterpart_store_id": indebted.store("A")},
    ]
    said = {"book_date": "2026-01-14", "reason": "Paid by hand, too much.", "lines": lines}
    proposed = indebted.post("/v1/adjustments", **said)
    indebted.post(f"/v1/adjustments/{proposed.json['id']}/approve", who="bob")

    refused = indebted.post(SETTLEMENTS, **payment(indebted))

    assert_problem(refused, 409, "settlement-exceeds-debt")
    assert refused.json["owed"] == 0


def test_a_debt_is_paid_once(indebted: Desk) -> None:
    key = new_id().hex
    first, again = (indebted.post(SETTLEMENTS, key=key, **payment(indebted)) for _ in range(2))
    assert again.json == first.json

    anew = indebted.post(SETTLEMENTS, **payment(indebted))

    assert_problem(anew, 409, "settlement-exceeds-debt")
    assert anew.json["owed"] == 0


def test_a_store_does_not_pay_itself(indebted: Desk) -> None:
    to_itself = payment(indebted, payee_id=indebted.store("A"))

    assert wrong_fields(indebted.post(SETTLEMENTS, **to_itself)) == ["payee_id"]


@pytest.mark.parametrize("name", ["payer_id", "payee_id"])
def test_a_store_that_is_not_there_pays_nothing(indebted: Desk, name: str) -> None:
    odd = payment(indebted, **{name: NOBODYS})

    assert wrong_fields(indebted.post(SETTLEMENTS, **odd)) == [name]


@pytest.mark.parametrize("paid_on", ["2026-01-15", "9999-12-31"])
def test_a_day_to_come_is_refused(indebted: Desk, paid_on: str) -> None:
    refused = indebted.post(SETTLEMENTS, **payment(indebted, paid_on=paid_on))

    assert wrong_fields(refused) == ["paid_on"]
    assert refused.json["errors"][0]["message"] == "Is in the future."


def test_a_day_before_the_books_is_refused(indebted: Desk) -> None:
    refused = indebted.post(SETTLEMENTS, **payment(indebted, paid_on="2019-12-31"))

    assert_problem(refused, 422, "period-invalid")
    assert "lies before them" in refused.json["detail"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount": 87}, "amount"),
        ({"amount": {"amount": 0, "currency": "TWD"}}, "amount.amount"),
        ({"amount": {"amount": 10**30, "currency": "TWD"}}, "amount.amount"),
        ({"amount": {"amount": 87, "currency": "T"}}, "amount.currency"),
        ({"reference": ""}, "reference"),
        ({"paid_on": "14.1.2026"}, "paid_on"),
    ],
)
def test_what_is_no_payment_is_refused(indebted: Desk, changed: dict, field: str) -> None:
    odd = payment(indebted, **changed)

    assert wrong_fields(indebted.post(SETTLEMENTS, **odd)) == [field]
