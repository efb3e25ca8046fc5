"""Logs of tills over HTTP, and the queue of what waits for a person."""

from datetime import timedelta

import pytest

from api import offline_uploads
from chain.models import Device
from kernel import clock, secrets
from tests.service.redemption.offline.field import Branch, fill, show
from tests.service.redemption.tills import change
from tests.world import bearer, key

BATCH = "/v1/redemptions/batch"
REVIEWS = "/v1/offline-reviews"


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


@pytest.fixture
def now():
    """Half an hour ago by the server's clock, which is the real one here."""
    return clock.now() - timedelta(minutes=30)


@pytest.fixture
def upload(client, world):
    """Bring items by another till."""
    bringer = world.add_till("C")

    def send(*written, **headers):
        sent = {**bearer(bringer.token), **headers}
        return client.post(BATCH, json={"items": list(written)}, headers=sent)

    return send


def test_items_are_taken_in_and_answered_in_their_order(upload, world, alice, now):
    a, b = Branch(world, "A"), Branch(world, "B")
    capsule = fill(world, alice)
    first, second = a.serve(capsule), b.serve(capsule, after=1)
    answer = upload(second, first)
    assert answer.status_code == 200
    assert [(one["outcome"], one["cups_borne"]) for one in answer.json["items"]] == [
        ("overdrawn", 1),
        ("applied", 0),
    ]
    assert [one["outcome"] for one in upload(first).json["items"]] == ["duplicate"]


def test_a_device_without_a_shift_may_bring_them(upload, world, alice, now):
    served = Branch(world, "A").serve(fill(world, alice))
    token = secrets.new_token("dev_")
    change(Device, world.add_till("B").device_id, token_digest=secrets.digest(token))
    answer = upload(served, **bearer(token))
    assert [one["outcome"] for one in answer.json["items"]] == ["applied"]


def test_an_upload_among_too_many_is_sent_again(upload, world, alice, now, monkeypatch):
    monkeypatch.setattr(offline_uploads, "_PATIENCE_S", 0.05)
    served = Branch(world, "A").serve(fill(world, alice))
    with offline_uploads._TURNS.one(patience_s=0):  # noqa: SLF001
        busy = upload(served)
    assert (busy.status_code, busy.json["reason"]) == (503, "uploads-busy")
    assert busy.headers["Retry-After"] == "2"
    assert [one["outcome"] for one in upload(served).json["items"]] == ["applied"]


def test_an_item_that_is_none_of_ours_is_named(upload, world, alice, now):
    a = Branch(world, "A")
    good, other = a.serve(fill(world, alice)), a.serve(fill(world, alice), after=1)
    forged = {**other, "item": other["item"].replace('"cups":1', '"cups":9')}
    answer = upload(good, forged)
    assert (answer.status_code, answer.json["reason"]) == (422, "offline-item-invalid")
    assert (answer.json["index"], answer.json["problem"]) == (1, "signature")
    assert [one["outcome"] for one in upload(good).json["items"]] == ["applied"]


def test_what_an_older_key_signed_waits_for_a_person(client, upload, world, alice, now):
    """Else a till that was set up anew could not bring in what it had served."""
    a = Branch(world, "A")
    before = a.serve(fill(world, alice))
    a.enrol_again(is_fresh=False, now=now + timedelta(minutes=1))
    answer = upload(before, a.serve(fill(world, alice), after=2))
    assert [(one["outcome"], one["reason"]) for one in answer.json["items"]] == [
        ("review", "key-replaced"),
        ("applied", None),
    ]
    (waiting,) = client.get(REVIEWS, headers=world.open_office("finance")).json["items"]
    assert waiting["remedies"] == ["charged", "borne", "dismissed"]
    assert "enrolled again" in waiting["cause"]


@pytest.mark.parametrize("item", ["", "{}", "[]", "null", "x" * 1000, '{"v":1}'])
def test_what_is_no_item_is_named(upload, world, alice, now, item):
    served = Branch(world, "A").serve(fill(world, alice))
    answer = upload({**served, "item": item})
    assert (answer.status_code, answer.json["problem"]) == (422, "form")


def test_more_than_five_hundred_are_too_many(upload, world, alice, now):
    served = Branch(world, "A").serve(fill(world, alice))
    assert upload(*[served] * 501).status_code == 422
    assert upload().status_code == 422


