"""What finance books by hand, over HTTP: two people, and clear refusals."""

from typing import Any

import pytest

from kernel.ids import NOBODY, new_id
from tests.api.desk import NOBODYS, Desk, assert_problem, wrong_fields
from tests.api.months import close, soften

ADJUSTMENTS = "/v1/adjustments"


def legs(desk: Desk, *, debit: str = "6221", credit: str = "1111") -> list[dict[str, Any]]:
    common = {"store_id": desk.store("A"), "amount": 70}
    return [
        {**common, "account": debit, "side": "debit"},
        {**common, "account": credit, "side": "credit"},
    ]


def proposal(desk: Desk, **changed: Any) -> dict[str, Any]:
    return {
        "book_date": "2026-01-14",
        "reason": "A loss that the bank reported.",
        "lines": legs(desk),
        **changed,
    }


def propose(desk: Desk, **changed: Any):
    return desk.post(ADJUSTMENTS, **proposal(desk, **changed))


def test_one_proposes_another_approves_and_then_it_is_booked(desk: Desk) -> None:
    proposed = propose(desk)
    assert proposed.status_code == 201
    waiting = proposed.json
    assert (waiting["state"], waiting["entry_id"], waiting["decided_at"]) == ("waiting", None, None)
    assert waiting["lines"] == [
        {
            "store_id": desk.store("A"),
            "debit": "6221",
            "credit": "1111",
            "amount": 70,
            "counterpart_store_id": None,
            "offer_id": None,
        }
    ]

    approved = desk.post(f"{ADJUSTMENTS}/{waiting['id']}/approve", who="bob")

    assert approved.status_code == 200
    assert (approved.json["state"], approved.json["owner_id"]) == ("approved", str(NOBODY))
    assert approved.json["entry_id"] is not None
    assert approved.json["decided_by_id"] != approved.json["proposed_by_id"]
    assert desk.get(f"{ADJUSTMENTS}/{waiting['id']}").json == approved.json


def test_nobody_approves_their_own(desk: Desk) -> None:
    path = f"{ADJUSTMENTS}/{propose(desk).json['id']}"

    assert_problem(desk.post(f"{path}/approve"), 409, "two-people")
    assert desk.get(path).json["state"] == "waiting"


def test_it_is_decided_once(desk: Desk) -> None:
    path = f"{ADJUSTMENTS}/{propose(desk).json['id']}"

    assert desk.post(f"{path}/reject").json["state"] == "rejected"

    for verb in ("approve", "reject"):
        assert_problem(desk.post(f"{path}/{verb}", who="bob"), 409, "adjustment-ended")


def test_a_retry_with_its_key_proposes_once(desk: Desk) -> None:
    key = new_id().hex
    first, again = (desk.post(ADJUSTMENTS, key=key, **proposal(desk)) for _ in range(2))

    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(desk.get(ADJUSTMENTS).json["items"]) == 1


def test_a_retry_of_an_approval_books_once(desk: Desk) -> None:
    path, key = f"{ADJUSTMENTS}/{propose(desk).json['id']}/approve", new_id().hex
    first, again = (desk.post(path, who="bob", key=key) for _ in range(2))

    assert again.json == first.json
    assert_problem(desk.post(path, who="bob"), 409, "adjustment-ended")


def test_they_are_listed_in_their_order_and_those_that_wait_apart(desk: Desk) -> None:
    ids = [propose(desk).json["id"] for _ in range(3)]
    desk.post(f"{ADJUSTMENTS}/{ids[1]}/reject")

    first = desk.get(f"{ADJUSTMENTS}?limit=2").json
    rest = desk.get(f"{ADJUSTMENTS}?limit=2&cursor={first['next_cursor']}").json
    waiting = desk.get(f"{ADJUSTMENTS}?state=waiting").json

    assert [item["id"] for item in first["items"] + rest["items"]] == ids
    assert [item["id"] for item in waiting["items"]] == [ids[0], ids[2]]
    assert wrong_fields(desk.get(f"{ADJUSTMENTS}?state=lost")) == ["state"]


def test_what_does_not_balance_is_refused_with_the_difference(desk: Desk) -> None:
    debit, credit = legs(desk)

    refused = propose(desk, lines=[debit, {**credit, "amount": 69}])

    assert_problem(refused, 422, "adjustment-unbalanced")
    assert refused.json["differences"] == [{"store_id": desk.store("A"), "difference": 1}]


