"""Capsules: what a phone fetches while online, and what tills check them with."""

from base64 import urlsafe_b64decode
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update

import redemption.jobs
from chain.models import Store
from kernel import clock, outbox
from kernel.config import config
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption import token
from redemption.errors import ApprovalNeeded
from redemption.models import Capsule, Credential, Redemption
from tests.api.signing_in import MovableClock
from tests.service.redemption.tills import change
from tests.world import bearer
from vouchers.models import Wallet

PATH = "/v1/wallet/capsules"
REVOKED = "/v1/capsules/revoked"


@pytest.fixture
def time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    return MovableClock(tmp_path, monkeypatch)


class Phone:
    """Alice's, signed in, with a credential."""

    def __init__(self, client, world, *, cups=11):
        self.client, self.world = client, world
        self.member_id = world.add_member()
        if cups:
            world.add_lot(self.member_id, "eleven", used=11 - cups)
        self.headers = world.sign_in(self.member_id)
        self.renew()

    def renew(self):
        self.id = self.client.post("/v1/wallet/credentials", headers=self.headers).json["id"]

    def fetch(self, cups=2, store="A", **other):
        body = {
            "credential_id": self.id,
            "store_id": str(self.world.stores[store]),
            "cups": cups,
            **other,
        }
        return self.client.post(PATH, json=body, headers=self.headers)

    def serial(self, *asked, **how) -> str:
        got = self.fetch(*asked, **how)
        assert got.status_code == 201, got.json
        return got.json["serial"]


@pytest.fixture
def phone(client, world) -> Phone:
    return Phone(client, world)


@pytest.fixture
def revoked(client, world):
    """The serials that tills are told to refuse."""
    till = bearer(world.add_till("A").token)

    def ask() -> list[str]:
        answer = client.get(REVOKED, headers=till)
        assert answer.status_code == 200, answer.json
        return answer.json["serials"]

    return ask


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_capsule_can_be_shown_and_checked_without_a_network(client, phone):
    got = phone.fetch().json
    sealed, seed = raw(got["capsule"]), bytes.fromhex(got["seed"])

    code = token.parse(
        token.show_capsule(capsule=sealed, seed=seed, step=token.step_at(clock.now()))
    )
    keys = {
        one["id"]: raw(one["public_key"]) for one in client.get("/v1/capsule-keys").json["items"]
    }

    assert code.is_genuine
    token.check_fresh(code, now=clock.now())
    assert (code.sealed.serial.hex(), code.sealed.cups) == (got["serial"], got["cups"])
    assert (code.sealed.store_group, got["store_group"]) == (1, 1)
    assert code.sealed.ends_at == datetime.fromisoformat(got["ends_at"])
    Ed25519PublicKey.from_public_bytes(keys[sealed[1]]).verify(sealed[17:], sealed[:17])


def test_it_is_good_for_a_day(phone):
    before = clock.now()

    ends_at = datetime.fromisoformat(phone.fetch().json["ends_at"])

    assert timedelta(hours=24) - timedelta(seconds=1) <= ends_at - before
    assert ends_at <= clock.now() + timedelta(hours=24)


def test_it_ends_with_the_cups_that_it_is_for(client, world):
    phone = Phone(client, world, cups=0)
    soon = (clock.now() + timedelta(hours=3)).replace(microsecond=0)
    late = soon + timedelta(hours=30)
    world.add_lot(phone.member_id, "eleven", ends_at=soon, expiry_mode="lapse")
    world.add_lot(phone.member_id, "eleven", used=10, ends_at=late, expiry_mode="lapse")

    two = datetime.fromisoformat(phone.fetch(2).json["ends_at"])
    change_all(revoked_at=clock.now())
    one = datetime.fromisoformat(phone.fetch(1).json["ends_at"])

    assert abs(two - soon) <= timedelta(seconds=1)
    assert one - soon > timedelta(hours=20)


def test_asking_again_gives_the_same_one_back(phone):
    first = phone.fetch(2).json

    assert phone.fetch(2).json == first
    assert phone.fetch(1).json == first


def test_another_phone_of_the_member_gets_the_same_one(phone):
    first = phone.serial()
    phone.renew()

    assert phone.serial() == first


def test_after_its_end_there_is_another(phone, time):
    first = phone.serial()
    time.advance(hours=24, seconds=1)
    phone.renew()

    assert phone.serial() != first


