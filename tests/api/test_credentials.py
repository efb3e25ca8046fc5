"""A shopper looks after what opens the wallet: phones, codes that are read aloud, what is lost."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

import redemption
from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from redemption import token
from redemption.models import Credential
from tests.api.signing_in import MovableClock
from tests.world import World, bearer, key

PATH = "/v1/wallet/credentials"
CODES = "/v1/wallet/codes"


@pytest.fixture
def time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    return MovableClock(tmp_path, monkeypatch)


@pytest.fixture
def alice(world: World) -> dict[str, str]:
    return world.sign_in(world.add_member())


@pytest.fixture
def bob(world: World) -> dict[str, str]:
    return world.sign_in(world.add_member())


def issue(client: FlaskClient, who: dict[str, str]) -> str:
    made = client.post(PATH, headers=who)
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def listed(client: FlaskClient, who: dict[str, str]) -> list[str]:
    return [one["id"] for one in client.get(PATH, headers=who).json["items"]]


def is_over(credential: str) -> bool:
    with transaction():
        found = db.session.get_one(Credential, bytes.fromhex(credential))
        return found.revoked_at is not None or found.ends_at <= clock.common()


def test_a_phone_renews_its_credential_and_stays_the_same_phone(client, alice, time):
    first = issue(client, alice)
    client.put(f"{PATH}/{first}/name", json={"name": "Alice's phone"}, headers=alice)
    (known,) = client.get(PATH, headers=alice).json["items"]
    time.advance(hours=20)

    renewed = client.post(f"{PATH}/{first}/renew", headers=alice)

    assert renewed.status_code == 201
    assert renewed.json["id"] != first
    assert renewed.json["seed"] == token.seed_of(bytes.fromhex(renewed.json["id"])).hex()
    newest = client.get(PATH, headers=alice).json["items"][0]
    assert (newest["id"], newest["since"]) == (renewed.json["id"], known["since"])
    assert newest["name"] == "Alice's phone"


def test_of_a_phone_that_renews_for_weeks_only_what_it_collected_with_is_kept(
    client, world, alice, time
):
    credential, used = issue(client, alice), []
    till, (member_id,) = world.add_till("A"), all_credentials(Credential.member_id)
    world.add_lot(member_id, "eleven", sold_at=clock.now())
    for day in range(20):
        time.advance(hours=23)
        made = client.post(f"{PATH}/{credential}/renew", headers=alice)
        credential = made.json["id"]
        if day in (2, 5):
            code = world.code(bytes.fromhex(credential), at=clock.now())
            used.append(redemption.redeem(scan=world.scan(till, code, 1), now=clock.now()))

    kept = all_credentials(Credential.id)

    assert len(kept) == 2 + 9
    (redeemed, _), path = used, "/v1/wallet/redemptions"
    assert client.post(f"{path}/{redeemed.id}/disown", headers=alice).status_code == 204


def test_codes_that_were_read_aloud_are_forgotten(client, alice, time):
    for _ in range(3):
        assert client.post(CODES, headers=alice).status_code == 201
        time.advance(days=8)
    client.post(CODES, headers=alice)

    assert len(all_credentials(Credential.id)) == 1


def all_credentials(column):
    with transaction():
        return set(db.session.scalars(select(column)))


def test_what_was_renewed_is_good_for_ten_minutes_more(client, alice, time):
    first = issue(client, alice)
    client.post(f"{PATH}/{first}/renew", headers=alice)

    time.advance(minutes=9)
    assert not is_over(first)
    time.advance(minutes=2)
    assert is_over(first)


def test_renewing_does_not_lengthen_what_is_nearly_over(client, alice, time):
    first = issue(client, alice)
    time.advance(hours=23, minutes=55)

    client.post(f"{PATH}/{first}/renew", headers=alice)

    time.advance(minutes=6)
    assert is_over(first)


def test_what_is_over_or_revoked_cannot_be_renewed(client, alice, time):
    first, second = issue(client, alice), issue(client, alice)
    client.post(f"{PATH}/{second}/revoke", headers=alice)
    assert client.post(f"{PATH}/{second}/renew", headers=alice).status_code == 404

    time.advance(hours=25)
    assert client.post(f"{PATH}/{first}/renew", headers=alice).status_code == 404


def test_credentials_are_bounded_to_twenty_an_hour(client, alice, time):
    for _ in range(20):
        newest = issue(client, alice)

    refused = client.post(PATH, headers=alice)
    renewal = client.post(f"{PATH}/{newest}/renew", headers=alice)

    assert (refused.status_code, refused.json["reason"]) == (429, "rate-limited")
    assert renewal.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3_600
    time.advance(hours=1)
    issue(client, alice)


def test_the_list_shows_live_phones_and_no_seed(client, alice, time):
    old = issue(client, alice)
    time.advance(hours=25)
    new = issue(client, alice)
    client.post(CODES, headers=alice)
    client.post("/v1/wallet/cards", json={}, headers=alice)

    answer = client.get(PATH, headers=alice)

    (only,) = answer.json["items"]
    assert only["id"] == new != old
    assert only["kind"] == "phone"
    assert "seed" not in only


def test_a_phone_is_approved_for_ten_minutes(client, alice, time):
    phone = issue(client, alice)
    approved = client.post(f"{PATH}/{phone}/approve", json={"cups": 8}, headers=alice)

    assert (approved.status_code, approved.json["approved_cups"]) == (200, 8)
    time.advance(minutes=9)
    assert client.get(PATH, headers=alice).json["items"][0]["approved_cups"] == 8
    time.advance(minutes=1)
    (only,) = client.get(PATH, headers=alice).json["items"]
    assert (only["approved_cups"], only["approved_until"]) == (None, None)


def test_approving_one_phone_leaves_the_others_as_they_are(client, alice):
    lost, mine = issue(client, alice), issue(client, alice)

    client.post(f"{PATH}/{mine}/approve", json={"cups": 8}, headers=alice)

    kept = {
        one["id"]: one["approved_cups"] for one in client.get(PATH, headers=alice).json["items"]
    }
    assert kept == {lost: None, mine: 8}


def test_a_spoken_code_can_be_approved_and_a_card_cannot(client, alice):
    code = client.post(CODES, headers=alice).json["id"]
    card = client.post("/v1/wallet/cards", json={}, headers=alice).json["id"]

    approved = client.post(f"{PATH}/{code}/approve", json={"cups": 8}, headers=alice)
    refused = client.post(f"{PATH}/{card}/approve", json={"cups": 8}, headers=alice)

    assert (approved.status_code, approved.json["kind"]) == (200, "code")
    assert refused.status_code == 404


@pytest.mark.parametrize("body", [{}, {"cups": 0}, {"cups": 101}, {"cups": "2"}, {"cups": None}])
def test_an_approval_of_nothing_sensible_is_not_valid(client, alice, body):
    phone = issue(client, alice)

    refused = client.post(f"{PATH}/{phone}/approve", json=body, headers=alice)

    assert (refused.status_code, refused.json["reason"]) == (422, "validation")


def test_a_lost_phone_is_revoked_and_the_others_go_on(client, alice):
    lost, kept = issue(client, alice), issue(client, alice)

    revoked = [client.post(f"{PATH}/{lost}/revoke", headers=alice).status_code for _ in range(2)]

    assert revoked == [204, 204]
    assert listed(client, alice) == [kept]


def test_revoking_everything_ends_phones_codes_cards_and_other_sessions(client, world):
    member_id = world.add_member()
    here, there = world.sign_in(member_id), world.sign_in(member_id)
    issue(client, here)
    client.post(CODES, headers=here)
    client.post("/v1/wallet/cards", json={}, headers=here)

    revoked = client.post(f"{PATH}/revoke", headers=here)

    assert revoked.status_code == 204
    with transaction():
        live = select(Credential.id).where(Credential.revoked_at.is_(None))
        assert db.session.scalars(live).all() == []
    assert client.get(PATH, headers=here).status_code == 200
    assert client.get(PATH, headers=there).status_code == 401


@pytest.mark.parametrize("verb", ["renew", "approve", "revoke"])
def test_somebody_else_s_phone_is_not_found(client, alice, bob, verb):
    phone = issue(client, alice)
    body = {"json": {"cups": 2}} if verb == "approve" else {}

    refused = client.post(f"{PATH}/{phone}/{verb}", headers=bob, **body)

    assert (refused.status_code, refused.json["reason"]) == (404, "not-found")
    assert not is_over(phone)


@pytest.mark.parametrize("junk", ["0" * 15, "0" * 17, "G" * 16, "%00", "０" * 16])
def test_junk_for_an_id_is_not_found(client, alice, junk):
    assert client.post(f"{PATH}/{junk}/revoke", headers=alice).status_code == 404


# Codes that are read aloud


def test_a_code_is_read_aloud_within_a_minute_and_once(client, world, time):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    till, who = world.add_till("A"), world.sign_in(member_id)
    made = client.post(CODES, headers=who).json

    def take(code: str):
        body = {"code": code, "product_id": str(world.products["latte"]), "cups": 1}
        return client.post("/v1/redemptions", json=body, headers={**bearer(till.token), **key()})

    typed = f"{made['code'][:4]}-{made['code'][4:]}".lower()
    assert take(typed).status_code == 201
    assert take(made["code"]).json["reason"] == "token-used"
    late = client.post(CODES, headers=who).json["code"]
    time.advance(seconds=61)
    assert take(late).json["reason"] == "token-invalid"


def test_a_new_spoken_code_ends_the_one_before(client, alice):
    first = client.post(CODES, headers=alice).json
    second = client.post(CODES, headers=alice).json

    assert is_over(first["id"])
    assert not is_over(second["id"])
    assert second["id"] == token.id_of_spoken(second["code"]).hex()


def test_spoken_codes_are_bounded_to_thirty_an_hour(client, alice):
    for _ in range(30):
        assert client.post(CODES, headers=alice).status_code == 201

    assert client.post(CODES, headers=alice).json["reason"] == "rate-limited"


def test_no_row_holds_a_spoken_code(client, alice):
    code = client.post(CODES, headers=alice).json["code"]

    with transaction():
        (row,) = db.session.scalars(select(Credential))
        stored = repr({name: value for name, value in row.__dict__.items() if name[0] != "_"})
    assert code not in stored


def test_eight_signs_that_somebody_had_before_are_not_given_again(client, alice, monkeypatch):
    from kernel import spoken  # noqa: PLC0415

    drawn = iter(["AAAAAAAA", "AAAAAAAA", "BBBBBBBB"])
    monkeypatch.setattr(spoken, "new_code", lambda: next(drawn))

    made = [client.post(CODES, headers=alice).json["code"] for _ in range(2)]

    assert made == ["AAAAAAAA", "BBBBBBBB"]


# Shared plans


def test_a_phone_for_a_shared_plan_is_its_sharer_s_to_look_after(client, world, alice, bob):
    owner, sharer = world.add_member(), world.add_member()
    credential_id = world.add_credential(owner)
    with transaction():
        row = db.session.get_one(Credential, credential_id)
        row.holder_id, row.subscription_id = sharer, UUID(int=7)
    owners, sharers = world.sign_in(owner), world.sign_in(sharer)

    assert listed(client, owners) == []
    (one,) = client.get(PATH, headers=sharers).json["items"]
    assert one["subscription_id"] == str(UUID(int=7))
    assert client.post(f"{PATH}/{one['id']}/revoke", headers=owners).status_code == 404
    assert client.post(f"{PATH}/{one['id']}/revoke", headers=sharers).status_code == 204
    assert is_over(one["id"])


def test_revoking_everything_leaves_what_others_collect_of_a_shared_plan(world):
    owner, sharer = world.add_member(), world.add_member()
    of_sharer, own = world.add_credential(owner), world.add_credential(owner)
    with transaction():
        row = db.session.get_one(Credential, of_sharer)
        row.holder_id, row.subscription_id = sharer, UUID(int=7)

    with transaction():
        redemption.revoke_everything(member_id=owner, now=world.now)

    with transaction():
        live = select(Credential.id).where(Credential.revoked_at.is_(None))
        assert db.session.scalars(live).all() == [of_sharer] != [own]
    with transaction():
        redemption.revoke_everything(member_id=sharer, now=world.now + timedelta(seconds=1))
    with transaction():
        assert db.session.scalars(live).all() == []


def test_nobody_looks_at_phones_without_a_session(client):
    assert client.get(PATH, headers=bearer("mem_" + "A" * 43)).status_code == 401
