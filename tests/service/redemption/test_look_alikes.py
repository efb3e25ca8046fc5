"""Codes that open nothing look alike, whatever is wrong with them; and no MAC tells by its time."""

import hmac
from datetime import timedelta

import pytest
from base45 import b45decode, b45encode
from sqlalchemy import update

import redemption
from kernel import hot, spoken
from kernel.db import db
from kernel.transaction import transaction
from redemption import token
from redemption.errors import TokenInvalid
from redemption.models import Capsule, Credential
from redemption.service.redeem import redeem

KINDS = ("phone", "code", "card", "capsule")


class Alice:
    """A member with cups, who can show a code of each kind."""

    def __init__(self, world):
        self.world, self.id = world, world.add_member()
        world.add_lot(self.id, "eleven")

    def show(self, kind: str) -> str:
        now = self.world.now
        with transaction():
            if kind == "code":
                return redemption.issue_spoken_code(member_id=self.id, now=now).code
            if kind == "card":
                return redemption.issue_wallet_card(member_id=self.id, name=None, now=now).code
            phone = redemption.issue_credential(member_id=self.id, now=now)
            if kind == "phone":
                return token.make(credential_id=phone.id, seed=phone.seed, step=token.step_at(now))
            made = redemption.issue_capsule(
                member_id=self.id,
                credential_id=phone.id,
                store_id=self.world.stores["A"],
                cups=2,
                now=now,
            )
            return token.show_capsule(capsule=made.sealed, seed=made.seed, step=token.step_at(now))


@pytest.fixture
def alice(world) -> Alice:
    return Alice(world)


@pytest.fixture
def till(world):
    return world.add_till("A")


def revoke(now) -> None:
    with transaction():
        db.session.execute(update(Credential).values(revoked_at=now))
        db.session.execute(update(Capsule).values(revoked_at=now))


def end(now) -> None:
    """Let all end now, as their rows say."""
    with transaction():
        db.session.execute(update(Credential).values(ends_at=now))
        db.session.execute(update(Capsule).values(ends_at=now))


def unknown(kind: str, now) -> str:
    """As good as a real one, made with the real keys, of nothing that was ever issued."""
    of, step = b"\x07" * 8, token.step_at(now)
    if kind == "code":
        return spoken.new_code()
    if kind == "card":
        return token.make_card(of)
    if kind == "phone":
        return token.make(credential_id=of, seed=token.seed_of(of), step=step)
    made = token.make_capsule(
        serial=of, cups=2, store_group=1, issued_at=now, ends_at=now + timedelta(hours=1)
    )
    return token.show_capsule(capsule=made, seed=token.capsule_seed(of), step=step)


def foreign(kind: str, now) -> str:
    """Made by somebody who has other keys than ours."""
    raw = bytearray(b45decode(unknown(kind, now)))
    raw[-1] ^= 1
    return b45encode(bytes(raw)).decode()


def refusal(world, till, code) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as told:
        redeem(scan=world.scan(till, code), now=world.now)
    return told.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_of_each_kind_is_taken_while_it_is_good(world, alice, till, kind):
    redeem(scan=world.scan(till, alice.show(kind)), now=world.now)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_revoked_ended_and_foreign_codes_get_one_answer(world, alice, till, kind):
    revoked = alice.show(kind)
    revoke(world.now)
    first = refusal(world, till, revoked)
    ended = alice.show(kind)
    end(world.now)

    others = [refusal(world, till, ended), refusal(world, till, unknown(kind, world.now))]
    if kind != "code":  # eight signs have nothing in them that could be wrong
        others.append(refusal(world, till, foreign(kind, world.now)))
    others.append(refusal(world, till, "garbage"))

    assert all((one.code, one.facts) == (first.code, first.facts) for one in others)
    assert first.facts == {}


@pytest.mark.parametrize("kind", ["phone", "card", "capsule"])
def test_garbage_is_told_from_a_code_before_anything_is_looked_up(
    world, alice, till, kind, monkeypatch
):
    """Its id is not even a parameter of the reading."""
    asked = []
    run = hot.rows

    def listen(sql, params):
        asked.append(params)
        return run(sql, params)

    monkeypatch.setattr(hot, "rows", listen)
    forged = foreign(kind, world.now)

    refusal(world, till, forged)

    assert asked
    assert not any(b"\x07" * 8 in params.values() for params in asked)


@pytest.mark.parametrize(("kind", "macs"), [("phone", 1), ("card", 1), ("capsule", 2)])
def test_every_mac_is_compared_in_constant_time(world, alice, kind, macs, monkeypatch):
    compared = []
    compare = hmac.compare_digest

    def listen(ours, theirs):
        compared.append((ours, theirs))
        return compare(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", listen)
    code = alice.show(kind)

    assert token.parse(code).is_genuine
    assert len(compared) == macs
    compared.clear()
    assert not token.parse(foreign(kind, world.now)).is_genuine
    assert len(compared) == macs  # of a capsule both, whichever is wrong


@pytest.mark.parametrize("kind", ["phone", "code", "card"])
def test_a_code_of_one_kind_does_not_open_what_was_issued_as_another(world, alice, till, kind):
    code = alice.show(kind)
    other = next(one for one in ("phone", "code", "card") if one != kind)
    with transaction():
        db.session.execute(update(Credential).values(kind=other))

    refusal(world, till, code)


@pytest.mark.parametrize("kind", KINDS)
def test_at_the_counter_they_look_alike_too(world, alice, till, kind):
    """Where a code only says who is there (`redemption.whose`)."""

    def whose(code):
        return redemption.member_of_code(code=code, device_id=till.device_id, now=world.now)

    good = alice.show(kind)
    assert whose(good) == alice.id
    revoke(world.now)

    for code in (good, unknown(kind, world.now), "garbage"):
        with pytest.raises(TokenInvalid) as told:
            whose(code)
        assert told.value.facts == {}