def test_once_it_was_used_there_is_another_and_the_used_one_is_revoked(phone, world, revoked):
    first = phone.serial()
    till = world.add_till("A")
    world.take(till, phone.member_id, now=clock.now())
    with transaction():
        db.session.execute(update(Redemption).values(credential_id=bytes.fromhex(first), step=None))

    second = phone.serial()

    assert second != first
    assert revoked() == [first]


def change_all(**values) -> None:
    with transaction():
        db.session.execute(update(Capsule).values(**values))


@pytest.mark.parametrize(("held", "wanted", "status"), [(1, 1, 201), (1, 2, 409), (0, 1, 409)])
def test_it_is_only_given_while_so_many_cups_are_held(client, world, held, wanted, status):
    phone = Phone(client, world, cups=held)

    got = phone.fetch(wanted)

    assert got.status_code == status
    if status == 409:
        assert got.json["reason"] == "insufficient-cups"
        assert (got.json["held"], got.json["wanted"]) == (held, wanted)


@pytest.mark.parametrize(
    "lot",
    [
        {"frozen_at": datetime.fromisoformat("2026-01-01T00:00:00Z")},
        {"ends_at": datetime.fromisoformat("2026-01-20T00:00:00Z"), "expiry_mode": "top_up"},
    ],
)
def test_cups_that_are_frozen_or_cost_more_are_none_for_it(client, world, lot, time):
    time.advance(days=0)
    phone = Phone(client, world, cups=0)
    world.add_lot(phone.member_id, "eleven", **lot)

    assert phone.fetch(1).json["reason"] == "insufficient-cups"


def test_cups_nobody_counts_are_enough_for_two(client, world):
    phone = Phone(client, world, cups=0)
    world.add_offer("club", cups=0, bonus_cups=0, is_unlimited=True, kind="plan")
    world.add_days(phone.member_id, "club", days=36_500, ends_at=clock.now() + timedelta(days=9))

    assert phone.fetch(2).status_code == 201


def test_cups_that_no_store_of_the_group_takes_are_none_for_it(client, world):
    phone = Phone(client, world, cups=0)
    world.add_offer("local", accepted_at="selling")
    world.add_lot(phone.member_id, "local")  # sold by store A
    change(Store, world.stores["C"], offline_group=7)

    assert phone.fetch(1, "C").json["reason"] == "insufficient-cups"
    with transaction():
        db.session.execute(
            update(Store).where(Store.id == world.stores["A"]).values(offline_group=7)
        )
    assert phone.fetch(1, "C").json["store_group"] == 7


def test_a_blocked_wallet_gets_none_and_what_it_has_is_revoked(phone, revoked):
    serial = phone.serial()
    assert revoked() == []

    with transaction():
        db.session.execute(update(Wallet).values(blocked_at=clock.now()))

    assert revoked() == [serial]
    assert phone.fetch().json["reason"] == "wallet-blocked"


def test_losing_a_phone_revokes_it(client, phone, revoked):
    serial = phone.serial()

    client.post(f"/v1/wallet/credentials/{phone.id}/revoke", headers=phone.headers)

    assert revoked() == [serial]
    assert phone.fetch().status_code == 404
    phone.renew()
    assert phone.serial() != serial


def test_losing_everything_revokes_it(client, phone, revoked):
    serial = phone.serial()

    client.post("/v1/wallet/credentials/revoke", headers=phone.headers)

    assert revoked() == [serial]


def test_ending_a_card_leaves_it(client, phone, revoked):
    phone.serial()
    card = client.post("/v1/wallet/cards", json={}, headers=phone.headers).json["id"]

    client.post(f"/v1/wallet/credentials/{card}/revoke", headers=phone.headers)

    assert revoked() == []


def test_cups_that_are_withdrawn_revoke_it(phone, revoked):
    serial = phone.serial()
    with transaction():
        outbox.emit("cups.withdrawn", now=clock.now(), holder_id=phone.member_id)
        outbox.emit("cups.withdrawn", now=clock.now(), holder_id=new_id())

    assert redemption.jobs  # what the worker imports
    outbox.drain()

    assert revoked() == [serial]


def test_what_has_ended_is_listed_no_more(client, phone, revoked, time):
    phone.serial()
    client.post("/v1/wallet/credentials/revoke", headers=phone.headers)
    assert len(revoked()) == 1

    time.advance(hours=24, seconds=1)

    assert revoked() == []


