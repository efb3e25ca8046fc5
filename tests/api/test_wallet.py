"""A shopper looks at the wallet: what is in it, how it came and went, and the code that spends."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

import redemption
import vouchers
from kernel import clock
from kernel.transaction import transaction
from redemption import token
from redemption.models import Credential
from tests.world import only
from vouchers import gift_token


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def test_the_wallet_shows_what_can_be_collected(client, world, alice):
    world.add_lot(alice, "eleven")
    wallet = client.get("/v1/wallet", headers=world.sign_in(alice)).json
    latte = {"id": str(world.products["latte"]), "code": "latte", "name": "latte", "size": "M"}
    assert wallet == {
        "cups": 22,
        "frozen": 0,
        "ended": 0,
        "under_way": 0,
        "periods": 0,
        "balances": [
            {
                "offer_id": str(world.offers["eleven"][0]),
                "offer": "eleven",
                "name": "eleven",
                "benefit": "cups",
                "unit": "cup",
                "products": [latte],
                "covers_up_to": None,
                "allows_top_up": False,
                "left": 22,
                "ends_at": None,
                "expiry_mode": "never",
                "is_late": False,
                "is_frozen": False,
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize(("is_unlimited", "benefit"), [(True, "unlimited"), (False, "membership")])
def test_what_nobody_counts_is_shown_without_a_count(client, world, is_unlimited, benefit):
    bob = world.add_member()
    world.add_offer("club", cups=0, bonus_cups=0, is_unlimited=is_unlimited, kind="plan")
    world.add_days(bob, "club", days=3_650)
    headers = world.sign_in(bob)
    wallet = client.get("/v1/wallet", headers=headers).json
    assert (wallet["cups"], wallet["periods"]) == (0, 0)
    assert [(one["benefit"], one["left"]) for one in wallet["balances"]] == [(benefit, None)]
    (lot,) = client.get("/v1/wallet/lots", headers=headers).json["items"]
    assert (lot["benefit"], lot["cups"], lot["left"], lot["source"]) == (
        benefit,
        None,
        None,
        "plan",
    )


def test_cups_that_nobody_counts_are_told_in_the_history(client, world, alice):
    world.add_offer("club", cups=0, bonus_cups=0, is_unlimited=True, kind="plan")
    world.add_days(alice, "club")
    till = world.add_till("A")
    world.take(till, alice, 2)
    headers = world.sign_in(alice)
    first, *older = client.get("/v1/wallet/history", headers=headers).json["items"]
    assert (first["kind"], first["cups"], first["uncounted"], first["left"]) == (
        "redemption",
        0,
        2,
        11,
    )
    assert (first["drink"]["code"], first["store"]) == ("latte", "Store A")
    assert [part["offer"] for part in first["parts"]] == ["club"]
    assert [event["uncounted"] for event in older] == [0, 0]
    page = client.get("/v1/wallet/history?limit=1", headers=headers).json
    rest = client.get(f"/v1/wallet/history?cursor={page['next_cursor']}", headers=headers).json
    assert [*page["items"], *rest["items"]] == [first, *older]


def test_prepaid_periods_are_counted_apart_from_cups(client, world, alice):
    world.add_lot(alice, "eleven", units=3, account="2132", prepays_plan=True)
    headers = world.sign_in(alice)
    wallet = client.get("/v1/wallet", headers=headers).json
    assert (wallet["cups"], wallet["periods"]) == (11, 3)
    assert {(one["benefit"], one["unit"], one["left"]) for one in wallet["balances"]} == {
        ("cups", "cup", 11),
        ("periods", "period", 3),
    }
    history = client.get("/v1/wallet/history", headers=headers).json["items"]
    assert [(one["cups"], one["periods"], one["left"]) for one in history] == [
        (0, 3, 11),
        (11, 0, 11),
    ]


def test_an_ended_lot_is_no_longer_to_be_collected(client, world):
    bob = world.add_member()
    world.add_lot(bob, "eleven", ends_at=world.now)
    wallet = client.get("/v1/wallet", headers=world.sign_in(bob)).json
    assert (wallet["cups"], wallet["ended"], wallet["balances"]) == (0, 11, [])


def test_frozen_cups_are_shown_apart_and_not_counted(client, world, alice):
    world.add_lot(alice, "eleven", units=4, net=190, vat=10, frozen_at=world.now)
    wallet = client.get("/v1/wallet", headers=world.sign_in(alice)).json
    assert (wallet["cups"], wallet["frozen"]) == (11, 4)
    assert [(one["left"], one["is_frozen"]) for one in wallet["balances"]] == [
        (11, False),
        (4, True),
    ]


def test_late_top_up_cups_stay_and_say_that_they_cost_a_difference(client, world):
    bob = world.add_member()
    world.add_lot(bob, "eleven", ends_at=world.now, due_at=None, expiry_mode="top_up")
    headers = world.sign_in(bob)
    (balance,) = client.get("/v1/wallet", headers=headers).json["balances"]
    (lot,) = client.get("/v1/wallet/lots", headers=headers).json["items"]
    for seen in (balance, lot):
        assert (seen["left"], seen["expiry_mode"], seen["is_late"]) == (11, "top_up", True)


def test_cups_in_open_gifts_are_under_way(client, world, alice):
    with transaction():
        vouchers.give(giver_id=alice, cups=3, now=world.now)
    wallet = client.get("/v1/wallet", headers=world.sign_in(alice)).json
    assert (wallet["cups"], wallet["under_way"]) == (8, 3)


def test_balances_come_page_by_page_the_soonest_to_end_first(client, world):
    bob, seen, cursor = world.add_member(), [], ""
    headers, now = world.sign_in(bob), clock.now()
    world.add_lot(bob, "eleven")
    for day in (3, 1, 2, 2):
        world.add_lot(bob, "eleven", ends_at=now + timedelta(days=day))
    while True:
        page = client.get(f"/v1/wallet?limit=1{cursor}", headers=headers).json
        assert page["cups"] == 55
        seen += page["balances"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [(one["left"], one["ends_at"]) for one in seen] == [
        (11, (now + timedelta(days=1)).isoformat()),
        (22, (now + timedelta(days=2)).isoformat()),
        (11, (now + timedelta(days=3)).isoformat()),
        (11, None),
    ]


def test_an_empty_lot_is_shown_to_who_asks_for_all(client, world, alice):
    world.take(world.add_till("A"), alice, 11)
    headers = world.sign_in(alice)
    assert client.get("/v1/wallet/lots", headers=headers).json["items"] == []
    (lot,) = client.get("/v1/wallet/lots?state=all", headers=headers).json["items"]
    assert (lot["cups"], lot["left"], lot["source"]) == (11, 0, "bought")
    assert lot["price"] == {"amount": 500, "currency": "TWD"}


def test_what_a_gift_had_cost_its_giver_is_not_shown(client, world, alice):
    bob = world.add_member()
    with transaction():
        gift = vouchers.give(giver_id=alice, cups=3, now=world.now)
        gift_id = gift.id
    with transaction():
        vouchers.claim(member_id=bob, token=gift_token.make(gift_id), now=world.now)
    (lot,) = client.get("/v1/wallet/lots", headers=world.sign_in(bob)).json["items"]
    assert (lot["source"], lot["left"], lot["price"]) == ("gift", 3, None)


def test_lots_are_listed_page_by_page_the_newest_first(client, world):
    bob = world.add_member()
    made = [str(world.add_lot(bob, "eleven")) for _ in range(5)]
    headers, seen, cursor = world.sign_in(bob), [], ""
    while True:
        page = client.get(f"/v1/wallet/lots?limit=2{cursor}", headers=headers).json
        seen += [lot["id"] for lot in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=forged", "x=1"],
)
@pytest.mark.parametrize("address", ["", "/lots", "/history"])
def test_a_wrong_query_is_refused(client, world, alice, address, query):
    answer = client.get(f"/v1/wallet{address}?{query}", headers=world.sign_in(alice))
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


@pytest.mark.parametrize("state", ["", "empty", "ALL"])
def test_a_state_of_lots_that_there_is_not_is_refused(client, world, alice, state):
    answer = client.get(f"/v1/wallet/lots?state={state}", headers=world.sign_in(alice))
    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


def test_the_history_explains_every_cup(client, world, alice):
    world.take(world.add_till("B"), alice, 2)
    events = client.get("/v1/wallet/history", headers=world.sign_in(alice)).json["items"]
    assert [(event["kind"], event["cups"], event["amount"]["amount"]) for event in events] == [
        ("redemption", -2, -87),
        ("sale", 11, 476),
    ]
    taken, bought = events
    assert (taken["store_id"], taken["store"]) == (str(world.stores["B"]), "Store B")
    assert (taken["drink"]["code"], taken["paid"], taken["left"]) == ("latte", None, 9)
    assert (bought["drink"], bought["left"]) == (None, 11)
    assert bought["paid"] == {"amount": 500, "currency": "TWD"}
    assert [(part["offer"], part["cups"]) for part in taken["parts"]] == [("eleven", -2)]


def test_a_void_names_what_it_undid(client, world, alice):
    till = world.add_till("A")
    taken = world.take(till, alice, 2)
    with transaction():
        redemption.void(
            redemption_id=taken.id,
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="clerk",
            now=world.now,
        )
    events = client.get("/v1/wallet/history", headers=world.sign_in(alice)).json["items"]
    undone, handed_over, _ = events
    assert (undone["kind"], undone["undoes_id"]) == ("void", handed_over["id"])
    assert (undone["cups"], undone["left"], undone["drink"]["code"]) == (2, 11, "latte")


def test_the_history_counts_on_over_its_pages(client, world, alice):
    till, headers = world.add_till("A"), world.sign_in(alice)
    for cups in (1, 2, 3):
        world.take(till, alice, cups)
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/wallet/history?limit=1{cursor}", headers=headers).json
        seen += [(event["cups"], event["left"]) for event in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == [(-3, 5), (-2, 8), (-1, 10), (11, 11)]


def test_a_phone_gets_a_credential_whose_codes_the_server_takes(client, world, alice):
    answer = client.post("/v1/wallet/credentials", headers=world.sign_in(alice))
    assert answer.status_code == 201
    credential_id, seed = bytes.fromhex(answer.json["id"]), bytes.fromhex(answer.json["seed"])
    code = token.make(credential_id=credential_id, seed=seed, step=token.step_at(clock.now()))
    parsed = token.parse(code)
    assert parsed.is_genuine
    assert only(Credential).id == credential_id


def test_only_the_five_newest_credentials_stay_alive(client, world, alice):
    headers = world.sign_in(alice)
    made = [client.post("/v1/wallet/credentials", headers=headers).json["id"] for _ in range(6)]
    from kernel.db import db  # noqa: PLC0415

    alive = db.session.query(Credential).filter(Credential.revoked_at.is_(None)).all()
    assert sorted(one.id.hex() for one in alive) == sorted(made[1:])


def test_the_code_is_shown_as_text_and_as_pictures(client, world, alice):
    headers = world.sign_in(alice)
    text = client.get("/v1/wallet/code?format=text", headers=headers)
    svg = client.get("/v1/wallet/code", headers=headers)
    png = client.get("/v1/wallet/code?format=png", headers=headers)
    assert token.parse(text.get_data(as_text=True)).is_genuine
    assert ET.fromstring(svg.data).tag.endswith("svg")  # noqa: S314  our own picture
    assert png.data.startswith(b"\x89PNG")
    assert client.get("/v1/wallet/code?format=gif", headers=headers).status_code == 422


def test_nobody_sees_somebody_else_s_wallet(client, world, alice):
    bob = world.add_member()
    assert client.get("/v1/wallet", headers=world.sign_in(bob)).json["cups"] == 0
    assert client.get("/v1/wallet").status_code == 401
