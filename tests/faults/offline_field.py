"""Shops that lose their network, phones with capsules, and what is true of them at any time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

import redemption
from chain.models import Device
from examples.offline.till import NoCups
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import transaction
from redemption.models import Capsule, OfflineItem, Redemption
from redemption.offline import allowed_for, resolve, upload
from redemption.offline.outcome import Outcome
from redemption.service.capsules import Filled, issue_capsule, revoke_capsules
from tests.service.ledger.trade import check_everything
from tests.service.redemption.offline.field import Branch, Written, lines, show
from tests.world import Till, World, small_world
from vouchers.models import Wallet

BEGAN = datetime(2026, 1, 14, 4, 0, 0, tzinfo=UTC)
DRINKS = ("latte", "latte", "latte", "mocha")


@dataclass(frozen=True)
class Serving:
    """An item that a till has written down: how, for which capsule, and whether it served it.

    `place` is the till, as far back as its disk remembers; `episode` counts within it how often it
    was online. What somebody has only made up `is_forged`.
    """

    written: Written
    branch: Branch
    place: int
    episode: int
    serial: bytes
    cups: int
    at: datetime
    is_forged: bool = False


@dataclass
class Post:
    """Where a till stands, which is another one after the first was stolen.

    `saved` is a copy of its disk.
    """

    branch: Branch
    place: int
    episode: int = 0
    saved: dict[str, Any] = field(default_factory=dict)


@dataclass
class Field:
    """Three members with phones; five tills that are offline whenever they are; one that never is.

    `sent` are the items that were uploaded, by their texts; `stolen` the tills that somebody has;
    `places` counts tills, and those that have forgotten what they served as others; `touched` are
    the capsules of which a person has undone or decided something.
    """

    world: World
    posts: list[Post]
    online: Till
    members: list[UUID]
    phones: list[bytes]
    now: datetime
    capsules: list[Filled] = field(default_factory=list)
    served: list[Serving] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    stolen: list[Post] = field(default_factory=list)
    places: int = 5
    touched: set[bytes] = field(default_factory=set)

    def visit(self, member: int, branches: Sequence[int], cups: int, drink: str) -> None:
        """A phone fetches a capsule, and shows it at tills, as fast as somebody can walk."""
        self.fetch(member, cups)
        for branch in branches:
            self.now += timedelta(minutes=1)
            self.serve(branch, -1, min(cups, 1 + branch % 2), drink)

    def come_again(self, member: int, branch: int, cups: int) -> None:
        """A capsule is shown twice at a till that was online in between."""
        self.visit(member, [branch], cups, "latte")
        self.hear(branch)
        self.now += timedelta(minutes=1)
        self.serve(branch, -1, cups, "latte")

    def stay_offline(self, members: Sequence[int], branch: int, hours: int) -> None:
        """A till has no network for an evening, and shoppers come all the same."""
        for member in members:
            self.visit(member, [branch], 1, "latte")
            self.now += timedelta(hours=hours)

    def walk(self, member: int, branches: Sequence[int]) -> None:
        """A capsule is shown at tills one after the other, of which the last is heard first."""
        self.visit(member, branches, 2, "latte")
        for branch in reversed(branches):
            self.hear(branch)

    def bring_late(self, member: int, branch: int, hours: int) -> None:
        """A till is not heard of for days."""
        self.visit(member, [branch], 1, "latte")
        self.now += timedelta(hours=hours)
        self.hear(branch)

    def spend(self, members: Sequence[int], branch: int) -> None:
        """Somebody says again and again that their phone is lost, and gets another capsule."""
        for member in members:
            for _ in range(11):
                self.now += timedelta(seconds=20)
                self.fetch(member, 2)
                self.serve(branch, -1, 2, "latte")
                self.revoke(member)

    def fetch(self, member: int, cups: int) -> None:
        """A phone that is online asks for a capsule, and gets one, or the one that it has."""
        with suppress(Refusal), transaction():
            got = issue_capsule(
                member_id=self.members[member],
                credential_id=self.phones[member],
                store_id=self.world.stores["A"],
                cups=cups,
                now=self.now,
            )
            db.session.flush()
            db.session.expunge_all()
            self.capsules.append(got)

    def serve(self, branch: int, capsule: int, cups: int, drink: str) -> None:
        """A till that is offline serves, if it may by what it knows."""
        if not self.capsules:
            return
        shown = self.capsules[capsule % len(self.capsules)]
        at, post = self.now, self.posts[branch]
        with suppress(NoCups):
            written = post.branch.offline.serve(
                show(shown, at),
                cups=cups,
                product=str(self.world.products[drink]),
                staff=str(post.branch.till.staff_id),
                at=at,
            )
            self._note(post, written, shown, cups)

    def forge(self, branch: int, number: int, capsule: int, minutes: int) -> None:
        """Whoever has a till, stolen or not, writes what they like into its log, and brings it.

        From a till that is known to be stolen it changes nothing else.
        """
        if not self.capsules:
            return
        post = [*self.stolen, *self.posts, *self.stolen][branch]
        shown = self.capsules[capsule % len(self.capsules)]
        at = self.now - timedelta(minutes=minutes)
        log = post.branch.offline.log
        stands_at = log.number, log.last_hash
        log.number = max(0, log.number - number)
        written = post.branch.write(show(shown, at), 2, at=at)
        log.number, log.last_hash = stands_at
        self._note(post, written, shown, 2, is_forged=True)
        before = self._standing() if post in self.stolen else None
        self.bring([self.served[-1]])
        if before is not None:
            after = self._standing()
            assert all(after[place] == row for place, row in before.items())
            assert set(after.values()) <= {*before.values(), ("review", "device-revoked", 0, None)}

    def _note(
        self, post: Post, written: Written, shown: Filled, cups: int, *, is_forged: bool = False
    ) -> None:
        serial, at = shown.capsule.serial, self.now
        self.served.append(
            Serving(written, post.branch, post.place, post.episode, serial, cups, at, is_forged)
        )

    def _standing(self) -> dict[str, tuple[object, ...]]:
        """What became of each item so far, by its text."""
        with transaction():
            return {
                row.item: (row.outcome, row.reason, row.cups_borne, row.redemption_id)
                for row in db.session.scalars(select(OfflineItem))
            }

    def save(self, branch: int) -> None:
        """Somebody makes a copy of a till's disk."""
        till = self.posts[branch].branch.offline
        self.posts[branch].saved = {
            "log": (till.log.number, till.log.last_hash, till.log.key),
            "till": (dict(till.served), till.offline_since, till.cups),
        }

    def restore(self, branch: int) -> None:
        """The copy is put back, and the till goes on from there, without asking how far it was.

        What it had written since comes in all the same: so its log forks.
        """
        post = self.posts[branch]
        till = post.branch.offline
        if not post.saved or post.saved["log"][2] is not till.log.key:
            return
        till.log.number, till.log.last_hash, _ = post.saved["log"]
        served, till.offline_since, till.cups = post.saved["till"]
        till.served = dict(served)
        self._is_another(post)

    def steal(self, branch: int) -> None:
        """A till is stolen, and revoked; the store gets another one."""
        post = self.posts[branch]
        if len(self.stolen) == _MOST_STOLEN:
            return
        with transaction():
            device = db.session.get_one(Device, post.branch.till.device_id)
            device.revoked_at = self.now
        self.stolen.append(post)
        self.posts[branch] = Post(Branch(self.world, STORES[branch]), self.places)
        self.places += 1

    def enrol_again(self, branch: int, *, is_fresh: bool) -> None:
        """A till gets another key; with fresh software it has forgotten everything, too."""
        self.now += timedelta(seconds=20)
        post = self.posts[branch]
        post.branch.enrol_again(is_fresh=is_fresh, now=self.now)
        if is_fresh:
            till = post.branch.offline
            till.served, till.offline_since, till.cups = {}, None, 0
            self._is_another(post)

    def _is_another(self, post: Post) -> None:
        """A till that has forgotten what it served counts as another one."""
        post.place, self.places = self.places, self.places + 1

    def upload(self, which: Sequence[int]) -> None:
        """Bring some items in an order of its own; most have not been sent before."""
        new = [one for one in self.served if one.written["item"] not in self.sent]
        from_those = [*new, *new, *self.served]
        if from_those:
            self.bring([from_those[number % len(from_those)] for number in which])

    def bring(self, chosen: Sequence[Serving]) -> None:
        known = set(self.sent)
        outcomes = upload(lines=lines(one.written for one in chosen), now=self.now)
        for one, outcome in zip(chosen, outcomes, strict=True):
            text = one.written["item"]
            assert (outcome.outcome == "duplicate") == (text in known), outcome
            _adds_up(outcome)
            known.add(text)
        self.sent = known

    def hear(self, branch: int) -> None:
        """A till is online for a moment: it brings its log, and fetches what was revoked."""
        post = self.posts[branch]
        theirs = [one for one in self.served if one.branch is post.branch]
        for start in range(0, len(theirs), _MOST_AT_ONCE):
            self.bring(theirs[start : start + _MOST_AT_ONCE])
        with transaction():
            post.branch.offline.revoked = set(redemption.list_revoked(now=self.now))
        post.branch.offline.back_online()
        post.episode += 1

    def hear_from_all(self) -> None:
        """At last every log has come in, those of stolen tills too."""
        for branch in range(len(self.posts)):
            self.hear(branch)
        rest = [one for one in self.served if one.written["item"] not in self.sent]
        if rest:
            self.bring(rest[:_MOST_AT_ONCE])

    def collect(self, member: int, cups: int, drink: str) -> None:
        """Cups are collected online meanwhile."""
        product_id = self.world.products[drink]
        with suppress(Refusal):
            self.world.take(
                self.online, self.members[member], cups, now=self.now, product_id=product_id
            )

    def collect_by_capsule(self, capsule: int, cups: int) -> None:
        """A capsule is shown to a till that is online."""
        if self.capsules:
            shown = show(self.capsules[capsule % len(self.capsules)], self.now)
            scan = self.world.scan(self.online, shown, cups)
            with suppress(Refusal):
                redemption.redeem(scan=scan, now=self.now)

    def void(self, which: int, cups: int) -> None:
        """A manager undoes what their store has handed over, offline or not."""
        with transaction():
            found = db.session.scalars(select(Redemption).order_by(Redemption.id)).all()
            chosen = found[which % len(found)] if found else None
            db.session.expunge_all()
        if chosen is None:
            return
        if chosen.credential_id is not None:
            self.touched.add(chosen.credential_id)
        product_id = self.product_of(chosen)
        with suppress(Refusal), transaction():
            redemption.void(
                redemption_id=chosen.id,
                store_id=chosen.store_id,
                staff_id=self.online.staff_id,
                role="manager",
                items={product_id: cups},
                now=self.now,
            )

    def product_of(self, one: Redemption) -> UUID:
        with transaction():
            line = redemption.lines_of(db.session.merge(one, load=False))[0]
            return line.product_id

    def revoke(self, member: int) -> None:
        with transaction():
            revoke_capsules([self.members[member]], now=self.now)

    def block(self, member: int, *, blocked: bool) -> None:
        with transaction():
            wallet = db.session.get_one(Wallet, self.members[member])
            wallet.blocked_at = self.now if blocked else None

    def sell(self, member: int, units: int, offer: str) -> None:
        self.world.add_lot(
            self.members[member], offer, units=units, net=43 * units, vat=2, sold_at=self.now
        )

    def decide(self, which: int, remedy: str) -> None:
        """Somebody looks at an item that waits."""
        with transaction():
            waiting = db.session.scalars(
                select(OfflineItem)
                .where(OfflineItem.outcome != "applied", OfflineItem.resolved_at.is_(None))
                .order_by(OfflineItem.device_id, OfflineItem.number)
            ).all()
            db.session.expunge_all()
        if not waiting:
            return
        row = waiting[which % len(waiting)]
        if row.serial is not None:
            self.touched.add(row.serial)
        assert remedy in allowed_for(row.reason) or len(allowed_for(row.reason)) < 3
        with suppress(Refusal), transaction():
            resolve(
                device_id=row.device_id,
                number=row.number,
                item_hash=row.hash,
                remedy=remedy,
                note=None,
                staff_id=self.online.staff_id,
                role="finance",
                now=self.now,
            )


