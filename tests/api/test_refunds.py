"""Refunds over HTTP."""

import pytest

from kernel import clock
from kernel.transaction import transaction
from payments import repaying
from payments.service.record_repayment import record_repayment
from tests.fakes import fake_provider
from tests.service.vouchers.conftest import pay, settle
from tests.world import key, small_world
from vouchers import place_order

REFUNDS, OFFICE = "/v1/refunds", "/v1/office/refunds"


@pytest.fixture
def bank(app):
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def world(app):
    world = small_world(clock.now())
    world.add_offer(
        "counted", list_price=110, price=1600, cups=20, refund_basis="list_price",
        withdrawal_days=0,
    )  # fmt: skip
    world.add_offer("final", refund_basis="none", withdrawal_days=0)
    world.add_offer("fee", price=1000, refund_fee_bp=300, withdrawal_days=0)
    return world


@pytest.fixture
def alice(world):
    return world.add_member()


@pytest.fixture
def hers(world, alice):
    return world.sign_in(alice)


@pytest.fixture
def finance(world):
    return world.open_office("finance")


@pytest.fixture
def buy(world, bank, alice):
    def buy(offer):
        wanted = [{"offer_id": world.offers[offer][0], "quantity": 1}]
        with transaction():
            order = place_order(member_id=alice, items=wanted, now=clock.now()).order
        pay(order).outcome()
        settle()
        return str(order.id)

    return buy


@pytest.fixture
def post(client):
    def post(path, who, key_=None, **body):
        headers = {**who, **(key_ or key())}
        return client.post(path, json=body, headers=headers)

    return post


def money(amount):
    return {"amount": amount, "currency": "TWD"}


def bounce(bank, refund_id):
    """The payer's bank sends the money of a refund back."""
    repaying.repay_due()
    (repayment_id,) = bank.given_back[-1:]
    seen = next(one for one in bank.repayments.values() if one.repayment_id == repayment_id)
    bank.finish_repayment(seen.ref, "lost_or_stolen_card")
    with transaction():
        record_repayment(repayment_id=repayment_id, seen=bank.repayments[seen.ref], now=clock.now())
    settle()


def test_the_preview_and_the_refund_answer_the_same_numbers(post, hers, world, alice, buy):
    order_id = buy("counted")
    world.take(world.add_till("A"), alice, 5, now=clock.now())
    shown = post(f"{REFUNDS}/preview", hers, order_id=order_id)
    (told,) = shown.json["refunds"]
    assert (told["gross"], told["kept"], told["payable"]) == (money(1200), money(150), money(1050))
    made = post(REFUNDS, hers, order_id=order_id)
    assert (shown.status_code, made.status_code) == (200, 201)
    (done,) = made.json["refunds"]
    assert done["status"] == "owed"
    assert {name: done[name] for name in told} == told


@pytest.mark.parametrize(
    ("language", "why"),
    [
        (
            "en",
            (
                "Of the price, NT$1,200 is for 15 cups that you did not use."
                " What was collected counts at NT$110 each, which keeps NT$150 of that."
            ),
        ),
        (
            "zh-TW",
            (
                "未使用的 15 杯，所含價款為 NT$1,200。"
                "已領取的部分以每杯定價 NT$110 計算，因此扣除 NT$150。"
            ),
        ),
    ],
)
def test_every_line_says_why(post, hers, world, alice, buy, language, why):
    order_id = buy("counted")
    world.take(world.add_till("A"), alice, 5, now=clock.now())
    answer = post(f"{REFUNDS}/preview", {**hers, "Accept-Language": language}, order_id=order_id)
    assert [line["why"] for line in answer.json["refunds"][0]["lines"]] == [why]


def test_a_fee_is_said(post, hers, buy):
    answer = post(f"{REFUNDS}/preview", hers, order_id=buy("fee"))
    (told,) = answer.json["refunds"]
    assert (told["fee"], told["payable"]) == (money(30), money(970))
    assert "A fee of NT$30 is taken." in told["lines"][0]["why"]


def test_a_repetition_is_the_same_refund(post, hers, buy):
    order_id, once = buy("eleven"), key()
    first, second = (post(REFUNDS, hers, once, order_id=order_id) for _ in range(2))
    assert first.json == second.json
    assert first.json["refunds"][0]["reason"] == "withdrawal"
    third = post(REFUNDS, hers, order_id=order_id)
    assert (third.status_code, third.json["reason"]) == (409, "nothing-to-refund")


def test_what_cannot_come_back_is_refused_with_the_reason(post, hers, buy):
    answer = post(REFUNDS, hers, order_id=buy("final"))
    assert (answer.status_code, answer.json["reason"]) == (409, "not-refundable")
    assert "terms" in answer.json["detail"]


def test_a_body_that_names_nothing_is_not_valid(post, hers):
    assert post(REFUNDS, hers).status_code == 422


def test_a_member_reads_their_own_refunds_and_no_others(client, post, world, hers, buy):
    made = post(REFUNDS, hers, order_id=buy("eleven")).json["refunds"][0]
    bob = world.sign_in(world.add_member())
    assert client.get(REFUNDS, headers=hers).json["items"] == [made]
    assert client.get(f"{REFUNDS}/{made['id']}", headers=hers).json == made
    assert client.get(REFUNDS, headers=bob).json["items"] == []
    assert client.get(f"{REFUNDS}/{made['id']}", headers=bob).status_code == 404


def test_finance_gives_back_whatever_the_terms_and_is_named(post, finance, buy):
    answer = post(OFFICE, finance, order_id=buy("final"))
    (made,) = answer.json["refunds"]
    assert (made["reason"], made["payable"]) == ("goodwill", money(500))
    assert made["asked_by_id"] is not None


def test_finance_finds_what_failed_and_has_it_tried_again(client, post, bank, hers, finance, buy):
    made = post(REFUNDS, hers, order_id=buy("eleven")).json["refunds"][0]
    bounce(bank, made["id"])
    failed = client.get(f"{OFFICE}?status=failed", headers=finance).json["items"]
    assert [one["id"] for one in failed] == [made["id"]]
    again = post(f"{OFFICE}/{made['id']}/retry", finance)
    assert (again.status_code, again.json["status"]) == (200, "owed")
    refused = post(f"{OFFICE}/{made['id']}/retry", finance)
    assert (refused.status_code, refused.json["reason"]) == (409, "refund-not-failed")


def test_finance_pays_what_failed_by_transfer(client, post, bank, hers, finance, buy):
    made = post(REFUNDS, hers, order_id=buy("eleven")).json["refunds"][0]
    bounce(bank, made["id"])
    done = post(f"{OFFICE}/{made['id']}/settle-otherwise", finance, reference="Transfer 88231")
    assert (done.json["status"], done.json["settled_reference"]) == ("paid", "Transfer 88231")
    read = client.get(f"{OFFICE}/{made['id']}", headers=finance)
    assert read.json == done.json


def test_pages_of_refunds_follow_one_another(client, post, hers, finance, buy):
    ids = [post(REFUNDS, hers, order_id=buy("eleven")).json["refunds"][0]["id"] for _ in range(3)]
    first = client.get(f"{REFUNDS}?limit=2", headers=hers).json
    second = client.get(f"{REFUNDS}?limit=2&cursor={first['next_cursor']}", headers=hers).json
    told = [one["id"] for page in (first, second) for one in page["items"]]
    assert (told, second["next_cursor"]) == (ids[::-1], None)