def test_an_upload_of_a_megabyte_is_read(client, world):
    till = world.add_till("C")
    headers = {**bearer(till.token), "Content-Type": "application/json"}
    for size, status in ((2**20, 422), (2**20 + 1, 413)):
        assert client.post(BATCH, data=b"{}".ljust(size), headers=headers).status_code == status


def test_a_manager_sees_and_decides_what_waits_at_their_stores(client, upload, world, alice, now):
    a = Branch(world, "A")
    upload(a.write(show(fill(world, alice), now), at=now - timedelta(days=5)))
    desk = world.open_office("finance")
    (waiting,) = client.get(REVIEWS, headers=desk).json["items"]
    assert (waiting["outcome"], waiting["reason"]) == ("review", "clock-skew")
    assert "clock" in waiting["cause"]
    assert waiting["remedies"] == ["charged", "borne", "dismissed"]
    place = f"{REVIEWS}/{waiting['device_id']}/{waiting['number']}/resolve"
    decided = client.post(place, json={"remedy": "charged"}, headers={**desk, **key()})
    assert decided.status_code == 200
    assert decided.json["remedy"] == "charged"
    again = client.post(place, json={"remedy": "borne"}, headers={**desk, **key()})
    assert (again.status_code, again.json["reason"]) == (409, "already-resolved")
    assert client.get(REVIEWS, headers=desk).json["items"] == []


def test_the_cause_is_told_in_the_callers_language(client, upload, world, alice, now):
    a = Branch(world, "A")
    upload(a.write("nonsense", at=now))
    headers = {**world.open_office("finance"), "Accept-Language": "zh-TW"}
    (waiting,) = client.get(REVIEWS, headers=headers).json["items"]
    assert waiting["cause"] == "出示的不是本公司的離線取杯碼，或不是由持有者的手機出示。"


def test_reviews_are_paged(client, upload, world, now):
    a = Branch(world, "A")
    upload(*(a.write("nonsense", at=now) for _ in range(3)))
    desk = world.open_office("finance")
    first = client.get(f"{REVIEWS}?limit=2", headers=desk).json
    second = client.get(f"{REVIEWS}?limit=2&cursor={first['next_cursor']}", headers=desk).json
    assert [one["number"] for one in first["items"] + second["items"]] == [1, 2, 3]


def test_another_stores_items_are_not_a_managers(client, upload, world, now):
    a = Branch(world, "A")
    upload(a.write("nonsense", at=now))
    manager = world.open_office("manager")
    assert client.get(REVIEWS, headers=manager).json["items"] == []
    foreign = client.get(f"{REVIEWS}?store_id={a.till.store_id}", headers=manager)
    assert (foreign.status_code, foreign.json["reason"]) == (403, "store-scope")
    place = f"{REVIEWS}/{a.till.device_id}/1/resolve"
    answer = client.post(place, json={"remedy": "borne"}, headers={**manager, **key()})
    assert (answer.status_code, answer.json["reason"]) == (403, "store-scope")


def test_many_that_wait_are_decided_at_once_and_once(client, upload, world, alice, now):
    a = Branch(world, "A")
    upload(*(a.write("nonsense", at=now) for _ in range(3)))
    desk = {**world.open_office("finance"), **key()}
    waiting = client.get(REVIEWS, headers=desk).json["items"]
    named = [{name: one[name] for name in ("device_id", "number", "hash")} for one in waiting]
    body = {
        "remedy": "borne",
        "note": "a bad night",
        "items": [*named[:2], {**named[2], "number": 9}],
    }

    answer, replay = (client.post(f"{REVIEWS}/resolve", json=body, headers=desk) for _ in range(2))

    assert answer.status_code == 200
    assert [one["problem"] for one in answer.json["items"]] == [None, None, "not-found"]
    assert [one["item"] and one["item"]["remedy"] for one in answer.json["items"]] == [
        "borne",
        "borne",
        None,
    ]
    assert replay.json == answer.json
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert [one["number"] for one in client.get(REVIEWS, headers=desk).json["items"]] == [3]


def test_more_than_a_hundred_are_not_decided_at_once(client, world):
    desk = {**world.open_office("finance"), **key()}
    one = {"device_id": "0199b5a0-0000-7000-8000-000000000001", "number": 1}
    for many, status in ((0, 422), (100, 200), (101, 422)):
        body = {"remedy": "borne", "items": [one] * many}
        answer = client.post(f"{REVIEWS}/resolve", json=body, headers={**desk, **key()})
        assert answer.status_code == status
