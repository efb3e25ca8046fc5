"""What else than a phone's QR opens a wallet at a till, and how little it is good for."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from kernel import hot
from kernel.config import config
from kernel.db import db
from kernel.transaction import transaction
from redemption import token
from redemption.errors import (
    ApprovalNeeded,
    InsufficientCups,
    LimitReached,
    StoreNotAccepted,
    TokenExpired,
    TokenInvalid,
    TokenUsed,
)
from redemption.models import Capsule, Credential, Redemption
from redemption.service import redeem as module
from redemption.service.redeem import redeem
from tests.service.redemption.tills import undo
from tests.world import only

SPOKEN = "7GK2PM4X"
SERIAL = b"serial-1"
HOURS = timedelta(hours=1)


@pytest.fixture
def alice(world):
    world.till, member_id = world.add_till("A"), world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


@pytest.fixture
def setting(monkeypatch):
    """Let the chain be as careful as this."""

    def use(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        config.cache_clear()

    yield use
    monkeypatch.undo()
    config.cache_clear()


def credential(world, member_id, **terms):
    """Another way to open a wallet; answers its id."""
    row = Credential(
        **{
            "id": token.new_credential_id(),
            "member_id": member_id,
            "issued_at": world.now - 48 * HOURS,
            "ends_at": world.now + 300 * HOURS,
            **terms,
        }
    )
    with transaction():
        db.session.add(row)
        return row.id


def card(world, member_id):
    return token.make_card(credential(world, member_id, kind="card"))


def capsule(world, member_id, *, cups=2, group=1, **terms):
    """The text of a capsule that is shown now."""
    credential_id = credential(world, member_id)
    ends_at = world.now + 24 * HOURS
    with transaction():
        db.session.add(
            Capsule(
                **{
                    "serial": SERIAL,
                    "member_id": member_id,
                    "credential_id": credential_id,
                    "cups": cups,
                    "store_group": group,
                    "key_id": 1,
                    "issued_at": world.now,
                    "ends_at": ends_at,
                    **terms,
                }
            )
        )
    made = token.make_capsule(
        serial=SERIAL, cups=cups, store_group=group, issued_at=world.now, ends_at=ends_at
    )
    return lambda step: token.show_capsule(
        capsule=made, seed=token.capsule_seed(SERIAL), step=token.step_at(world.now) + step
    )


def take(world, code, cups=1, *, now=None, **other):
    return redeem(scan=world.scan(world.till, code, cups, **other), now=now or world.now)


def test_a_card_hands_over_again_and_again_and_keeps_its_limits(world, alice):
    printed = card(world, alice)
    with pytest.raises(LimitReached) as refusal:
        take(world, printed, 3)
    assert refusal.value.facts["limit"] == "card_per_scan"
    assert take(world, printed, 2).cups == 2
    assert take(world, printed, 2).left == 7
    with pytest.raises(LimitReached) as refusal:
        take(world, printed)
    told = refusal.value.facts
    tomorrow = world.now + 16 * HOURS
    assert (told["limit"], told["next_at"]) == ("card_per_day", "2026-01-15T04:00:00+08:00")
    assert take(world, printed, now=tomorrow).cups == 1


@pytest.mark.parametrize(
    ("terms", "units", "limit", "allowed"),
    [
        ({"cups_per_day": 3}, 11, "card_per_scan", 2),
        ({"cups_per_day": 1}, 11, "cups_per_day", 1),
        ({}, 4, "card_per_scan", 2),
    ],
)
def test_whoever_asks_for_what_was_told_to_be_left_is_served(world, terms, units, limit, allowed):
    """Of the card's, the plan's and the wallet's bounds the one is told that leaves least."""
    world.till, bob = world.add_till("A"), world.add_member()
    world.add_offer("some", **terms)
    world.add_lot(bob, "some", units=units)
    printed = card(world, bob)
    with pytest.raises(LimitReached) as refusal:
        take(world, printed, 5)
    told = refusal.value.facts
    assert (told["limit"], told["allowed"], told["wanted"]) == (limit, allowed, 5)
    assert take(world, printed, allowed).cups == allowed


def test_a_card_s_cup_that_was_undone_may_be_had_again(world, alice):
    printed = card(world, alice)
    take(world, printed, 2)
    redeemed = take(world, printed, 2)
    undo(world.till, redeemed, now=world.now)
    assert take(world, printed, 2).cups == 2


def test_another_card_of_the_same_wallet_has_its_own_limit(world, alice):
    first, second = card(world, alice), card(world, alice)
    take(world, first, 2)
    take(world, first, 2)
    assert take(world, second, 2).left == 5


def test_a_phone_s_seed_makes_no_card_and_a_card_no_phone_s_code(world, alice):
    phone, printed = credential(world, alice), credential(world, alice, kind="card")
    for text in (token.make_card(phone), world.code(printed)):
        with pytest.raises(TokenInvalid):
            take(world, text)


def test_a_code_that_is_read_aloud_is_good_once(world, alice):
    spoken = {"id": token.id_of_spoken(SPOKEN), "kind": "code"}
    credential(world, alice, **spoken, ends_at=world.now + timedelta(minutes=1))
    assert take(world, "7gk2-pm4x", 3).cups == 3
    with pytest.raises(TokenUsed):
        take(world, SPOKEN)
    with pytest.raises(TokenInvalid):
        take(world, SPOKEN, now=world.now + timedelta(minutes=2))


def test_an_unknown_code_that_is_read_aloud_is_none(world, alice):
    with pytest.raises(TokenInvalid):
        take(world, SPOKEN)


