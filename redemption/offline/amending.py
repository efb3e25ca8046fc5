"""Items by which others end otherwise than they had: both are put right, in one transaction.

That is where an item became known after one of its wallet that was served later, and where the log
it is in has forked, or its chain is broken. Rare; so plain, under the wallet's lock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select

import vouchers
from chain.models import Device
from kernel import hot
from kernel.db import db
from kernel.transaction import again, transaction
from redemption.models import OfflineItem, Redemption
from redemption.offline import settling
from redemption.offline.given_back import GivenBack
from redemption.offline.handing import hand_over
from redemption.offline.judging import is_quarantined, judge
from redemption.offline.neighbours import Neighbours
from redemption.offline.outcome import Outcome, of_earlier, of_settled
from redemption.offline.reading import Brought, Met, bring_again, meet, meet_again
from redemption.offline.settling import Place, Settled, settle
from redemption.service.undoing import By, undo

_REASON = "offline-settling"


def amend(
    brought: Sequence[Brought], neighbours: Neighbours, *, now: datetime
) -> dict[Place, Outcome]:
    """Take items in that are of one wallet, or of none, and put right what they change.

    1. lock the logs and the wallets; 2. what the log now puts in doubt is for a person to look at;
    3. give back, on paper, what was served after the first change, and serve it again; 4. undo what
    ended otherwise, and hand over anew.
    """
    return again(lambda: _amended(brought, neighbours, now))


def _amended(
    brought: Sequence[Brought], neighbours: Neighbours, now: datetime
) -> dict[Place, Outcome]:
    with transaction():
        _lock_logs({one.item.device_id for one in brought})
        mets = meet(hot.read_rows, brought, now=now)
        new = [neighbours.told(met) for met in mets if met.earlier is None]
        telling = [met for met in new if not is_quarantined(met.known, now=now)]
        members = {met.member_id for met in new} | {row.member_id for row in _beside(telling)}
        vouchers.change_wallets([one for one in members if one is not None])
        beside = _beside(telling)  # as they are under the lock: their wallets may have been settled
        unsettled = [row for row in beside if _stands(row)]
        outcomes = {
            met.brought.place: of_earlier(met.brought.item, met.earlier)
            for met in mets
            if met.earlier is not None
        }
        good, doubtful = _judged(new, now)
        for met, reason in doubtful:
            outcomes[met.brought.place] = _keep(met, Settled("review", (), 0, reason), None, now)
        for member_id in sorted({*good, *(_member_of(row) for row in unsettled)}):
            theirs = [row for row in unsettled if row.member_id == member_id]
            wallet = _Wallet(member_id, good.get(member_id, []), theirs, now)
            outcomes.update(wallet.settled_anew())
        for row in beside:
            _doubt(row, telling)
    return outcomes


def _judged(
    new: Iterable[Met], now: datetime
) -> tuple[dict[UUID, list[Brought]], list[tuple[Met, str]]]:
    """Which of the new items are to be settled, by wallet; and which are for a person, and why."""
    good: dict[UUID, list[Brought]] = {}
    doubtful = []
    for met in new:
        reason = judge(met.brought.item, met.brought.code, met.known, now=now)
        if reason is not None:
            doubtful.append((met, reason))
        elif met.member_id is not None:
            good.setdefault(met.member_id, []).append(met.brought)
    return good, doubtful


def _lock_logs(device_ids: Collection[UUID]) -> None:
    locked = select(Device.id).where(Device.id.in_(device_ids)).order_by(Device.id)
    db.session.execute(locked.with_for_update(key_share=True)).all()


def _beside(telling: Iterable[Met]) -> list[OfflineItem]:
    """Items of the same logs that what has become known puts in doubt; decided ones stay so."""
    beside = []
    for met in telling:
        item = met.brought.item
        mate = and_(OfflineItem.number == item.number, OfflineItem.hash != item.hash)
        following = and_(
            OfflineItem.number == item.number + 1, OfflineItem.previous_hash != item.hash
        )
        of_log = and_(
            OfflineItem.device_id == item.device_id,
            OfflineItem.signed_by == met.brought.key.public_key,
        )
        beside.append(and_(of_log, or_(mate, following)))
    if not beside:
        return []
    theirs = select(OfflineItem).where(or_(*beside), OfflineItem.resolved_at.is_(None))
    found = db.session.scalars(theirs, execution_options={"populate_existing": True})
    return [row for row in found if not _is_undone(row)]


def _stands(row: OfflineItem) -> bool:
    """Whether it was settled, and may be so anew."""
    return row.outcome != "review" or row.reason in settling.REASONS


def _is_undone(row: OfflineItem) -> bool:
    """Whether somebody has undone what it took: then it stays at that."""
    if row.redemption_id is None:
        return False
    return db.session.get_one(Redemption, (row.member_id, row.redemption_id)).cups_voided > 0


def _doubt(row: OfflineItem, telling: Iterable[Met]) -> None:
    """Give the reason that `judge` would: first of all, that the number was used twice."""
    if (row.device_id, row.signed_by, row.number) in {_number_of(met.brought) for met in telling}:
        row.reason = "number-reused"
    elif row.reason != "number-reused":
        row.reason = "chain-broken"
    row.outcome, row.cups_borne, row.redemption_id = "review", 0, None


def _number_of(brought: Brought) -> tuple[UUID, bytes, int]:
    return brought.item.device_id, brought.key.public_key, brought.item.number


def _member_of(row: OfflineItem) -> UUID:
    assert row.member_id is not None  # it was settled
    return row.member_id


@dataclass(frozen=True, slots=True)
class _Wallet:
    """A wallet under its lock, the items that are new to it, and those that are in doubt now."""

    member_id: UUID
    new: Sequence[Brought]
    doubted: Sequence[OfflineItem]
    now: datetime

    def settled_anew(self) -> dict[Place, Outcome]:
        """Serve again all from the first change on; undo and hand over what ended otherwise."""
        standing = self._standing()
        given_back = GivenBack.of(self.member_id, [*standing.values(), *self.doubted])
        mets = self._met(standing, given_back)
        settled = settle(
            [met.served() for met in mets.values()], rights=given_back.rights_of(mets.values())
        )
        changed = {
            place: row
            for place, row in standing.items()
            if settled[place].picks != given_back.picks_of(row)
        }
        for row in (*self.doubted, *changed.values()):
            self._undo(row)
        outcomes: dict[Place, Outcome] = {}
        for place, met in sorted(mets.items(), key=lambda one: one[0]):
            if place in standing:
                is_changed = place in changed
                self._put_right(standing[place], met, settled[place], is_changed=is_changed)
            else:
                outcomes[place] = self._taken_in(met, settled[place])
        return outcomes

    def _standing(self) -> dict[Place, OfflineItem]:
        """The items that were served after the first change, and are not in doubt."""
        first = min([*(one.place for one in self.new), *map(_place, self.doubted)])
        theirs = select(OfflineItem).where(
            OfflineItem.member_id == self.member_id,
            OfflineItem.served_at >= first.at,
            OfflineItem.resolved_at.is_(None),
        )
        in_doubt = {_place(row) for row in self.doubted}
        return {
            _place(row): row
            for row in db.session.scalars(theirs, execution_options={"populate_existing": True})
            if _place(row) > first
            and _place(row) not in in_doubt
            and _stands(row)
            and not _is_undone(row)
        }

    def _met(
        self, standing: Mapping[Place, OfflineItem], given_back: GivenBack
    ) -> dict[Place, Met]:
        """All of them as they meet the wallet with what is served from here on given back."""
        known = [bring_again(row) for row in standing.values()]
        mets = meet_again(
            hot.read_rows,
            [*self.new, *known],
            known_at={place: row.received_at for place, row in standing.items()},
            lot_ids={line.lot_id for line in given_back.lines},
            now=self.now,
        )
        return {
            met.brought.place: replace(met, lots=[given_back.put_into(lot) for lot in met.lots])
            for met in mets
        }

    def _taken_in(self, met: Met, one: Settled) -> Outcome:
        handed = hand_over(met, one.taken, is_news=True, now=self.now) if one.taken else None
        return _keep(met, one, handed, self.now)

    def _undo(self, row: OfflineItem) -> None:
        if row.redemption_id is None:
            return
        redemption = db.session.get_one(Redemption, (self.member_id, row.redemption_id))
        undo(redemption, items=None, by=By(row.store_id, None, _REASON), now=self.now)
        db.session.flush()

    def _put_right(self, row: OfflineItem, met: Met, one: Settled, *, is_changed: bool) -> None:
        row.outcome, row.reason, row.cups_borne = one.outcome, one.reason, one.cups_borne
        if is_changed:
            is_news = row.redemption_id is None
            row.redemption_id = (
                hand_over(met, one.taken, is_news=is_news, now=self.now) if one.taken else None
            )


def _place(row: OfflineItem) -> Place:
    return Place(row.served_at, row.device_id, row.number, row.hash)


def _keep(met: Met, one: Settled, redemption_id: UUID | None, now: datetime) -> Outcome:
    """Write down what a till has said, and what became of it."""
    item = met.brought.item
    db.session.add(
        OfflineItem(
            device_id=item.device_id,
            number=item.number,
            hash=item.hash,
            previous_hash=item.previous_hash,
            item=item.text,
            signature=met.brought.signature,
            signed_by=met.brought.key.public_key,
            store_id=met.store_id,
            staff_id=item.staff_id if met.known.is_staff else None,
            serial=met.brought.serial,
            member_id=met.member_id,
            product_id=item.product_id if met.known.is_product else None,
            cups=item.cups,
            served_at=item.at,
            business_day=met.business_day,
            received_at=now,
            outcome=one.outcome,
            reason=one.reason,
            cups_borne=one.cups_borne,
            redemption_id=redemption_id,
        )
    )
    return of_settled(item, one, redemption_id)
