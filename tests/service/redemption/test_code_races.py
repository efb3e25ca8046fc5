"""Many phones of one member at once: one capsule, so many credentials, one card from one code."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

import members
import redemption
import vouchers
from kernel.db import db
from kernel.errors import RateLimited, Refusal
from kernel.transaction import transaction
from members.policy import code_of
from redemption.models import Capsule, Credential, Redemption
from redemption.service import capsules, credentials
from redemption.service.redeem import redeem
from tests.together import together

AT_ONCE, MANY = 16, 22
RACES = 12
"""Without its lock one race may end well by chance, so many do not."""


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def count(model, *where) -> int:
    with transaction():
        return db.session.scalar(select(func.count()).select_from(model).where(*where))


def unlocked(monkeypatch, module) -> None:
    """Take the wallet's lock out, as a careless change would."""

    def look(member_id):
        return db.session.get_one(vouchers.models.Wallet, member_id)

    monkeypatch.setattr(module.vouchers, "change_wallet", look)


def ask_for_capsules(app, world, member_id):
    phone = world.add_credential(member_id)

    def ask():
        return redemption.issue_capsule(
            member_id=member_id,
            credential_id=phone,
            store_id=world.stores["A"],
            cups=2,
            now=world.now,
        ).capsule.serial

    return together(app, [ask] * AT_ONCE)


def test_all_who_ask_at_once_get_the_same_capsule(app, world, alice):
    got = ask_for_capsules(app, world, alice)

    assert len(set(got)) == 1
    assert count(Capsule) == 1


def test_without_the_lock_there_would_be_several(app, world, monkeypatch):
    unlocked(monkeypatch, capsules)

    def there_are_several() -> bool:
        bob = world.add_member()
        world.add_lot(bob, "eleven")
        ask_for_capsules(app, world, bob)
        return count(Capsule, Capsule.member_id == bob) > 1

    assert any(there_are_several() for _ in range(RACES))


def ask_for_credentials(app, world, member_id):
    return together(
        app,
        [lambda: redemption.issue_credential(member_id=member_id, now=world.now)] * MANY,
    )


def test_never_more_are_live_nor_made_than_there_may_be(app, world, alice):
    got = ask_for_credentials(app, world, alice)

    refused = [one for one in got if isinstance(one, RateLimited)]
    assert len(refused) == MANY - credentials.MOST_AN_HOUR
    assert count(Credential, Credential.revoked_at.is_(None)) == credentials.LIVE_AT_MOST


def test_without_the_lock_there_would_be_more(app, world, monkeypatch):
    unlocked(monkeypatch, credentials)

    def there_are_more() -> bool:
        bob = world.add_member()
        ask_for_credentials(app, world, bob)
        live = (Credential.member_id == bob, Credential.revoked_at.is_(None))
        return count(Credential, *live) > credentials.LIVE_AT_MOST

    assert any(there_are_more() for _ in range(RACES))


def test_one_code_read_aloud_makes_one_card(app, world):
    with transaction():
        asked = members.challenge(phone="0912345678", locale="en", purpose="card", now=world.now).id

    def make() -> object:
        return redemption.issue_card_at_till(
            challenge_id=asked, code=code_of(asked, "card"), now=world.now
        )

    got = together(app, [make] * AT_ONCE)

    assert len([one for one in got if not isinstance(one, Refusal)]) == 1
    assert count(Credential) == 1


def test_a_scan_and_a_revocation_come_one_after_the_other(app, world, alice):
    """Whatever is handed over was handed over before; afterwards nothing is."""
    till, credential_id = world.add_till("A"), world.add_credential(alice)
    scans = [world.scan(till, world.code(credential_id, step=step)) for step in (-3, -2, -1, 0, 1)]

    def revoke() -> None:
        with transaction():
            redemption.revoke_credential(
                member_id=alice, credential_id=credential_id, now=world.now
            )

    works = [lambda one=one: redeem(scan=one, now=world.now) for one in scans]
    got = together(app, [*works, revoke], in_transactions=False)

    refused = [one.code for one in got if isinstance(one, Refusal)]
    assert set(refused) <= {"token-invalid"}
    with pytest.raises(Refusal, match="token-invalid"):
        redeem(scan=world.scan(till, world.code(credential_id, step=1)), now=world.now)


def test_revoking_makes_a_scan_decide_again(world, alice, monkeypatch):
    """The till has read the wallet; then the phone is revoked; what it writes comes to nothing."""
    from redemption.service import redeem as redeeming  # noqa: PLC0415

    till, credential_id = world.add_till("A"), world.add_credential(alice)
    written = []
    row_of = redeeming.hot.rows

    def revoke_first(sql, params):
        if "version" in params and not written:
            written.append(sql)
            with transaction():
                redemption.revoke_credential(
                    member_id=alice, credential_id=credential_id, now=world.now
                )
        return row_of(sql, params)

    monkeypatch.setattr(redeeming.hot, "rows", revoke_first)

    with pytest.raises(Refusal, match="token-invalid"):
        redeem(scan=world.scan(till, world.code(credential_id)), now=world.now)
    assert written


def test_disowning_twice_at_once_says_it_once(app, world, alice):
    redeemed = world.take(world.add_till("A"), alice)

    def disown() -> None:
        redemption.disown(
            member_id=alice, redemption_id=UUID(redeemed.id), now=world.now + timedelta(seconds=1)
        )

    assert together(app, [disown] * 8) == [None] * 8
    assert count(Redemption, Redemption.disowned_at.is_not(None)) == 1