def test_a_capsule_gives_its_cups_at_a_till_that_is_online_too(world, alice):
    shown = capsule(world, alice)
    assert take(world, shown(0)).cups == 1
    with pytest.raises(TokenUsed):
        take(world, shown(0))
    with pytest.raises(LimitReached) as refusal:
        take(world, shown(1), 2)
    assert (refusal.value.facts["limit"], refusal.value.facts["allowed"]) == ("capsule", 1)
    assert take(world, shown(1)).left == 9
    assert {row.credential_id for row in db.session.scalars(select(Redemption))} == {SERIAL}
    db.session.rollback()


def test_a_capsule_is_for_its_group_of_stores(world, alice):
    with pytest.raises(StoreNotAccepted):
        take(world, capsule(world, alice, group=9)(0))


@pytest.mark.parametrize("over", ["revoked_at", "ends_at"])
def test_a_capsule_that_is_over_opens_nothing(world, alice, over):
    with pytest.raises(TokenInvalid):
        take(world, capsule(world, alice, **{over: world.now})(0))


def test_a_photograph_of_a_capsule_is_soon_too_old(world, alice):
    with pytest.raises(TokenExpired):
        take(world, capsule(world, alice)(-4))


def test_under_the_wallet_s_lock_a_capsule_finds_its_wallet_too(world, alice, monkeypatch):
    monkeypatch.setattr(module, "_OPTIMISTIC_TRIES", 0)
    assert take(world, capsule(world, alice)(0)).cups == 1


def test_many_cups_at_once_want_the_member_s_approval(world, alice, setting):
    setting(APPROVAL_FROM_CUPS=5)
    phone = credential(world, alice)
    code = world.code(phone)
    assert take(world, world.code(phone, step=1), 4).cups == 4
    with pytest.raises(ApprovalNeeded) as refusal:
        take(world, code, 5)
    assert refusal.value.facts == {"wanted": 5, "free": 4}
    approve(world, phone, 5)
    assert take(world, code, 5).cups == 5


def test_an_approval_ends(world, alice, setting):
    setting(APPROVAL_FROM_CUPS=5)
    phone = credential(world, alice)
    approve(world, phone, 9)
    with pytest.raises(ApprovalNeeded):
        take(world, world.code(phone, step=40), 6, now=world.now + timedelta(minutes=10))


def test_nobody_approves_what_is_not_there(world, alice, setting):
    setting(APPROVAL_FROM_CUPS=5)
    with pytest.raises(InsufficientCups):
        take(world, world.code(credential(world, alice)), 12)


def test_all_drinks_of_a_scan_count_for_the_approval(world, setting):
    setting(APPROVAL_FROM_CUPS=5)
    world.till, bob = world.add_till("A"), world.add_member()
    world.add_offer("both", product=("latte", "mocha"))
    world.add_lot(bob, "both")
    with pytest.raises(ApprovalNeeded):
        take(world, world.code(credential(world, bob)), drinks={"latte": 3, "mocha": 2})


def test_a_new_phone_collects_little_in_its_first_day_though_it_renews(world, alice, setting):
    setting(NEW_DEVICE_CUPS=2)
    since = world.now - HOURS
    first = credential(world, alice, issued_at=since)
    assert take(world, world.code(first)).cups == 1
    renewed = credential(world, alice, issued_at=world.now, phone_since=since)
    with pytest.raises(ApprovalNeeded) as refusal:
        take(world, world.code(renewed), 2)
    assert refusal.value.facts == {"wanted": 2, "free": 1}
    approve(world, renewed, 2)
    assert take(world, world.code(renewed), 2).cups == 2
    old = credential(world, alice)
    assert take(world, world.code(old), 4).cups == 4
    later = since + 24 * HOURS
    assert take(world, world.code(renewed, at=later), 4, now=later).cups == 4


def test_a_phone_that_was_new_long_ago_has_no_bound_on_its_first_day_with_a_new_seed(
    world, alice, setting
):
    setting(NEW_DEVICE_CUPS=2)
    renewed = credential(world, alice, issued_at=world.now, phone_since=world.now - 25 * HOURS)
    assert take(world, world.code(renewed), 4).cups == 4


def test_every_kind_takes_two_statements(world, alice, monkeypatch):
    texts = [card(world, alice), capsule(world, alice)(0), world.code(credential(world, alice))]
    run, ran = hot.rows, []
    monkeypatch.setattr(hot, "rows", lambda sql, params: ran.append(sql) or run(sql, params))
    for text in texts:
        take(world, text)
    assert len(ran) == 2 * len(texts)


def test_a_phone_that_is_revoked_hands_over_nothing(world, alice):
    phone = credential(world, alice)
    with transaction():
        db.session.execute(
            update(Credential).where(Credential.id == phone).values(revoked_at=world.now)
        )
    with pytest.raises(TokenInvalid):
        take(world, world.code(phone))


def approve(world, credential_id, cups):
    until = world.now + timedelta(minutes=10)
    with transaction():
        db.session.execute(
            update(Credential)
            .where(Credential.id == credential_id)
            .values(approved_cups=cups, approved_until=until)
        )


def test_a_card_keeps_which_request_it_was(world, alice):
    """So a retry finds it, however long ago its key was forgotten."""
    printed = card(world, alice)
    scan = world.scan(world.till, printed, 1)
    redeem(scan=scan, now=world.now)
    hot.rows("DELETE FROM idempotency_key RETURNING 1", {})
    with pytest.raises(TokenUsed):
        redeem(scan=scan, now=world.now)
    assert only(Redemption).cups == 1
    assert take(world, printed).cups == 1
