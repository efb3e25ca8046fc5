"""Gifts over HTTP: given by a link, shown, claimed, declined, taken back, blocked."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from kernel import clock, secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.models import Entry
from members import keys
from members.models import Member
from tests.world import bearer, key
from vouchers import gift_token
from vouchers.models import Lot

ALL = "/v1/gifts"
BLOCKS = "/v1/gift-blocks"


@pytest.fixture
def alice(world):
    """Alice, who has eleven cups and can write."""
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    with transaction():
        row, own_key = keys.make(member_id)
        db.session.add(row)
        member = db.session.get_one(Member, member_id)
        member.phone_sealed = secrets.seal(own_key, b"+886912345678")
    return world.sign_in(member_id)


@pytest.fixture
def bob(world):
    return world.sign_in(world.add_member())


@pytest.fixture
def pass_time(monkeypatch, tmp_path):
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    return lambda **by: clock.advance(timedelta(**by))


def give(client, headers, **wish):
    return client.post(ALL, headers={**headers, **key()}, json={"cups": 3, **wish})


def claim(client, headers, token, **other):
    return client.post(f"{ALL}/{token}/claim", headers={**headers, **key(), **other})


def decline(client, headers, token, *, block=False):
    asked = {**headers, **key()}
    return client.post(f"{ALL}/{token}/decline", headers=asked, json={"block": block})


def reason(answer):
    return answer.status_code, answer.json["reason"]


def cups_of(client, headers):
    return client.get("/v1/wallet", headers=headers).json["cups"]


def test_cups_are_given_by_a_link_and_claimed_by_a_friend(client, alice, bob):
    gift = give(client, alice, message="請你喝 ☕", days=3)
    token = gift.json["token"]
    assert gift.status_code == 201
    assert gift.json["link"] == f"http://127.0.0.1:8000/g/{token}"
    assert (gift.json["side"], gift.json["status"], gift.json["cups"]) == ("given", "open", 3)
    assert cups_of(client, alice) == 8

    seen = client.get(f"{ALL}/{token}", headers=bob).json
    assert (seen["side"], seen["name"], seen["message"]) == ("offered", "eleven", "請你喝 ☕")
    assert (seen["token"], seen["link"]) == (None, None)

    claimed = claim(client, bob, token).json
    assert (claimed["outcome"], claimed["cups"]) == ("claimed", 3)
    assert [lot["cups"] for lot in claimed["lots"]] == [3]
    assert (cups_of(client, bob), cups_of(client, alice)) == (3, 8)
    assert client.get(f"{ALL}/{token}", headers=bob).json["side"] == "received"


def test_a_replayed_gift_is_one_gift(client, alice):
    asked = {**alice, **key()}
    first, again = (client.post(ALL, headers=asked, json={"cups": 2}) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json
    assert cups_of(client, alice) == 9


def test_a_replayed_claim_answers_the_same(client, alice, bob):
    token = give(client, alice).json["token"]
    asked = {**bob, **key()}
    first, again = (client.post(f"{ALL}/{token}/claim", headers=asked) for _ in range(2))
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert cups_of(client, bob) == 3


def test_a_second_friend_comes_too_late(client, world, alice, bob):
    token = give(client, alice).json["token"]
    claim(client, bob, token)
    carol = world.sign_in(world.add_member())
    assert reason(claim(client, carol, token)) == (409, "gift-claimed")
    assert reason(client.get(f"{ALL}/{token}", headers=carol)) == (404, "gift-not-found")


def test_the_giver_claiming_takes_back(client, alice):
    token = give(client, alice).json["token"]
    answer = claim(client, alice, token).json
    assert (answer["outcome"], answer["lots"]) == ("taken_back", [])
    assert cups_of(client, alice) == 11


def test_the_giver_sees_the_link_again_while_it_is_good(client, alice, bob):
    gift = give(client, alice).json
    assert client.get(f"{ALL}/{gift['id']}", headers=alice).json["link"] == gift["link"]
    claim(client, bob, gift["token"])
    closed = client.get(f"{ALL}/{gift['id']}", headers=alice).json
    assert (closed["status"], closed["link"]) == ("claimed", None)


def test_nobody_sees_somebody_elses_gift_by_its_id(client, alice, bob):
    gift_id = give(client, alice).json["id"]
    for answer in (
        client.get(f"{ALL}/{gift_id}", headers=bob),
        client.delete(f"{ALL}/{gift_id}", headers=bob),
        client.get(f"{ALL}/{new_id()}", headers=bob),
    ):
        assert reason(answer) == (404, "gift-not-found")


def test_the_giver_takes_a_gift_back_once(client, alice, bob):
    gift = give(client, alice).json
    first, again = (client.delete(f"{ALL}/{gift['id']}", headers=alice) for _ in range(2))
    assert (first.json["status"], again.json) == ("withdrawn", first.json)
    assert cups_of(client, alice) == 11
    assert reason(claim(client, bob, gift["token"])) == (409, "gift-ended")
    assert reason(client.get(f"{ALL}/{gift['token']}", headers=bob)) == (404, "gift-not-found")


def test_a_claimed_gift_is_not_taken_back(client, alice, bob):
    gift = give(client, alice).json
    claim(client, bob, gift["token"])
    answer = client.delete(f"{ALL}/{gift['id']}", headers=alice)
    assert reason(answer) == (409, "gift-claimed")


def test_after_its_time_a_gift_is_over(client, alice, bob, pass_time):
    gift = give(client, alice, days=1).json
    pass_time(days=1, seconds=1)
    assert reason(claim(client, bob, gift["token"])) == (409, "gift-ended")
    assert reason(client.get(f"{ALL}/{gift['token']}", headers=bob)) == (404, "gift-not-found")


def test_whatever_is_no_gift_for_somebody_looks_alike(client, alice, bob):
    gift_id = give(client, alice).json["id"]
    genuine = gift_token.make(new_id())
    bodies = set()
    for token in (genuine, genuine[:-2] + "AA", "x", "%E5%AF%84", gift_id, str(new_id())):
        answer = client.get(f"{ALL}/{token}", headers=bob)
        bodies.add(answer.get_data())
        assert reason(answer) == (404, "gift-not-found")
        for other in (claim(client, bob, token), decline(client, bob, token)):
            assert reason(other) == (404, "gift-not-found")
            bodies.add(other.get_data())
    assert len(bodies) == 1


def test_guessing_is_slowed_down(client, alice, bob):
    token = give(client, alice).json["token"]
    answers = [client.get(f"{ALL}/{number:043}", headers=bob) for number in range(21)]
    assert {reason(answer) for answer in answers[:20]} == {(404, "gift-not-found")}
    assert reason(answers[20]) == (429, "rate-limited")
    assert int(answers[20].headers["Retry-After"]) > 800
    assert reason(claim(client, bob, token)) == (429, "rate-limited")
    assert client.get(f"{ALL}/{token}", headers=alice).status_code == 200


def test_junk_is_no_guess(client, alice, bob):
    token = give(client, alice).json["token"]
    for number in range(30):
        client.get(f"{ALL}/junk{number}", headers=bob)
    assert claim(client, bob, token).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        {"cups": 0},
        {"cups": -1},
        {"cups": 1.5},
        {"cups": "3"},
        {"cups": True},
        {"cups": 2**63},
        {"cups": None},
        {"days": 0},
        {"days": 31},
        {"days": "7"},
        {"message": "x" * 201},
        {"message": "tab\there"},
        {"message": "turned \u202e round"},
        {"message": "hidden\u200b"},
        {"message": "\u200d"},
        {"message": ""},
        {"message": "nul\u0000"},
        {"offer_id": "eleven"},
        {"lot_id": 7},
        {"giver_id": str(new_id())},
    ],
)
def test_a_wrong_wish_is_refused(client, alice, wish):
    assert reason(give(client, alice, **wish)) == (422, "validation")
    assert cups_of(client, alice) == 11


def test_a_joined_emoji_arrives_whole(client, alice, bob):
    token = give(client, alice, message=" 👩‍❤️‍👨 ").json["token"]
    assert client.get(f"{ALL}/{token}", headers=bob).json["message"] == "👩‍❤️‍👨"


def test_without_a_key_nothing_is_given_or_claimed(client, alice):
    token = give(client, alice).json["token"]
    for answer in (
        client.post(ALL, headers=alice, json={"cups": 1}),
        client.post(f"{ALL}/{token}/claim", headers=alice),
        client.post(f"{ALL}/{token}/decline", headers=alice, json={}),
    ):
        assert reason(answer) == (400, "idempotency-key-missing")


@pytest.mark.parametrize("block", [1, 0, "true", None, []])
def test_a_block_is_true_or_false(client, alice, bob, block):
    token = give(client, alice).json["token"]
    assert reason(decline(client, bob, token, block=block)) == (422, "validation")


def test_more_cups_than_are_held_are_refused(client, alice):
    answer = give(client, alice, cups=12)
    assert reason(answer) == (409, "insufficient-cups")
    assert (answer.json["held"], answer.json["wanted"]) == (11, 12)


def test_somebody_elses_lot_is_not_there(client, world, bob, alice):
    with transaction():
        lot_id = db.session.query(Lot).one().id
    assert reason(give(client, bob, lot_id=str(lot_id))) == (404, "not-found")


def test_a_declined_gift_is_back_and_with_a_block_no_more_is_found(client, alice, bob):
    other, token = (give(client, alice).json["token"] for _ in range(2))
    assert decline(client, bob, token, block=True).status_code == 204
    assert cups_of(client, alice) == 8
    assert reason(claim(client, bob, other)) == (404, "gift-not-found")
    assert reason(client.get(f"{ALL}/{other}", headers=bob)) == (404, "gift-not-found")

    (block,) = client.get(BLOCKS, headers=bob).json["items"]
    assert client.get(BLOCKS, headers=alice).json["items"] == []
    assert reason(client.delete(f"{BLOCKS}/{block['id']}", headers=alice)) == (404, "not-found")
    assert client.delete(f"{BLOCKS}/{block['id']}", headers=bob).status_code == 204
    assert client.get(BLOCKS, headers=bob).json["items"] == []
    assert claim(client, bob, other).status_code == 200


def test_blocks_are_listed_page_by_page(client, world, bob):
    for _ in range(3):
        giver = world.add_member()
        world.add_lot(giver, "eleven")
        token = give(client, world.sign_in(giver)).json["token"]
        decline(client, bob, token, block=True)
    first = client.get(f"{BLOCKS}?limit=2", headers=bob).json
    rest = client.get(f"{BLOCKS}?limit=2&cursor={first['next_cursor']}", headers=bob).json
    ids = [block["id"] for page in (first, rest) for block in page["items"]]
    assert (len(ids), len(set(ids)), rest["next_cursor"]) == (3, 3, None)


def test_gifts_are_listed_page_by_page_given_and_received(client, alice, bob):
    tokens = [give(client, alice, cups=1).json["token"] for _ in range(3)]
    for token in tokens[:2]:
        claim(client, bob, token)
    back = give(client, bob, cups=1).json
    claim(client, alice, back["token"])

    seen, cursor = [], ""
    while True:
        page = client.get(f"{ALL}?limit=2{cursor}", headers=alice).json
        seen += [(gift["side"], gift["status"]) for gift in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [
        ("received", "claimed"),
        ("given", "open"),
        ("given", "claimed"),
        ("given", "claimed"),
    ]
    theirs = client.get(ALL, headers=bob).json["items"]
    assert [gift["side"] for gift in theirs] == ["given", "received", "received"]
    assert "token" not in theirs[0]


def test_only_members_give_and_claim(client, world, alice):
    token = give(client, alice).json["token"]
    till = world.add_till("A")
    for headers, status in (({}, 401), (bearer(till.token), 401)):
        assert client.get(f"{ALL}/{token}", headers=headers).status_code == status
        assert claim(client, headers, token).status_code == status


def test_finance_finds_the_gift_behind_its_entries(client, world, alice, bob):
    gift = give(client, alice).json
    claim(client, bob, gift["token"])
    with transaction():
        entries = db.session.query(Entry).filter(Entry.kind.in_(["gift", "claim"])).all()
    desk = world.open_office("finance")
    for entry in entries:
        address = f"/v1/entries/{entry.member_id}/{entry.id}"
        source = client.get(address, headers=desk).json["source"]
        assert (source["sort"], source["gift"]["id"]) == ("gift", gift["id"])
        assert source["gift"]["status"] == "claimed"
    assert len(entries) == 2


@pytest.mark.parametrize("token", ["", "x", "no-such-token", "%3Cscript%3E"])
def test_the_page_of_a_link_says_the_same_of_every_token(client: FlaskClient, token: str) -> None:
    answer = client.get(f"/g/{token or 'a'}")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "有人請您喝飲料" in answer.text
    assert "script" not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