def _adds_up(outcome: Outcome) -> None:
    """An answer never says that what was served was not."""
    state = outcome.earlier or outcome.outcome
    assert state in ("applied", "overdrawn", "review")
    if state == "applied":
        assert outcome.cups_borne == 0
        assert outcome.redemption_id is not None
    if outcome.earlier is None and state == "overdrawn":
        assert 0 < outcome.cups_borne <= outcome.cups
        assert (outcome.redemption_id is None) == (outcome.cups_borne == outcome.cups)


def open_field() -> Field:
    world = small_world(BEGAN)
    world.add_offer("mochas", product="mocha")
    world.add_offer("soon", expiry_mode="lapse")
    members = [world.add_member() for _ in range(3)]
    for member_id, units in zip(members, (2, 6, 40), strict=True):
        world.add_lot(member_id, "eleven", units=units, net=43 * units, vat=2)
    posts = [Post(Branch(world, store), place) for place, store in enumerate(STORES)]
    phones = [world.add_credential(member_id) for member_id in members]
    return Field(world, posts, world.add_till("C"), members, phones, BEGAN)


def check_field(one: Field, *, with_books: bool) -> None:
    """Nothing served is lost; no wallet pays for more than its capsules, no chain bears more."""
    with transaction():
        rows = db.session.scalars(select(OfflineItem)).all()
        assert {row.item for row in rows} == one.sent
        assert len(rows) == len(one.sent)
        for row in rows:
            _check_item(row)
        capsules = db.session.scalars(select(Capsule)).all()
        for capsule in capsules:
            _check_capsule(one, capsule, [row for row in rows if row.serial == capsule.serial])
        _check_wallets(capsules, one.now)
    _check_tills(one.served)
    db.session.expunge_all()
    if with_books:
        assert check_everything() == []


