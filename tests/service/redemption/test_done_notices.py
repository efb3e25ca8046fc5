"""Members hear of each redemption: what, where, when, what is left, and how to say “not me”."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, update

import members
import redemption.jobs
import vouchers
from kernel import outbox
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from members.models import Member
from redemption import disown_token
from redemption.models import Redemption
from redemption.notices import tell_done
from tests.service.redemption.tills import undo

assert redemption.jobs  # what the worker imports


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


def tell(*redeemed, of, now) -> None:
    with transaction():
        tell_done([(of, UUID(one.id)) for one in redeemed], now=now)


def told(member_id) -> list[dict]:
    rows = select(Outbox).where(Outbox.topic == "member.notice").order_by(Outbox.id)
    with transaction():
        facts = [row.facts for row in db.session.scalars(rows)]
    return [one["facts"] for one in facts if one["to"] == str(member_id)]


def test_the_member_hears_what_was_collected_and_what_is_left(world, alice):
    redeemed = world.take(world.add_till("B"), alice, 3)

    tell(redeemed, of=alice, now=world.now)

    (facts,) = told(alice)
    assert facts["drinks"] == "latte M ×3"
    assert facts["left"] == {"count": 8, "unit": "cup"}
    assert facts["store"] == "Store B"
    assert datetime.fromisoformat(facts["at"]) == world.now
    assert facts["redemption_id"] == redeemed.id


def test_many_are_told_in_one_statement_each_their_own(world, alice, monkeypatch):
    till, bob = world.add_till("A"), world.add_member()
    world.add_lot(bob, "eleven")
    world.take(till, bob, 9)
    first, second = world.take(till, alice, 1), world.take(till, bob, 2)
    with transaction():
        seen = []
        run = db.session.execute
        monkeypatch.setattr(
            db.session, "execute", lambda *of, **how: seen.append(of) or run(*of, **how)
        )
        tell_done([(alice, UUID(first.id)), (bob, UUID(second.id))], now=world.now)

    assert len(seen) == 1
    assert [one["drinks"] for one in told(alice)] == ["latte M ×1"]
    assert [(one["drinks"], one["left"]["count"]) for one in told(bob)] == [("latte M ×2", 0)]


def test_what_cannot_be_collected_is_not_told_as_left(world, alice):
    world.add_lot(alice, "eleven", frozen_at=world.now)
    redeemed = world.take(world.add_till("A"), alice)

    tell(redeemed, of=alice, now=world.now)

    assert told(alice)[0]["left"]["count"] == 10


def test_who_holds_only_what_nobody_counts_is_not_told_that_none_is_left(world):
    world.add_offer("club", cups=0, bonus_cups=0, is_unlimited=True, kind="plan")
    till, bob = world.add_till("A"), world.add_member()
    world.add_days(bob, "club", net=2857, vat=143)
    alone = world.take(till, bob)
    tell(alone, of=bob, now=world.now)
    world.add_lot(bob, "eleven")
    beside = world.take(till, bob)
    tell(beside, of=bob, now=world.now)

    first, second = told(bob)
    assert (first["drinks"], first.get("left")) == ("latte M ×1", None)
    assert (second["drinks"], second["left"]["count"]) == ("latte M ×1", 11)


def test_what_was_undone_is_not_told(world, alice):
    till = world.add_till("A")
    redeemed = world.take(till, alice)
    undo(till, redeemed, now=world.now)

    tell(redeemed, of=alice, now=world.now)

    assert told(alice) == []


def test_a_message_is_not_sent_once_it_was_undone(engines, world, alice):
    till = world.add_till("A")
    redeemed = world.take(till, alice)
    tell(redeemed, of=alice, now=world.now)
    undo(till, redeemed, now=world.now)

    outbox.send_notices()

    assert not engines.message_file.exists()


@pytest.mark.parametrize(
    ("zone", "shown"), [("Asia/Taipei", "14 January 2026 12:00"), ("Europe/London", "04:00")]
)
def test_the_message_says_the_member_s_time_and_leads_to_not_me(
    engines, world, with_phone, zone, shown
):
    member_id = with_phone(time_zone=zone, locale="en")
    world.add_lot(member_id, "eleven")
    redeemed = world.take(world.add_till("B"), member_id, 2)
    tell(redeemed, of=member_id, now=world.now)

    outbox.send_notices()

    message = engines.message_file.read_text(encoding="utf-8")
    link = f"/n/{disown_token.make(UUID(redeemed.id))}"
    assert shown in message
    assert "latte M ×2" in message
    assert f"http://127.0.0.1:8000{link}" in message


def test_no_row_holds_the_link(world, alice):
    redeemed = world.take(world.add_till("A"), alice)
    tell(redeemed, of=alice, now=world.now)

    with transaction():
        stored = repr([row.facts for row in db.session.scalars(select(Outbox))])
    assert disown_token.make(UUID(redeemed.id)) not in stored


def test_a_redemption_is_told_by_itself(world, alice):
    world.take(world.add_till("A"), alice)

    outbox.drain()

    assert [one["drinks"] for one in told(alice)] == ["latte M ×1"]


@pytest.fixture
def with_phone(world):
    """Make a member whom messages reach."""

    def make(**about):
        with transaction():
            member_id = members.member_of_phone(phone="0912345678", now=world.now)
            vouchers.change_wallet(member_id)
            db.session.execute(update(Member).where(Member.id == member_id).values(**about))
        return member_id

    return make


def test_somebody_else_s_redemption_is_not_told_to_the_member(world, alice):
    bob = world.add_member()
    redeemed = world.take(world.add_till("A"), alice)

    tell(redeemed, of=bob, now=world.now)

    assert (told(alice), told(bob)) == ([], [])
    with transaction():
        assert db.session.scalars(select(Redemption.disowned_at)).all() == [None]
