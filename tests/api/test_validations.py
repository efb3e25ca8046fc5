"""A till asks what a scan would bring, and the words it shows."""

import pytest

from kernel import clock
from tests.service.redemption.tills import price
from tests.world import bearer, key

CHINESE = {"Accept-Language": "zh-TW"}


@pytest.fixture
def ask(client, world):
    """Send the same body to the dry run, or to the redemption."""

    def send(path, till, member_id=None, *, code=None, headers=None, **body):
        shown = code or world.code(world.add_credential(member_id), at=clock.now())
        asked = {"code": shown, **body}
        sent = {**bearer(till.token), **(headers or {})}
        return client.post(f"/v1/{path}", json=asked, headers=sent)

    return send


@pytest.fixture
def alice(world):
    world.till, member_id = world.add_till("A"), world.add_member()
    world.add_offer("both", product=("latte", "mocha"))
    world.add_lot(member_id, "eleven")
    world.add_lot(member_id, "both", ends_at=clock.now().replace(year=clock.now().year + 1))
    return member_id


def items(world, **cups):
    return [{"product_id": str(world.products[name]), "cups": many} for name, many in cups.items()]


def test_it_answers_as_the_redemption_then_does(ask, world, alice):
    code = world.code(world.add_credential(alice), at=clock.now())
    wanted = {"code": code, "items": items(world, latte=2, mocha=1)}
    dry = ask("validations", world.till, **wanted)
    real = ask("redemptions", world.till, headers=key(), **wanted)
    assert (dry.status_code, real.status_code) == (200, 201)
    assert dry.json["id"] is None
    same = dry.json.keys() - {"id", "redeemed_at"}
    assert {name: dry.json[name] for name in same} == {name: real.json[name] for name in same}


def test_it_refuses_with_the_same_problem(ask, world, alice):
    wanted = {"items": items(world, mocha=12)}
    dry = ask("validations", world.till, alice, **wanted)
    real = ask("redemptions", world.till, alice, headers=key(), **wanted)
    assert (dry.status_code, dry.json["reason"]) == (409, "insufficient-cups")
    assert dry.json | {"request_id": 0} == real.json | {"request_id": 0}


def test_it_needs_no_key_and_keeps_none(ask, world, alice):
    code = world.code(world.add_credential(alice), at=clock.now())
    for _ in range(2):
        answer = ask("validations", world.till, code=code, items=items(world, latte=1))
        assert answer.status_code == 200
        assert "Idempotency-Replayed" not in answer.headers


def test_who_is_no_till_asks_nothing(client, world, alice):
    body = {"code": "A", "items": items(world, latte=1)}
    answer = client.post("/v1/validations", json=body, headers=world.sign_in(alice))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"items": []},
        {"items": "latte"},
        {"items": [{}]},
        {"items": [{"product_id": "x", "cups": 1}]},
        {"cups": 1},
    ],
)
def test_what_is_neither_form_is_refused(ask, world, alice, wrong):
    answer = ask("validations", world.till, alice, **wrong)
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


def test_both_forms_at_once_and_a_drink_twice_are_refused(ask, world, alice):
    (latte,) = items(world, latte=1)
    for wrong in ({"items": [latte], **latte}, {"items": [latte, latte]}):
        answer = ask("validations", world.till, alice, headers=CHINESE, **wrong)
        assert (answer.status_code, answer.json["reason"]) == (422, "validation")
        assert "請擇一" in answer.text or "重複列出" in answer.text


def test_eleven_drinks_are_too_many(ask, world, alice):
    many = [world.add_product(f"tea {number}") for number in range(11)]
    wanted = [{"product_id": str(one), "cups": 1} for one in many]
    assert ask("validations", world.till, alice, items=wanted).status_code == 422


def test_one_drink_stands_in_the_answer_as_it_always_did(ask, world, alice):
    (latte,) = items(world, latte=2)
    answer = ask("validations", world.till, alice, **latte).json
    (item,) = answer["items"]
    for name in ("product_id", "taken", "left", "is_unlimited"):
        assert answer[name] == item[name]
    assert (answer["product_id"], answer["cups"], answer["left"]) == (latte["product_id"], 2, 20)
    assert item["product"] == {"code": "latte", "name": "latte", "size": "M"}


def test_several_drinks_stand_in_their_items_alone(ask, world, alice):
    answer = ask("validations", world.till, alice, items=items(world, latte=1, mocha=1)).json
    assert "product_id" not in answer
    assert [item["cups"] for item in answer["items"]] == [1, 1]


def test_the_clerk_and_the_member_are_told_in_their_language(ask, world, alice):
    wanted = {"items": items(world, latte=12, mocha=1)}
    chinese = ask("validations", world.till, alice, headers=CHINESE, **wanted).json["words"]
    english = ask("validations", world.till, alice, **wanted).json["words"]
    assert chinese == {
        "clerk": "latte（M） 12 杯：10 杯自「both」、2 杯自「eleven」；尚餘 9 杯。"
        "mocha（M） 1 杯：1 杯自「both」；尚餘 0 杯。",
        "member": "您取用latte（M） 12 杯：10 杯自「both」、2 杯自「eleven」；尚餘 9 杯。"
        "mocha（M） 1 杯：1 杯自「both」；尚餘 0 杯。",
    }
    assert english["clerk"] == (
        "12 cups of latte (M): 10 cups from “both”, 2 cups from “eleven”; 9 cups left."
        " 1 cup of mocha (M): 1 cup from “both”; 0 cups left."
    )
    assert english["member"] == f"You collect {english['clerk']}"


def test_what_was_paid_besides_and_what_nobody_counts_are_told_too(ask, world):
    price(world.products["latte"], 60)
    world.add_offer("fifty", product=None, covers_up_to=50, allows_top_up=True)
    till, bob = world.add_till("A"), world.add_member()
    world.add_lot(bob, "fifty")
    paid = ask("validations", till, bob, items=items(world, latte=1), top_up=10).json["words"]
    assert paid["clerk"].endswith("10 cups left. Paid besides: NT$10.")
    world.add_offer("club", kind="plan", cups=0, bonus_cups=0, is_unlimited=True)
    member_id = world.add_member()
    world.add_days(member_id, "club", ends_at=clock.now().replace(year=clock.now().year + 1))
    free = ask("validations", till, member_id, headers=CHINESE, items=items(world, latte=1)).json
    assert free["words"]["clerk"] == "latte（M） 1 杯：1 杯自「club」；不限杯數。"