def _check_item(row: OfflineItem) -> None:
    """All cups of an item are accounted for: taken, borne, or for somebody to decide."""
    taken = 0
    if row.redemption_id is not None:
        found = db.session.get_one(Redemption, (row.member_id, row.redemption_id))
        assert found.is_offline
        assert found.credential_id == row.serial
        taken = found.cups
    if row.outcome != "review" or row.remedy in ("charged", "borne"):
        assert taken + row.cups_borne == row.cups
    else:
        assert taken == row.cups_borne == 0
    if row.outcome != "review":  # nobody had to look: docs/offline.md, "When it is for a person"
        assert -_SKEW <= row.received_at - row.served_at <= _LATEST


def _check_capsule(one: Field, capsule: Capsule, rows: Sequence[OfflineItem]) -> None:
    """The worst case of docs/offline.md.

    Every till gives a capsule's cups at most once. The wallet pays for its cups once at most; and
    once at least, unless it has less. The chain bears the rest: the cups of all tills but one, or
    of all of them where the wallet had less.
    """
    theirs = (Redemption.member_id == capsule.member_id, Redemption.credential_id == capsule.serial)
    uses = db.session.scalars(select(Redemption).where(*theirs)).all()
    assert sum(use.cups - use.cups_voided for use in uses) <= capsule.cups
    if capsule.serial not in one.touched:
        _check_first_come(rows)

    served = [each for each in one.served if each.serial == capsule.serial and not each.is_forged]
    at_tills = Counter[int]()
    for each in served:
        at_tills[each.place] += each.cups
    assert all(cups <= capsule.cups for cups in at_tills.values()), at_tills

    forged = {each.written["item"] for each in one.served if each.is_forged}
    if any(row.item in forged or row.remedy is not None for row in rows):
        return  # what somebody has made up, or decided, no bound of tills is about
    borne = sum(row.cups_borne for row in rows)
    assert borne <= capsule.cups * len(at_tills)
    if any(row.reason == "insufficient-cups" for row in rows):
        return
    if any(row.reason == "capsule-used" for row in rows):
        assert sum(use.cups for use in uses) >= capsule.cups
    places = len(at_tills) + any(not use.is_offline for use in uses)
    assert borne <= capsule.cups * max(0, places - 1), (borne, at_tills)


