"""Cups at the till over HTTP: what a clerk's device sends, right and wrong, and what it hears."""

from datetime import timedelta

import pytest

from kernel import clock
from kernel.ids import new_id
from tests.service.redemption.tills import price, serve
from tests.world import bearer, key


@pytest.fixture
def scan(client, world):
    """Send a scan; the server's clock is the real one here, so codes are made for it."""

    def send(till, member_id=None, cups=1, *, code=None, headers=None, **other):
        shown = code or world.code(world.add_credential(member_id), at=clock.now())
        body = {"code": shown, "product_id": str(world.products["latte"]), "cups": cups, **other}
        sent = {**bearer(till.token), **key(), **(headers or {})}
        return client.post("/v1/redemptions", json=body, headers=sent)

    return send


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def test_cups_are_handed_over(scan, world, alice):
    answer = scan(world.add_till("B"), alice, 3)
    assert answer.status_code == 201
    assert (answer.json["cups"], answer.json["left"]) == (3, 8)
    assert [taken["offer"] for taken in answer.json["taken"]] == ["eleven"]


def test_a_retry_hears_the_same_and_is_marked(scan, world, alice):
    till, same = world.add_till("A"), key()
    code = world.code(world.add_credential(alice), at=clock.now())
    first = scan(till, code=code, headers=same)
    again = scan(till, code=code, headers=same)
    assert again.status_code == 201
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_a_replayed_refusal_is_marked_too(scan, world, alice):
    till, same = world.add_till("A"), key()
    code = world.code(world.add_credential(alice), at=clock.now())
    first = scan(till, code=code, cups=12, headers=same)
    again = scan(till, code=code, cups=12, headers=same)
    assert (first.status_code, again.status_code) == (409, 409)
    assert (again.json["held"], again.json["wanted"]) == (11, 12)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_retry_after_the_void_still_hears_the_first_answer(client, scan, world, alice):
    till, same = world.add_till("A"), key()
    code = world.code(world.add_credential(alice), at=clock.now())
    first = scan(till, code=code, headers=same)
    void(client, till, first.json["id"])
    again = scan(till, code=code, headers=same)
    assert again.json == first.json
    assert scan(till, code=code).json["reason"] == "token-used"


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Idempotency-Key": "short"}, 400, "idempotency-key-malformed"),
        ({"Idempotency-Key": "k" * 16 + ", " + "l" * 16}, 400, "idempotency-key-malformed"),
        ({"Authorization": "Bearer shf_" + "x" * 43}, 401, "unauthenticated"),
        ({"Authorization": "Bearer mem_" + "x" * 43}, 401, "unauthenticated"),
        ({"Authorization": ""}, 401, "unauthenticated"),
    ],
)
def test_a_wrong_header_is_refused(scan, world, alice, headers, status, reason):
    answer = scan(world.add_till("A"), alice, headers=headers)
    assert (answer.status_code, answer.json["reason"]) == (status, reason)


def test_a_missing_key_is_refused(client, world, alice):
    till = world.add_till("A")
    answer = client.post("/v1/redemptions", json={}, headers=bearer(till.token))
    assert (answer.status_code, answer.json["reason"]) == (400, "idempotency-key-missing")


@pytest.mark.parametrize("cups", [0, -1, 1.9, 1.0, "1", "１", "1_0", 2**63, True, None, [1], 101])
def test_only_a_sensible_json_integer_is_a_number_of_cups(scan, world, alice, cups):
    answer = scan(world.add_till("A"), alice, cups=cups)
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


@pytest.mark.parametrize(
    "top_up", [-1, 1.0, 0.5, "12", "", True, None, [12], {"amount": 12}, 10_000_001, 2**63]
)
def test_only_a_sensible_json_integer_is_money_collected(scan, world, alice, top_up):
    answer = scan(world.add_till("A"), alice, top_up=top_up)
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
    assert scan(world.add_till("A"), alice, top_up=0).json["left"] == 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "admin"},
        {"balance": 5},
        {"product_id": "1"},
        {"product_id": None},
        {"code": ""},
        {"code": None},
        {"code": "\x00"},
        {"code": "x" * 201},
        {"code": ["x"]},
    ],
)
def test_wrong_and_unknown_fields_are_refused(client, world, alice, wrong):
    till = world.add_till("A")
    body = {"code": "A", "product_id": str(new_id()), "cups": 1} | wrong
    answer = client.post("/v1/redemptions", json=body, headers={**bearer(till.token), **key()})
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


