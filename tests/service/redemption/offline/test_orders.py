"""The same items end the same, in whatever order, pieces and copies they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import transaction
from redemption.models import OfflineItem, RedemptionLine
from redemption.offline import uploading
from redemption.offline.uploading import upload
from redemption.service.capsules import Filled
from tests.examples import examples
from tests.service.redemption.offline.field import Branch, Written, fill, lines, show
from tests.world import World
from vouchers.models import Lot

LATTE, MOCHA, SOON = "eleven", "mochas", "soon"

WHOSE = st.sampled_from((0, 0, 1))
lots = st.lists(
    st.tuples(WHOSE, st.sampled_from((LATTE, LATTE, SOON, MOCHA)), st.integers(1, 2)),
    min_size=1,
    max_size=3,
)
capsules = st.lists(st.tuples(WHOSE, st.integers(1, 2)), min_size=1, max_size=4)
served = st.tuples(
    st.integers(0, 2),  # till
    st.integers(0, 3),  # capsule
    st.integers(1, 2),  # cups
    st.sampled_from(("latte", "latte", "mocha")),
    st.integers(0, 20),  # minutes after now
    st.sampled_from((*[""] * 12, "fork", "break", "forge")),
)


@dataclass
class Twin:
    """One of two worlds that are the same: wallets, lots, capsules, tills and what they wrote."""

    members: list[UUID]
    lots: list[UUID]
    written: list[Written]


def twin(world: World, lots, capsules, served) -> Twin:
    """Make one; everything in it happens at the same moments as in the other."""
    members = [world.add_member() for _ in range(2)]
    held = [add_lot(world, members[whose], offer, units) for whose, offer, units in lots]
    filled = [fill(world, members[whose], cups) for whose, cups in capsules]
    tills = [Branch(world, store) for store in "ABC"]
    return Twin(members, held, [write(tills, filled, one) for one in served])


def add_lot(world: World, member_id: UUID, offer: str, units: int) -> UUID:
    ends_at = world.now + timedelta(minutes=10) if offer == SOON else None
    return world.add_lot(
        member_id, offer, units=units, net=43 * units, vat=2 * units, ends_at=ends_at
    )


def write(tills: Sequence[Branch], filled: Sequence[Filled], one) -> Written:
    """Write an item into a till's log, or into what somebody has made of it."""
    which, capsule, cups, product, minute, mischief = one
    branch = tills[which]
    log = branch.offline.log
    at = branch.world.now + timedelta(minutes=minute, milliseconds=which)
    shown = show(filled[capsule % len(filled)], at)
    if mischief == "fork":
        log.number = max(0, log.number - 1)
    elif mischief == "break":
        log.last_hash = "ab" * 32
    elif mischief == "forge":
        shown = shown[:-1] + ("0" if shown[-1] != "0" else "1")
    return branch.write(shown, cups, at=at, product=branch.world.products[product])


def ends(one: Twin) -> list[object]:
    """What became of everything: items in the order of writing, and what the lots hold."""
    with transaction():
        rows = {row.item: row for row in db.session.scalars(select(OfflineItem))}
        told: list[object] = []
        for written in one.written:
            row = rows[written["item"]]
            picked = db.session.scalars(
                select(RedemptionLine)
                .where(RedemptionLine.redemption_id == row.redemption_id)
                .order_by(RedemptionLine.lot_id)
            )
            picks = [(one.lots.index(line.lot_id), line.cups) for line in picked]
            told.append((row.outcome, row.reason, row.cups_borne, sorted(picks)))
        for lot_id in one.lots:
            lot = db.session.scalars(select(Lot).where(Lot.id == lot_id)).one()
            told.append((lot.used, lot.net_recognised, lot.vat_gone))
        db.session.expunge_all()
    return told


@settings(
    max_examples=examples(4),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    lots=lots, capsules=capsules, served=st.lists(served, min_size=2, max_size=8), data=st.data()
)
def test_the_outcome_does_not_depend_on_the_order_of_upload(world, lots, capsules, served, data):
    if MOCHA not in world.offers:
        world.add_offer(MOCHA, product="mocha")
        world.add_offer(SOON, expiry_mode="lapse")
    later = world.now + timedelta(hours=1)
    at_once, in_pieces = (twin(world, lots, capsules, served) for _ in range(2))
    upload(lines=lines(at_once.written), now=later)
    shuffled = data.draw(st.permutations(in_pieces.written))
    again = data.draw(st.lists(st.sampled_from(in_pieces.written), max_size=3))
    sent = [*shuffled, *again]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(uploading, "AT_ONCE", data.draw(st.integers(1, 8)))
        while sent:
            many = data.draw(st.integers(1, len(sent)))
            piece, sent = sent[:many], sent[many:]
            upload(lines=lines(piece), now=later)
    assert ends(in_pieces) == ends(at_once)
