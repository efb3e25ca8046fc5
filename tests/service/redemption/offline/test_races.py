"""Uploads at the same moment as each other, and as everything else that moves a wallet."""

from collections import Counter
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from psycopg.errors import CheckViolation

from kernel.errors import Refusal
from redemption.models import Redemption
from redemption.offline import statements, uploading
from redemption.offline.uploading import upload
from redemption.service.redeem import redeem
from tests.service.redemption.offline.field import Branch, bring, fill, items, left, lines
from tests.service.redemption.tills import rows, undo
from tests.together import together

AT_ONCE = 8


@pytest.fixture
def later(world):
    return world.now + timedelta(minutes=30)


def visits(world, many):
    """Shoppers with a cup each, who have collected it offline; the items, and who they are."""
    a = Branch(world, "A")
    shoppers = [world.add_member() for _ in range(many)]
    for shopper in shoppers:
        world.add_lot(shopper, "eleven", units=1, net=43)
    return [a.serve(fill(world, shopper)) for shopper in shoppers], shoppers


def test_the_same_batch_eight_times_at_once_counts_once(app, world, later):
    written, shoppers = visits(world, 12)
    told = together(
        app,
        [partial(upload, lines=lines(written), now=later)] * AT_ONCE,
        in_transactions=False,
    )
    counted = Counter(outcome.outcome for answer in told for outcome in answer)
    assert counted == {"applied": 12, "duplicate": 12 * (AT_ONCE - 1)}
    assert [left(shopper) for shopper in shoppers] == [0] * 12
    assert len(rows(Redemption)) == len(items()) == 12


def test_pieces_of_a_batch_that_overlap_count_each_item_once(app, world, later):
    written, _ = visits(world, 12)
    pieces = [written[at : at + 8] for at in range(0, 12, 2)] + [written[::-1]]
    works = [partial(upload, lines=lines(piece), now=later) for piece in pieces]
    told = together(app, works, in_transactions=False)
    counted = Counter(outcome.outcome for answer in told for outcome in answer)
    assert counted["applied"] == 12
    assert set(counted) == {"applied", "duplicate"}
    assert len(items()) == 12


def test_tills_that_took_one_capsule_and_upload_at_once_are_paid_once(app, world, later):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    capsule = fill(world, alice, cups=2)
    branches = [Branch(world, store) for store in "ABC" for _ in range(2)]
    written = [one.serve(capsule, 2, after=at) for at, one in enumerate(branches)]
    works = [partial(upload, lines=lines([one]), now=later) for one in written]
    together(app, works, in_transactions=False)
    assert left(alice) == 9
    assert [one.outcome for one in items()] == ["applied", *["overdrawn"] * 5]


def race_with_scans(app, world, later):
    """Twenty wallets with a cup each: a till scans each while the log of another comes in."""
    written, shoppers = visits(world, 20)
    online = world.add_till("C")
    scans = [
        world.scan(online, world.code(world.add_credential(shopper), at=later))
        for shopper in shoppers
    ]
    works = [partial(upload, lines=lines(written), now=later)]
    works += [partial(redeem, scan=scan, now=later) for scan in scans]
    told = together(app, works, in_transactions=False)
    handed = sum(not isinstance(one, Refusal) for one in told[1:])
    assert isinstance(told[0], list)
    return handed + sum(one.outcome == "applied" for one in told[0])


def test_a_cup_goes_to_the_scan_or_to_the_item(app, world, later):
    assert race_with_scans(app, world, later) == 20
    assert {one.outcome for one in items()} <= {"applied", "overdrawn"}


def test_an_upload_and_a_void_of_the_same_wallet_both_happen(app, world, later):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    online = world.add_till("C")
    voided = [world.take(online, alice) for _ in range(4)]
    a = Branch(world, "A")
    written = [a.serve(fill(world, alice), after=at) for at in range(4)]
    works = [partial(undo, online, one, now=world.now) for one in voided]
    works += [partial(upload, lines=lines([one]), now=later) for one in written]
    together(app, works, in_transactions=False)
    assert left(alice) == 7
    assert [one.outcome for one in items()] == ["applied"] * 4


def bring_both_halves(app, world, later, monkeypatch):
    """A forked log: of its two halves one is brought while the other has been read, not written."""
    alice, bob = (world.add_member() for _ in range(2))
    for shopper in (alice, bob):  # else their wallet's version would tell of each other
        world.add_lot(shopper, "eleven")
    a = Branch(world, "A")
    first = a.serve(fill(world, alice))
    a.offline.log.number, a.offline.log.last_hash = 0, "0" * 64
    second = a.serve(fill(world, bob), after=1)
    decide, is_slow, is_read, is_done = uploading._decide, [True], Event(), Event()  # noqa: SLF001

    def slowly(mets, now):
        if is_slow:
            is_slow.clear()
            is_read.set()
            is_done.wait(0.7)
        return decide(mets, now)

    def meanwhile():
        is_read.wait(5)
        upload(lines=lines([second]), now=later)
        is_done.set()

    monkeypatch.setattr(uploading, "_decide", slowly)
    works = [partial(upload, lines=lines([first]), now=later), meanwhile]
    together(app, works, in_transactions=False)
    return [(one.outcome, one.reason) for one in items()], left(alice) + left(bob)


def test_an_upload_waits_for_one_of_the_same_log(app, world, later, monkeypatch):
    ends, cups = bring_both_halves(app, world, later, monkeypatch)
    assert ends == [("review", "number-reused")] * 2
    assert cups == 22


def test_without_the_lock_of_the_log_a_fork_is_not_seen(app, world, later, monkeypatch):
    unguarded = statements.LOCK_DEVICES.replace("FOR NO KEY UPDATE", "")
    assert unguarded != statements.LOCK_DEVICES
    monkeypatch.setattr(statements, "LOCK_DEVICES", unguarded)
    ends, _ = bring_both_halves(app, world, later, monkeypatch)
    assert ends != [("review", "number-reused")] * 2


def test_without_the_version_check_those_races_are_no_longer_clean(app, world, later, monkeypatch):
    """A scan takes the cup after an upload has read, which writes all the same."""
    unguarded = statements.WRITE.replace(
        "wallet JOIN seen USING (member_id, version)", "wallet JOIN seen USING (member_id)"
    )
    assert unguarded != statements.WRITE
    monkeypatch.setattr(statements, "WRITE", unguarded)
    written, (alice,) = visits(world, 1)
    _scan_between_reading_and_writing(world, alice, later, monkeypatch)
    with pytest.raises(CheckViolation, match="lot"):
        bring(world, *written)


def test_a_scan_between_reading_and_writing_is_seen(app, world, later, monkeypatch):
    written, (alice,) = visits(world, 1)
    _scan_between_reading_and_writing(world, alice, later, monkeypatch)
    (outcome,) = bring(world, *written)
    assert (outcome.outcome, outcome.reason) == ("overdrawn", "insufficient-cups")


def _scan_between_reading_and_writing(world, member_id, later, monkeypatch):
    scan = world.scan(world.add_till("C"), world.code(world.add_credential(member_id), at=later))
    decide, scans = uploading._decide, [scan]  # noqa: SLF001

    def after_a_scan(mets, now):
        if scans:
            redeem(scan=scans.pop(), now=later)
        return decide(mets, now)

    monkeypatch.setattr(uploading, "_decide", after_a_scan)
