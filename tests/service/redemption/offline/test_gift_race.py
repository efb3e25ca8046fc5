"""A log comes in while cups of the same lot are given away."""

from functools import partial

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import func, select

import vouchers
from kernel.db import db
from kernel.transaction import transaction
from redemption.offline import statements, uploading
from redemption.offline.uploading import upload
from tests.service.redemption.offline.field import Branch, bring, fill, items, left, lines
from tests.service.redemption.races.rush import committed, rush
from tests.service.vouchers.conftest import JOBS
from vouchers.models import Gift

assert JOBS  # they subscribe

CUPS, GIFTS = 6, 6


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven", units=CUPS, net=43 * CUPS)
    return member_id


def give(world, alice, cups=1):
    return committed(lambda: vouchers.give(giver_id=alice, cups=cups, now=world.now))


def given(alice):
    with transaction():
        return db.session.scalar(select(func.sum(Gift.cups)).where(Gift.giver_id == alice)) or 0


@pytest.mark.parametrize("in_order", [True, False], ids=["one by one", "the later ones first"])
def test_each_cup_was_given_away_or_served(app, world, alice, in_order):
    """Out of order they are settled under the wallet's lock, each anew: so on both roads."""
    branch = Branch(world, "A")
    written = [branch.serve(fill(world, alice), after=at) for at in range(CUPS)]
    uploads = [partial(upload, lines=lines([one]), now=world.now) for one in written]
    works = [
        (verb, work)
        for pair in zip(
            [("upload", one) for one in (uploads if in_order else uploads[::-1])],
            [("gift", give(world, alice))] * GIFTS,
            strict=True,
        )
        for verb, work in pair
    ]
    ends = rush(app, works)
    borne = sum(one.cups_borne for one in items())
    assert ends["upload", "done"] == CUPS
    assert {end for _, end in ends} <= {"done", "too-few-to-give", "not-giftable"}, ends
    assert left(alice) + given(alice) + (CUPS - borne) == CUPS
    assert {one.outcome for one in items()} <= {"applied", "overdrawn"}


def _give_between_reading_and_writing(world, alice, monkeypatch):
    decide, gifts = uploading._decide, [give(world, alice, CUPS)]  # noqa: SLF001

    def after_a_gift(mets, now):
        if gifts:
            gifts.pop()()
        return decide(mets, now)

    monkeypatch.setattr(uploading, "_decide", after_a_gift)


def test_a_gift_between_reading_and_writing_is_seen(app, world, alice, monkeypatch):
    served = Branch(world, "A").serve(fill(world, alice))
    _give_between_reading_and_writing(world, alice, monkeypatch)
    (outcome,) = bring(world, served)
    assert (outcome.outcome, outcome.reason) == ("overdrawn", "insufficient-cups")
    assert given(alice) == CUPS


def test_without_the_version_check_it_is_not_seen(app, world, alice, monkeypatch):
    unguarded = statements.WRITE.replace(
        "wallet JOIN seen USING (member_id, version)", "wallet JOIN seen USING (member_id)"
    )
    assert unguarded != statements.WRITE
    monkeypatch.setattr(statements, "WRITE", unguarded)
    served = Branch(world, "A").serve(fill(world, alice))
    _give_between_reading_and_writing(world, alice, monkeypatch)
    with pytest.raises(CheckViolation, match="lot"):
        bring(world, served)