@pytest.mark.parametrize(
    ("debit", "credit", "slug"),
    [
        ("6221", "9999", "account-unknown"),
        ("2131", "1111", "account-not-adjustable"),
        ("2138", "4113", "account-not-adjustable"),
        ("2133", "1111", "account-not-adjustable"),
        ("6221", "1172", "account-not-adjustable"),
        ("1171", "1111", "counterpart-missing"),
        ("6221", "6221", "adjustment-unpaired"),
    ],
)
def test_what_cannot_be_booked_is_refused(desk: Desk, debit: str, credit: str, slug: str) -> None:
    assert_problem(propose(desk, lines=legs(desk, debit=debit, credit=credit)), 422, slug)


def test_a_debt_between_stores_does_not_change_on_one_side(desk: Desk) -> None:
    lines = legs(desk, debit="2171")
    lines[0]["counterpart_store_id"] = desk.store("B")

    assert_problem(propose(desk, lines=lines), 422, "adjustment-one-sided")


@pytest.mark.parametrize("named", ["store_id", "counterpart_store_id", "offer_id"])
def test_what_is_named_must_be_there(desk: Desk, named: str) -> None:
    first, second = legs(desk)

    refused = propose(desk, lines=[first, {**second, named: NOBODYS}])

    assert wrong_fields(refused) == [f"lines.1.{named}"]


def test_a_currency_that_the_books_do_not_know_is_refused(desk: Desk) -> None:
    assert propose(desk, currency="XTS").status_code == 201  # nothing is booked yet
    desk.sell(desk.world.add_member())

    refused = propose(desk, currency="TWB")

    assert_problem(refused, 422, "currency-unknown")
    assert (refused.json["currency"], refused.json["currencies"]) == ("TWB", ["TWD"])
    assert refused.json["detail"] == "The books know no TWB, only TWD."


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": "x"}, "lines"),
        ({"reason": ""}, "reason"),
        ({"reason": "a\u202eb"}, "reason"),
        ({"currency": "twd"}, "currency"),
        ({"currency": "TWD\n"}, "currency"),
        ({"book_date": "2026-02-30"}, "book_date"),
        ({"book_date": "99999-01-01"}, "book_date"),
    ],
)
def test_what_is_no_adjustment_is_refused(desk: Desk, changed: dict, field: str) -> None:
    assert wrong_fields(propose(desk, **changed)) == [field]


@pytest.mark.parametrize("amount", [0, -1, 1.5, "70", 2**63, 10**30, 10**12 + 1, True])
def test_what_is_no_amount_is_refused(desk: Desk, amount: Any) -> None:
    lines = [{**leg, "amount": amount} for leg in legs(desk)]

    assert wrong_fields(propose(desk, lines=lines)) == ["lines.0.amount", "lines.1.amount"]


def test_too_many_lines_are_refused(desk: Desk) -> None:
    assert wrong_fields(propose(desk, lines=legs(desk) * 101)) == ["lines"]


@pytest.mark.parametrize("book_date", ["2026-02-01", "9999-12-31", "0001-01-01", "2019-12-31"])
def test_a_day_before_the_books_or_in_a_month_to_come_is_refused(
    desk: Desk, book_date: str
) -> None:
    desk.sell(desk.world.add_member())

    assert_problem(propose(desk, book_date=book_date), 422, "period-invalid")


def test_a_soft_month_takes_it_and_a_closed_one_does_not(desk: Desk) -> None:
    desk.sell(desk.world.add_member())
    soften(desk, "2026-01")
    path = f"{ADJUSTMENTS}/{propose(desk).json['id']}/approve"
    late = propose(desk).json["id"]
    assert desk.post(path, who="bob").json["book_date"] == "2026-01-14"
    assert_problem(desk.post(path, who="bob"), 409, "adjustment-ended")
    desk.post("/v1/periods/2026-01/open")
    close(desk, "2026-01")

    assert_problem(propose(desk), 409, "period-closed")
    assert_problem(desk.post(f"{ADJUSTMENTS}/{late}/approve", who="bob"), 409, "period-closed")


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_an_adjustment_that_is_not_there_is_not_found(desk: Desk, verb: str) -> None:
    assert_problem(desk.post(f"{ADJUSTMENTS}/{NOBODYS}/{verb}"), 404, "not-found")
    assert_problem(desk.post(f"{ADJUSTMENTS}/x/{verb}"), 404, "not-found")
    assert_problem(desk.get(f"{ADJUSTMENTS}/{NOBODYS}"), 404, "not-found")
