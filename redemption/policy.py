"""Which cups are handed over, or why not. Pure: the rules exist once, here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import ledger
from ledger import Pair
from redemption.errors import (
    InsufficientCups,
    LimitReached,
    LotFrozen,
    ProductMismatch,
    StoreNotAccepted,
)

_NEVER = datetime.max.replace(tzinfo=UTC)
VOID_WITHIN = {"clerk": timedelta(minutes=30), "manager": timedelta(hours=24)}


@dataclass(frozen=True, slots=True)
class HeldLot:
    """A lot as a till meets it: what is left, whether it fits here, and the limits of its terms.

    `cups_today` and `last_at` are what the member took under the same offer, on this store's
    business day and ever, voided ones left out.
    """

    id: UUID
    offer_id: UUID
    offer_code: str
    sold_at_id: UUID
    account: str
    currency: str
    units: int
    used: int
    net: int
    net_recognised: int
    sold_at: datetime
    ends_at: datetime | None
    is_frozen: bool
    accepts_product: bool
    accepts_store: bool
    max_cups: int | None
    cups_per_day: int | None
    minimum_interval_s: int | None
    cups_today: int
    last_at: datetime | None

    @property
    def left(self) -> int:
        return self.units - self.used


@dataclass(frozen=True, slots=True)
class Taken:
    """Cups of one lot, and the net money that goes with them."""

    lot: HeldLot
    cups: int
    amount: int


def choose(
    lots: Iterable[HeldLot], *, cups: int, now: datetime, next_day_at: datetime
) -> list[Taken]:
    """Choose the cups to hand over: soonest end first, then oldest sale, then lot id.

    The first rule that leaves nothing names the refusal.

    Raises:
        ProductMismatch, StoreNotAccepted, LotFrozen: nothing held fits.
        LimitReached: what fits may not be taken now.
        InsufficientCups: fewer cups fit than were asked for.
    """
    fitting = sorted(_fitting(_alive(lots, now), cups=cups), key=_burning_order)
    allowances = _allowances(fitting, now=now, next_day_at=next_day_at)
    _check_limits(allowances.values(), cups=cups)
    return _take(fitting, allowances, cups=cups)


def left_after(lots: Iterable[HeldLot], taken: Sequence[Taken], *, now: datetime) -> int:
    """How many cups of this product can still be taken at this store when these are gone."""
    fitting = (lot for lot in _alive(lots, now) if lot.accepts_product and lot.accepts_store)
    free = sum(lot.left for lot in fitting if not lot.is_frozen)
    return free - sum(pick.cups for pick in taken)


def postings(taken: Iterable[Taken], *, made_at_id: UUID) -> list[Pair]:
    """What handing over these cups books, lot by lot (E2)."""
    return [
        pair
        for pick in taken
        for pair in ledger.policy.hand_over(
            sold_at_id=pick.lot.sold_at_id,
            made_at_id=made_at_id,
            account=pick.lot.account,
            amount=pick.amount,
            cups=pick.cups,
            offer_id=pick.lot.offer_id,
            lot_id=pick.lot.id,
        )
    ]


def _alive(lots: Iterable[HeldLot], now: datetime) -> list[HeldLot]:
    return [lot for lot in lots if lot.ends_at is None or lot.ends_at > now]


def _fitting(held: list[HeldLot], *, cups: int) -> list[HeldLot]:
    if not held:
        raise InsufficientCups(held=0, wanted=cups)
    of_product = [lot for lot in held if lot.accepts_product]
    if not of_product:
        raise ProductMismatch
    of_store = [lot for lot in of_product if lot.accepts_store]
    if not of_store:
        raise StoreNotAccepted
    free = [lot for lot in of_store if not lot.is_frozen]
    if not free:
        raise LotFrozen
    left = sum(lot.left for lot in free)
    if left < cups:
        raise InsufficientCups(held=left, wanted=cups)
    return free


@dataclass(frozen=True, slots=True)
class _Allowance:
    cups: int
    limit: str | None = None
    next_at: datetime | None = None


def _allowances(
    lots: Iterable[HeldLot], *, now: datetime, next_day_at: datetime
) -> dict[UUID, _Allowance]:
    """What each offer allows now. A limit counts per offer, so two lots of one plan share it."""
    offers: dict[UUID, list[HeldLot]] = {}
    for lot in lots:
        offers.setdefault(lot.offer_id, []).append(lot)
    return {
        offer_id: _allowance(same, now=now, next_day_at=next_day_at)
        for offer_id, same in offers.items()
    }


def _check_limits(allowances: Iterable[_Allowance], *, cups: int) -> None:
    """Refuse when the offers together allow fewer cups, naming the limit that lifts first."""
    allowances = list(allowances)
    allowed = sum(allowance.cups for allowance in allowances)
    if allowed >= cups:
        return
    tightest = min(
        (allowance for allowance in allowances if allowance.limit),
        key=lambda allowance: allowance.next_at or _NEVER,
    )
    next_at = tightest.next_at.isoformat() if tightest.next_at else None
    raise LimitReached(limit=tightest.limit, allowed=allowed, wanted=cups, next_at=next_at)


def _allowance(lots: Sequence[HeldLot], *, now: datetime, next_day_at: datetime) -> _Allowance:
    """How many cups one offer allows now; if fewer than held, by which limit and until when."""
    terms = lots[0]  # of two versions in one wallet, those of the lot that burns first
    allowance = _Allowance(sum(lot.left for lot in lots))
    if terms.max_cups is not None and terms.max_cups < allowance.cups:
        allowance = _Allowance(terms.max_cups, "max_cups")
    if terms.cups_per_day is not None:
        today = max(0, terms.cups_per_day - terms.cups_today)
        if today < allowance.cups:
            allowance = _Allowance(today, "cups_per_day", next_day_at)
    if terms.minimum_interval_s is not None and terms.last_at is not None:
        next_at = terms.last_at + timedelta(seconds=terms.minimum_interval_s)
        if next_at > now:
            allowance = _Allowance(0, "minimum_interval", next_at)
    return allowance


def _burning_order(lot: HeldLot) -> tuple[datetime, datetime, UUID]:
    return (lot.ends_at or _NEVER, lot.sold_at, lot.id)


def _take(lots: Iterable[HeldLot], allowances: dict[UUID, _Allowance], *, cups: int) -> list[Taken]:
    allowed = {offer_id: allowance.cups for offer_id, allowance in allowances.items()}
    taken: list[Taken] = []
    for lot in lots:
        take = min(lot.left, cups, allowed[lot.offer_id])
        if take == 0:
            continue
        amount = ledger.policy.carried(
            net=lot.net,
            units=lot.units,
            used=lot.used,
            net_recognised=lot.net_recognised,
            cups=take,
        )
        taken.append(Taken(lot, take, amount))
        allowed[lot.offer_id] -= take
        cups -= take
    return taken
