"""What of a store's day somebody should look at. Pure: thresholds and facts, no judgement."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args
from uuid import UUID

from redemption.day.cells import Day

Rule = Literal[
    "many_voids",
    "late_voids",
    "many_refusals",
    "own_wallet",
    "same_wallet",
    "guessed_codes",
    "disowned",
    "borne",
]
RULES: tuple[Rule, ...] = get_args(Rule)

FEW_VOIDS = 2
VOIDED_SHARE = 0.05
"""A clerk's voids are many when they are more than these few and more than this of their cups."""

FEW_REFUSALS = 5
REFUSED_SHARE = 0.25
"""A clerk's refusals are many when more than these few, and than this for each cup they made."""

_USUAL = ("own-wallet", "top-up-due", "approval-needed")
"""What is no sign of trying: the last two say what to do next, the first has a rule of its own."""

LATE = timedelta(minutes=15)
GUESSES = 20
"""Codes that were none, from one device in one hour: a camera misreads now and then."""

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing to look at: by which rule, whose, how often, and at which redemptions."""

    rule: Rule
    times: int
    staff_id: UUID | None = None
    device_id: UUID | None = None
    redemption_ids: tuple[UUID, ...] = ()


def flags_of(day: Day) -> list[Flag]:
    """Name what is unusual: voids, refusals, dealing with oneself, and what members disowned."""
    found = [
        *_many_voids(day),
        *_late_voids(day),
        *_many_refusals(day),
        *_own_wallets(day),
        *_same_wallets(day),
        *_guesses(day),
        *_disowned(day),
        *_borne(day),
    ]
    return sorted(found, key=lambda flag: (flag.rule, -flag.times, str(flag.staff_id)))


def _many_voids(day: Day) -> Iterator[Flag]:
    made = _made(day)
    undone: dict[UUID, list[UUID]] = {}
    cups: Counter[UUID] = Counter()
    for void in day.voids:
        if void.staff_id is not None:
            undone.setdefault(void.staff_id, []).append(void.redemption_id)
            cups[void.staff_id] += void.cups
    for staff_id, ids in undone.items():
        if len(ids) > FEW_VOIDS and cups[staff_id] > VOIDED_SHARE * made[staff_id]:
            yield Flag("many_voids", len(ids), staff_id, redemption_ids=_some(ids))


def _late_voids(day: Day) -> Iterator[Flag]:
    """Cups are undone at once, when the clerk sees the mistake; long after, the cup is drunk."""
    late: dict[UUID, list[UUID]] = {}
    for void in day.voids:
        if void.staff_id is not None and void.voided_at - void.redeemed_at > LATE:
            late.setdefault(void.staff_id, []).append(void.redemption_id)
    for staff_id, ids in late.items():
        yield Flag("late_voids", len(ids), staff_id, redemption_ids=_some(ids))


def _many_refusals(day: Day) -> Iterator[Flag]:
    made = _made(day)
    told: Counter[UUID] = Counter()
    for no in day.noes:
        if no.reason not in _USUAL:
            told[no.staff_id] += no.times
    for staff_id, times in told.items():
        if times > FEW_REFUSALS and times > REFUSED_SHARE * made[staff_id]:
            yield Flag("many_refusals", times, staff_id)


def _own_wallets(day: Day) -> Iterator[Flag]:
    """Whoever tried to take from their own wallet, or decided about cups of it."""
    times: Counter[UUID] = Counter()
    for no in day.noes:
        if no.reason == "own-wallet":
            times[no.staff_id] += no.times
    for one in day.decided:
        times[one.staff_id] += one.times
    for staff_id, many in times.items():
        yield Flag("own_wallet", many, staff_id)


def _same_wallets(day: Day) -> Iterator[Flag]:
    for one in day.repeated:
        ids = one.redemption_ids
        yield Flag("same_wallet", len(ids), one.staff_id, redemption_ids=_some(ids))


def _guesses(day: Day) -> Iterator[Flag]:
    for one in day.guessed:
        if one.most_in_an_hour >= GUESSES:
            yield Flag("guessed_codes", one.times, device_id=one.device_id)


def _disowned(day: Day) -> Iterator[Flag]:
    by: dict[UUID, list[UUID]] = {}
    for one in day.disowned:
        by.setdefault(one.staff_id, []).append(one.redemption_id)
    for staff_id, ids in by.items():
        yield Flag("disowned", len(ids), staff_id, redemption_ids=_some(ids))


def _borne(day: Day) -> Iterator[Flag]:
    cups = sum(one.cups_borne for one in day.offline)
    if cups:
        yield Flag("borne", cups)


def _made(day: Day) -> Counter[UUID]:
    """Cups by who handed them over."""
    made: Counter[UUID] = Counter()
    for cell in day.cells:
        made[cell.staff_id] += cell.cups
    return made


def _some(ids: Iterable[UUID]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(ids))[:_MOST_NAMED]