def test_garbage_a_stranger_s_code_and_an_unknown_one_look_alike(scan, world, alice):
    till = world.add_till("A")
    answers = [
        scan(till, code="GARBAGE"),
        scan(till, code=world.code(b"12345678", at=clock.now())),
        scan(till, code=world.code(world.add_credential(alice), at=clock.now())[:-2] + "00"),
    ]
    told = [
        {name: value for name, value in answer.json.items() if name != "request_id"}
        for answer in answers
    ]
    assert told[0] == told[1] == told[2]
    assert told[0]["reason"] == "token-invalid"


def test_an_old_code_and_a_used_one_are_refused_with_their_reasons(scan, world, alice):
    till = world.add_till("A")
    credential = world.add_credential(alice)
    old = world.code(credential, at=clock.now() - timedelta(seconds=61))
    fresh = world.code(credential, at=clock.now())
    assert scan(till, code=old).json["reason"] == "token-expired"
    assert scan(till, code=fresh).status_code == 201
    used = scan(till, code=fresh)
    assert (used.status_code, used.json["reason"]) == (409, "token-used")


def test_the_reason_is_told_in_the_caller_s_language(scan, world, alice):
    till = world.add_till("A")
    chinese = scan(till, alice, 12, headers={"Accept-Language": "zh-TW"})
    english = scan(till, alice, 12, headers={"Accept-Language": "en"})
    assert chinese.json["detail"] == "可取 11 杯，要求取 12 杯。"
    assert english.json["detail"] == "11 can be collected, 12 were asked for."
    assert chinese.content_type == "application/problem+json"


def void(client, till, redemption_id, **headers):
    sent = {**bearer(till.token), **key(), **headers}
    return client.post(f"/v1/redemptions/{redemption_id}/void", headers=sent)


def test_a_void_gives_the_cups_back_once(client, scan, world, alice):
    till = world.add_till("A")
    taken = scan(till, alice, 3).json
    assert void(client, till, taken["id"]).json["voided_at"] is not None
    second = void(client, till, taken["id"])
    assert (second.status_code, second.json["reason"]) == (409, "already-voided")
    assert scan(till, alice, 11).status_code == 201


def test_another_store_neither_sees_nor_voids(client, scan, world, alice):
    taken = scan(world.add_till("A"), alice).json
    stranger = world.add_till("B")
    refused = void(client, stranger, taken["id"])
    assert (refused.status_code, refused.json["reason"]) == (403, "store-scope")
    looked = client.get(f"/v1/redemptions/{taken['id']}", headers=bearer(stranger.token))
    assert looked.status_code == 404


@pytest.fixture
def late(world):
    """A cup that was paid 48 for, of a drink that costs 60 today, and is late."""
    price(world.products["latte"], 60)
    world.add_offer("louisa-5", price=240, cups=5, bonus_cups=0, expiry_mode="top_up")
    member_id = world.add_member()
    ended = {"expiry_mode": "top_up", "ends_at": world.now, "due_at": None}
    world.add_lot(member_id, "louisa-5", units=5, net=229, vat=11, **ended)
    return member_id


def test_a_top_up_is_asked_for_with_its_amount_and_shown_until_it_is_given_back(
    client, scan, world, late
):
    till, nothing = world.add_till("A"), {"amount": 0, "currency": "TWD"}
    refused = scan(till, late, headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.json["reason"]) == (409, "top-up-due")
    told = {name: refused.json[name] for name in ("due", "collected", "currency")}
    assert told == {"due": 12, "collected": 0, "currency": "TWD"}
    assert refused.json["detail"] == "Due besides: 12 TWD, collected: 0. Settle it and scan anew."
    taken = scan(till, late, top_up=12)
    assert (taken.status_code, taken.json["left"]) == (201, 4)
    undone = void(client, till, taken.json["id"]).json
    assert taken.json["top_up"] == undone["top_up"] == {"amount": 12, "currency": "TWD"}
    price(world.products["latte"], 48)
    assert scan(till, late).json["top_up"] == nothing


def test_the_same_key_with_the_right_amount_is_another_request(scan, world, late):
    till, same = world.add_till("A"), key()
    code = world.code(world.add_credential(late), at=clock.now())
    assert scan(till, code=code, headers=same).json["reason"] == "top-up-due"
    reused = scan(till, code=code, top_up=12, headers=same)
    assert reused.json["reason"] == "idempotency-key-reused"
    assert scan(till, code=code, top_up=12).status_code == 201


