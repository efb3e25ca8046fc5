"""Logs of tills are taken in: each item once, whatever is cut, resent, reordered or doubled."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from psycopg.errors import CheckViolation, LockNotAvailable

from chain import is_signature
from kernel import hot
from kernel.errors import TryAgain, Unavailable
from kernel.hot import array
from kernel.ids import new_id
from kernel.transaction import again
from redemption.offline import log, statements, writing
from redemption.offline.amending import amend
from redemption.offline.errors import ItemInvalid
from redemption.offline.judging import judge
from redemption.offline.log import Item, NotAnItem
from redemption.offline.neighbours import Neighbours, neighbours_among
from redemption.offline.outcome import Outcome, of_earlier, of_settled
from redemption.offline.reading import Brought, Key, Met, binaries, bring, meet
from redemption.offline.settling import Place, Settled, settle
from redemption.offline.writing import Decided

_OPTIMISTIC_TRIES = 3
AT_ONCE = 100
"""So many items are taken in by one transaction: what 500 need at once, each connection and the
process would keep ever after, 10 MB and more."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log: an item's text, and the device's signature (Ed25519) of its hash."""

    text: str
    signature: bytes


def upload(*, lines: Sequence[Line], now: datetime) -> list[Outcome]:
    """Take items in, and say what became of each, in their order.

    Whose log a line is of, its signature says: any till may bring what any other has served. What
    was served is never refused; it takes what its capsule allows and its wallet holds, or the chain
    bears it, or a person looks (`judging`, `settling`). The same items end the same, in whatever
    order and pieces they come.

    A hundred items take as many statements as one. Those whose outcome changes what others got are
    the exception: of them each wallet is settled by itself (`amending`).

    Raises:
        ItemInvalid: a line is none of ours. Nothing was done.
    """
    brought = _genuine(lines)
    neighbours = neighbours_among(brought)
    # by when they were served, so that none comes after what was served later
    places = sorted({one.place: one for one in brought}.items())
    outcomes: dict[Place, Outcome] = {}
    for first in range(0, len(places), AT_ONCE):
        piece = dict(places[first : first + AT_ONCE])
        outcomes |= _taken_in(_Batch(piece, neighbours, now))
    return _told(brought, outcomes)


def _taken_in(batch: "_Batch") -> dict[Place, Outcome]:
    for attempt in range(_OPTIMISTIC_TRIES + 1):
        if batch.rest:
            batch = _again(partial(batch.tried, alone=attempt == _OPTIMISTIC_TRIES))
    for group in batch.groups_aside():
        batch.outcomes.update(amend(group, batch.neighbours, now=batch.now))
    return batch.outcomes


def _told(brought: Iterable[Brought], outcomes: Mapping[Place, Outcome]) -> list[Outcome]:
    """The outcomes in the order of the upload; what it had twice was a duplicate then."""
    told, seen = [], set()
    for one in brought:
        outcome = outcomes[one.place]
        if one.place in seen and outcome.earlier is None:
            outcome = replace(outcome, outcome="duplicate", earlier=outcome.outcome)
        seen.add(one.place)
        told.append(outcome)
    return told


def _genuine(lines: Sequence[Line]) -> list[Brought]:
    """Take the lines apart, if each is an item of a device of the chain, and signed by it."""
    items = [_item(index, line.text) for index, line in enumerate(lines)]
    keys = _keys_of({item.device_id for item in items})
    brought = []
    for index, (item, line) in enumerate(zip(items, lines, strict=True)):
        if item.device_id not in keys:
            raise ItemInvalid(index=index, problem="device")
        key = _signer(line.signature, item.hash, keys[item.device_id])
        if key is None:
            raise ItemInvalid(index=index, problem="signature")
        brought.append(bring(item, line.signature, key))
    return brought


def _keys_of(device_ids: Collection[UUID]) -> dict[UUID, list[Key]]:
    """The keys that devices have and had, of each the present one first."""
    keys: dict[UUID, list[Key]] = {}
    for device_id, *key in hot.read_rows(statements.KEYS, {"device_ids": array(device_ids)}):
        keys.setdefault(device_id, []).append(Key(*key))
    return keys


def _signer(signature: bytes, of: bytes, keys: Iterable[Key]) -> Key | None:
    return next((key for key in keys if is_signature(signature, of=of, by=key.public_key)), None)


