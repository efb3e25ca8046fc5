"""What the providers' lists and ours say differently, over HTTP."""

from datetime import timedelta

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from payments.models import PaymentDifference
from payments.service.differences import note
from tests.api.desk import Desk

DIFFERENCES = "/v1/payment-differences"


def note_one(ref: str, *, minutes_ago: int, is_gone: bool = False) -> None:
    theirs = {"amount": 70, "currency": "TWD", "status": "succeeded"}
    with transaction():
        found_at = clock.now() - timedelta(minutes=minutes_ago)
        facts = {"theirs": theirs, "ours": None}
        note(provider="stripe", kind="unknown_to_us", ref=ref, now=found_at, **facts)
        if is_gone:
            db.session.query(PaymentDifference).filter_by(ref=ref).one().gone_at = clock.now()


def test_finance_sees_what_differs(desk: Desk) -> None:
    note_one("pi_1", minutes_ago=1)
    answer = desk.get(DIFFERENCES)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json["items"]
    assert (found["provider"], found["kind"], found["ref"]) == ("stripe", "unknown_to_us", "pi_1")
    assert found["meaning"].startswith("The provider has taken money")
    assert found["theirs"] == {"amount": 70, "currency": "TWD", "status": "succeeded"}
    assert (found["ours"], found["payment_id"], found["gone_at"]) == (None, None, None)


def test_it_is_told_in_the_callers_language(desk: Desk) -> None:
    note_one("pi_1", minutes_ago=1)
    headers = desk.people["alice"] | {"Accept-Language": "zh-TW"}
    (found,) = desk.client.get(DIFFERENCES, headers=headers).json["items"]
    assert found["meaning"].startswith("金流業者收到一筆款項")


def test_open_ones_come_first_page_by_page(desk: Desk) -> None:
    for ref, minutes_ago, is_gone in [("a", 9, False), ("b", 1, True), ("c", 5, False)]:
        note_one(ref, minutes_ago=minutes_ago, is_gone=is_gone)
    refs, cursor = [], ""
    while cursor is not None:
        page = desk.get(f"{DIFFERENCES}?limit=1{cursor and f'&cursor={cursor}'}").json
        refs += [one["ref"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert refs == ["c", "a", "b"]