def test_a_device_of_another_channel_is_told_so_in_both_languages(scan, world):
    world.add_offer("mcd-10", redeem_channels=["counter", "kiosk", "drive-through"])
    member_id, till = world.add_member(), world.add_till("A")
    world.add_lot(member_id, "mcd-10")
    serve(till, "delivery")
    english = scan(till, member_id, headers={"Accept-Language": "en"})
    chinese = scan(till, member_id, headers={"Accept-Language": "zh-TW"})
    assert (english.status_code, english.json["reason"]) == (409, "channel-not-accepted")
    assert english.json["channel"] == "delivery"
    assert english.json["accepted"] == ["counter", "drive-through", "kiosk"]
    assert english.json["detail"] == "What this wallet holds is not accepted for delivery."
    assert chinese.json["detail"] == "錢包中的寄杯不適用於外送。"


def test_a_drink_that_is_too_dear_is_refused_with_what_a_cup_covers(scan, world):
    world.add_offer("forty", covers_up_to=40)
    member_id = world.add_member()
    world.add_lot(member_id, "forty")
    answer = scan(world.add_till("A"), member_id, headers={"Accept-Language": "zh-TW"})
    assert (answer.status_code, answer.json["reason"]) == (409, "covers-less")
    assert (answer.json["covers"], answer.json["list_price"]) == (40, 50)
    assert "40 TWD" in answer.json["detail"]


def test_a_store_looks_at_its_own_redemption(client, scan, world, alice):
    till = world.add_till("A")
    taken = scan(till, alice, 2).json
    looked = client.get(f"/v1/redemptions/{taken['id']}", headers=bearer(till.token)).json
    assert (looked["cups"], looked["voided_at"]) == (2, None)
    assert looked["taken"][0]["cups"] == 2


@pytest.mark.parametrize("junk", ["1", "x", "%00", "01a20319-d6d9-77f9-aaf9-7795b96f7379"])
def test_junk_for_an_id_is_not_found(client, world, junk):
    till = world.add_till("A")
    assert void(client, till, junk).status_code == 404


def test_a_member_s_token_opens_no_till(client, world, alice):
    answer = client.post(
        "/v1/redemptions",
        json={"code": "A", "product_id": str(new_id()), "cups": 1},
        headers={**world.sign_in(alice), **key()},
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("language", "clerk", "member"),
    [
        (
            "en",
            "Undone: 1 cup; still collected: 1 cup. Give back NT$20.",
            "Back in the wallet: 1 cup. NT$20 is given back to you.",
        ),
        (
            "zh-TW",
            "已取消 1 杯，仍計已取 1 杯。請退還顧客 NT$20。",
            "已退回錢包 1 杯。並退還您 NT$20。",
        ),
    ],
)
def test_a_void_says_what_money_to_give_back(client, scan, world, language, clerk, member):
    world.add_offer("stars", covers_up_to=30, allows_top_up=True)
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "stars")
    redeemed = scan(till, alice, 2, top_up=40).json
    latte = {"product_id": str(world.products["latte"]), "cups": 1}
    told = {**bearer(till.token), **key(), "Accept-Language": language}
    path = f"/v1/redemptions/{redeemed['id']}/void"
    undone = client.post(path, json={"items": [latte]}, headers=told).json
    assert undone["given_back"] == {"cups": 1, "top_up": {"amount": 20, "currency": "TWD"}}
    assert undone["top_up_voided"] == {"amount": 20, "currency": "TWD"}
    assert undone["words"] == {"clerk": clerk, "member": member}
    rest = client.post(path, json={}, headers={**told, **key()}).json
    assert (rest["given_back"]["cups"], rest["top_up_voided"]["amount"]) == (1, 40)


@pytest.mark.parametrize(
    ("language", "said"), [("en", " The next can be had on "), ("zh-TW", "下次可取時間：")]
)
def test_a_limit_says_in_words_when_the_next_cup_is_allowed(scan, world, language, said):
    world.add_offer("daily", cups_per_day=1)
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "daily")
    scan(till, alice)
    refused = scan(till, alice, headers={"Accept-Language": language}).json
    assert refused["next_at"].endswith("T04:00:00+08:00")
    day = refused["next_at"][:10]
    assert f"{said}{day} 04:00" in refused["detail"]