def test_ten_are_made_within_a_day(client, phone, time):
    for _ in range(10):
        serial = phone.serial()
        change_all(revoked_at=clock.now())

    refused = phone.fetch()

    assert (refused.status_code, refused.json["reason"]) == (429, "rate-limited")
    assert serial
    time.advance(hours=24)
    phone.renew()
    assert phone.fetch().status_code == 201


@pytest.fixture
def bounded(monkeypatch):
    """The chain lets a phone have two cups in its first day."""
    monkeypatch.setenv("NEW_DEVICE_CUPS", "2")
    config.cache_clear()
    yield
    config.cache_clear()


def approve(client, phone, cups):
    path = f"/v1/wallet/credentials/{phone.id}/approve"
    assert client.post(path, json={"cups": cups}, headers=phone.headers).status_code == 200


def test_a_new_phone_gets_no_more_by_capsules_than_the_chain_lets_it_have(client, bounded, phone):
    first = phone.serial(2)
    assert phone.serial(2) == first  # the answer was lost
    change_all(revoked_at=clock.now())

    refused = phone.fetch(1)

    assert (refused.status_code, refused.json["reason"]) == (409, "approval-needed")
    assert (refused.json["free"], refused.json["wanted"]) == (0, 1)
    approve(client, phone, 1)
    assert phone.fetch(1).status_code == 201


def test_all_new_phones_of_a_wallet_count_together(bounded, phone):
    first = phone.serial(1)
    phone.renew()  # another one: whoever has stolen a session can make several
    assert phone.serial(1) == first
    change_all(revoked_at=clock.now())
    phone.serial(1)
    change_all(revoked_at=clock.now())

    assert phone.fetch(1).json["free"] == 0


def test_what_a_new_phone_has_collected_counts_too(world, bounded, phone):
    code = world.code(bytes.fromhex(phone.id), at=clock.now())
    redemption.redeem(scan=world.scan(world.add_till("A"), code, 1), now=clock.now())

    assert phone.fetch(2).json["free"] == 1
    assert phone.fetch(1).status_code == 201


def test_what_a_new_phone_has_fetched_a_till_counts_too(world, bounded, phone):
    phone.serial(1)
    till = world.add_till("A")

    def scan(cups, step):
        code = world.code(bytes.fromhex(phone.id), at=clock.now() - timedelta(seconds=15 * step))
        redemption.redeem(scan=world.scan(till, code, cups), now=clock.now())

    with pytest.raises(ApprovalNeeded) as told:
        scan(2, 0)
    assert told.value.facts == {"free": 1, "wanted": 2}
    scan(1, 1)


def test_a_phone_that_is_known_for_a_day_gets_what_it_asks_for(bounded, phone, time):
    before = phone.id
    time.advance(hours=23)
    renew = f"/v1/wallet/credentials/{before}/renew"
    phone.id = phone.client.post(renew, headers=phone.headers).json["id"]
    time.advance(hours=2)
    for _ in range(3):
        phone.serial(2)
        change_all(revoked_at=clock.now())


def test_it_is_for_a_phone_of_one_s_own(client, world, phone):
    others = Phone(client, world)
    card = client.post("/v1/wallet/cards", json={}, headers=phone.headers).json["id"]

    assert phone.fetch(credential_id=others.id).status_code == 404
    assert phone.fetch(credential_id=card).status_code == 404
    assert phone.fetch(store_id=str(new_id())).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"cups": 0},
        {"cups": 3},
        {"cups": True},
        {"credential_id": "AA"},
        {"store_id": "x"},
        {"x": 1},
    ],
)
def test_a_body_that_is_not_as_described_is_not_valid(phone, wrong):
    refused = phone.fetch(**wrong)

    assert (refused.status_code, refused.json["reason"]) == (422, "validation")


def test_no_row_holds_a_capsule_s_secret(phone):
    got = phone.fetch().json

    with transaction():
        rows = [*db.session.scalars(select(Capsule)), *db.session.scalars(select(Credential))]
        stored = [value for row in rows for value in row.__dict__.values() if type(value) is bytes]
    assert bytes.fromhex(got["seed"]) not in stored
    assert raw(got["capsule"])[17:] not in stored


def test_everybody_may_see_the_keys_and_only_tills_what_is_revoked(client, phone):
    keys = client.get("/v1/capsule-keys").json["items"]

    assert len(keys) == 3
    assert all(len(raw(one["public_key"])) == 32 for one in keys)
    assert client.get(REVOKED).status_code == 401
    assert client.get(REVOKED, headers=phone.headers).status_code == 401