def _check_first_come(rows: Iterable[OfflineItem]) -> None:
    """Who was served first is paid first, whichever log came in first.

    So an item finds the capsule used up by what was served before it, never by what came after.
    """
    settled = [row for row in rows if row.outcome != "review"]
    settled.sort(key=lambda row: (row.served_at, row.device_id, row.number, row.hash))
    is_used = False
    for row in settled:
        assert row.redemption_id is None or not is_used, (row.device_id, row.number)
        is_used = is_used or row.reason == "capsule-used"


def _check_wallets(capsules: Sequence[Capsule], now: datetime) -> None:
    """A wallet has one capsule at a time, and gets ten within a day at most."""
    issued: dict[UUID, list[datetime]] = {}
    for capsule in capsules:
        issued.setdefault(capsule.member_id, []).append(capsule.issued_at)
    good = [one.member_id for one in capsules if one.revoked_at is None and one.ends_at > now]
    assert len(good) == len(set(good))
    for moments in issued.values():
        moments.sort()
        for first, eleventh in zip(moments, moments[10:], strict=False):
            assert eleventh - first >= timedelta(days=1)


def _check_tills(served: Sequence[Serving]) -> None:
    """A till stops after four hours or fifty cups, until it has been online."""
    offline: dict[tuple[int, int], list[Serving]] = {}
    for each in served:
        if not each.is_forged:
            offline.setdefault((each.place, each.episode), []).append(each)
    for episode in offline.values():
        assert sum(each.cups for each in episode) <= 50
        assert episode[-1].at - episode[0].at < timedelta(hours=4)


STORES = "AABBC"
_MOST_STOLEN = 2
_MOST_AT_ONCE = 500
_SKEW, _LATEST = timedelta(minutes=10), timedelta(hours=72)
A_WHILE = (timedelta(seconds=20), timedelta(minutes=7), timedelta(minutes=40), timedelta(hours=3))