def _item(index: int, text: str) -> Item:
    try:
        return log.read(text)
    except NotAnItem as problem:
        raise ItemInvalid(index=index, problem="form") from problem


@dataclass(frozen=True, slots=True)
class _Batch:
    """How far a piece of an upload is. `rest` is to be done yet, `aside` in a way of its own."""

    rest: dict[Place, Brought]
    neighbours: Neighbours
    now: datetime
    outcomes: dict[Place, Outcome] = field(default_factory=dict)
    aside: list[Met] = field(default_factory=list)

    def tried(self, *, alone: bool) -> "_Batch":
        """Read, decide, write; answer the batch with what is left to do.

        A copy, so that PostgreSQL may ask for all of it once more.
        """
        brought = list(self.rest.values())
        with hot.together() as run:
            device_ids = {one.item.device_id for one in brought}
            run(statements.LOCK_DEVICES, {"device_ids": array(device_ids)})
            if alone:
                run(statements.LOCK_WALLETS, {"serials": binaries({one.serial for one in brought})})
            mets = [self.neighbours.told(met) for met in meet(run, brought, now=self.now)]
            decided, aside = _decide(mets, self.now)
            changed = _written(run, decided, self.now)
        outcomes = dict(self.outcomes)
        for met in mets:
            if met.earlier is not None:
                outcomes[met.brought.place] = of_earlier(met.brought.item, met.earlier)
        for one in decided:
            if one.hangs_on in changed:
                continue
            item, place = one.met.brought.item, one.met.brought.place
            outcomes[place] = of_settled(item, one.settled, one.redemption_id)
        settled = outcomes.keys() | {met.brought.place for met in aside}
        rest = {place: one for place, one in self.rest.items() if place not in settled}
        return _Batch(rest, self.neighbours, self.now, outcomes, [*self.aside, *aside])

    def groups_aside(self) -> list[list[Brought]]:
        """What has to be settled in a way of its own, wallet by wallet."""
        groups: dict[object, list[Brought]] = {}
        for met in self.aside:
            groups.setdefault(met.member_id or met.brought.place, []).append(met.brought)
        return list(groups.values())


def _decide(mets: Sequence[Met], now: datetime) -> tuple[list[Decided], list[Met]]:
    """Decide about items that are new. Aside are those by which others may end otherwise."""
    decided: list[Decided] = []
    wallets: dict[UUID, list[Met]] = {}
    aside: list[Met] = []
    for met in mets:
        if met.earlier is not None:
            continue
        reason = judge(met.brought.item, met.brought.code, met.known, now=now)
        if met.changes_log:
            aside.append(met)
        if reason is None:
            assert met.member_id is not None  # it has a capsule
            wallets.setdefault(met.member_id, []).append(met)
        elif not met.changes_log:
            decided.append(Decided(met, Settled("review", (), 0, reason)))
    for member_id, theirs in wallets.items():
        if any(met.has_later or met.changes_log for met in theirs):
            aside += [met for met in theirs if not met.changes_log]
        else:
            decided += _settled(member_id, theirs)
    return decided, aside


def _settled(member_id: UUID, mets: Sequence[Met]) -> Iterable[Decided]:
    """Serve the items of a wallet, after which none was served yet."""
    rights = {met.brought.serial or b"": met.right for met in mets}
    settled = settle([met.served() for met in mets], rights=rights)
    for met in mets:
        one = settled[met.brought.place]
        yield Decided(met, one, hangs_on=member_id, redemption_id=new_id() if one.taken else None)


def _written(run: hot.Run, decided: Sequence[Decided], now: datetime) -> set[UUID | None]:
    """Write it; answer the wallets of which nothing was, since somebody has changed them."""
    hanging: set[UUID | None] = {one.hangs_on for one in decided if one.hangs_on is not None}
    if not decided:
        return hanging
    try:
        rows = run(statements.WRITE, writing.rows(decided, now))
    except CheckViolation as problem:
        if problem.diag.constraint_name == "ck_entry_period_open":
            raise TryAgain from problem  # a month was left in this instant
        raise
    return hanging - {row[0] for row in rows}


def _again(work: Callable[[], T]) -> T:
    return again(lambda: _patiently(work))


def _patiently(work: Callable[[], T]) -> T:
    """Another upload of the same log may take its time."""
    try:
        return work()
    except Unavailable as problem:
        if isinstance(problem.__cause__, LockNotAvailable):
            raise TryAgain from problem
        raise
