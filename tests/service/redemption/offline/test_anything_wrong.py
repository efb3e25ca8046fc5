"""Whatever is wrong with an item, and however much at once: a person can decide about it."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from chain.models import Device, Staff, Store
from kernel.db import db
from kernel.errors import Refusal
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption.models import Capsule, OfflineItem
from redemption.offline import allowed_for, resolve
from tests.examples import examples
from tests.service.redemption.offline.field import Branch, bring, fill, show
from tests.service.redemption.tills import change
from vouchers.models import Lot, Wallet

WRONG = (
    "old", "ahead", "stale", "forged", "nonsense", "unknown", "revoked", "expired", "group",
    "product", "mocha", "staff", "own", "left", "many", "top-up", "stolen", "key", "fork", "broken",
    "blocked", "frozen", "empty", "bought since",
)  # fmt: skip


def write(world, wrong):
    """An item of Alice's with all of this wrong; and the till that says to have served it."""
    branch, alice = Branch(world, "A"), world.add_member()
    lot = world.add_lot(alice, "eleven", units=11 if "empty" not in wrong else 1, net=43)
    if "empty" in wrong:
        world.take(world.add_till("B"), alice)
    at = world.now - timedelta(days=5 if "old" in wrong else 0)
    at += timedelta(hours=2 if "ahead" in wrong else 0)
    capsule = fill(world, alice, 2, at=at - timedelta(hours=30 if "expired" in wrong else 0))
    shown = show(capsule, at - timedelta(hours="stale" in wrong))
    if "forged" in wrong:
        shown = shown[:-1] + ("0" if shown[-1] != "0" else "1")
    if "nonsense" in wrong:
        shown = "nonsense"
    said = {}
    if "product" in wrong or "mocha" in wrong:
        said["product"] = new_id() if "product" in wrong else world.products["mocha"]
    if "staff" in wrong:
        said["staff"] = new_id()
    log = branch.offline.log
    if "fork" in wrong:
        bring(world, branch.write("first", at=at))
        log.number = 0
    if "broken" in wrong:
        log.last_hash = "ab" * 32
    written = branch.write(shown, 100 if "many" in wrong else 2, at=at, **said)
    if "top-up" in wrong:
        written = again(branch, written)
    _befall_wallet(world, wrong, capsule, alice, lot)
    _befall_store(world, wrong, branch, alice)
    return written


def again(branch, written):
    """The same item with a top-up in it, signed."""
    text = written["item"].replace('"top_up":0', '"top_up":5')
    return branch.sign(text)


def _befall_wallet(world, wrong, capsule, alice, lot) -> None:
    serial = capsule.capsule.serial
    with transaction():
        if "unknown" in wrong:
            db.session.delete(db.session.get_one(Capsule, serial))
        if "revoked" in wrong:
            revoked = {"revoked_at": world.now - timedelta(days=9)}
            db.session.execute(update(Capsule).where(Capsule.serial == serial).values(**revoked))
        if "blocked" in wrong:
            db.session.get_one(Wallet, alice).blocked_at = world.now
        if "frozen" in wrong:
            db.session.get_one(Lot, (alice, lot)).frozen_at = world.now - timedelta(days=9)
    if "bought since" in wrong:
        world.add_lot(alice, "eleven", sold_at=world.now + timedelta(minutes=90))


def _befall_store(world, wrong, branch, alice) -> None:
    if "group" in wrong:
        change(Store, branch.till.store_id, offline_group=2)
    if "own" in wrong:
        change(Staff, branch.till.staff_id, member_id=alice)
    if "left" in wrong:
        change(Staff, branch.till.staff_id, disabled_at=world.now - timedelta(days=9))
    if "key" in wrong:
        branch.enrol_again(is_fresh=False, now=world.now + timedelta(minutes=1))
    if "stolen" in wrong:
        change(Device, branch.till.device_id, revoked_at=world.now)


@settings(
    max_examples=examples(12),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(wrong=st.sets(st.sampled_from(WRONG), max_size=4))
def test_whatever_is_wrong_somebody_can_decide(world, wrong):
    change(Store, world.stores["A"], offline_group=1)
    written = write(world, wrong)
    (outcome,) = bring(world, written)
    if outcome.outcome == "applied":
        assert not wrong - {"bought since", "blocked", "ahead"}, wrong
        return
    done = [remedy for remedy in ("charged", "dismissed", "borne") if tried(outcome, remedy, world)]
    assert "borne" in done, f"{wrong}: nothing could be decided of {outcome.reason}"


class Undone(Exception):  # noqa: N818  not an error
    """Another remedy is tried after this one."""


def tried(outcome, remedy, world) -> bool:
    """Whether a remedy can be had: what the chain bears stays, the others are rolled back."""
    with suppress(Refusal, Undone), transaction():
        row = decide(outcome, remedy, world)
        db.session.flush()
        assert remedy in allowed_for(row.reason)
        if remedy != "borne":
            raise Undone
        return True
    return False


def decide(outcome, remedy, world) -> OfflineItem:
    waiting = db.session.scalars(
        select(OfflineItem).where(
            OfflineItem.device_id == outcome.device_id, OfflineItem.number == outcome.number
        )
    ).all()
    return resolve(
        device_id=outcome.device_id,
        number=outcome.number,
        item_hash=max(waiting, key=lambda row: len(row.item)).hash,
        remedy=remedy,
        note=None,
        staff_id=new_id(),
        role="finance",
        now=world.now + timedelta(hours=3),
    )
