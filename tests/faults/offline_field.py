"""Shops that lose their network, phones with capsules, and what is true of them at any time."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

import redemption
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
    """An item that a till has served: to which capsule, and how it is written down."""

    written: Written
    branch: int
    serial: bytes
    cups: int


@dataclass
class Field:
    """Three members with phones; five tills that are offline whenever they are; one that never is.

    `sent` are the items that were uploaded, by their texts.
    """

    world: World
    branches: list[Branch]
    online: Till
    members: list[UUID]
    phones: list[bytes]
    now: datetime
    capsules: list[Filled] = field(default_factory=list)
    served: list[Serving] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)

    def visit(self, member: int, branches: Sequence[int], cups: int, drink: str) -> None:
        """A phone fetches a capsule, and shows it at tills, as fast as somebody can walk."""
        self.fetch(member, cups)
        for branch in branches:
            self.now += timedelta(minutes=1)
            self.serve(branch, -1, min(cups, 1 + branch % 2), drink)

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
        at = self.now
        with suppress(NoCups):
            written = self.branches[branch].offline.serve(
                show(shown, at),
                cups=cups,
                product=str(self.world.products[drink]),
                staff=str(self.branches[branch].till.staff_id),
                at=at,
            )
            serial = shown.capsule.serial
            self.served.append(Serving(written, branch, serial, cups))

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
        mine = self.branches[branch]
        theirs = [one for one in self.served if one.branch == branch]
        if theirs:
            self.bring(theirs)
        with transaction():
            mine.offline.revoked = set(redemption.list_revoked(now=self.now))
        mine.offline.back_online()

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
    branches = [Branch(world, store) for store in "AABBC"]
    phones = [world.add_credential(member_id) for member_id in members]
    return Field(world, branches, world.add_till("C"), members, phones, BEGAN)


def check_field(one: Field, *, with_books: bool) -> None:
    """Nothing served is lost; no wallet pays for more than its capsules, no chain bears more."""
    with transaction():
        rows = db.session.scalars(select(OfflineItem)).all()
        assert {row.item for row in rows} == one.sent
        assert len(rows) == len(one.sent)
        for row in rows:
            _check_item(row)
        for capsule in db.session.scalars(select(Capsule)):
            _check_capsule(one, capsule)
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


def _check_capsule(one: Field, capsule: Capsule) -> None:
    taken = db.session.scalar(
        select(func.coalesce(func.sum(Redemption.cups - Redemption.cups_voided), 0)).where(
            Redemption.member_id == capsule.member_id, Redemption.credential_id == capsule.serial
        )
    )
    assert taken <= capsule.cups
    of_it = [serving for serving in one.served if serving.serial == capsule.serial]
    tills = {serving.branch for serving in of_it}
    assert sum(serving.cups for serving in of_it) <= capsule.cups * len(tills)


A_WHILE = (timedelta(seconds=20), timedelta(minutes=7), timedelta(minutes=40), timedelta(hours=3))
