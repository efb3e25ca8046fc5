"""Which cups are handed over, or why not. Pure: the rules exist once, here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import ledger
from kernel.money import Rounding, divided
from redemption.errors import (
    ChannelNotAccepted,
    CoversLess,
    InsufficientCups,
    LimitReached,
    LotFrozen,
    ProductMismatch,
    StoreNotAccepted,
)

_NEVER = datetime.max.replace(tzinfo=UTC)
_BOUNDLESS = 2**31
"""More cups than anybody asks for: so many are left where nobody counts them."""


@dataclass(frozen=True, slots=True)
class HeldLot:
    """A lot as a till meets it: what is left, whether it fits here, and the terms of its version.

    `accepts_product` is of the list of products alone; what a cup is worth at the till is `terms`'
    business: `covers_up_to`, `allows_top_up`, and `price` over `paid_cups` once it is late. The
    day's VAT (`basis_points`, `rounding`) is only known where it may be needed. `cups_today` and
    `last_at` are what the member took under the same offer, on this store's business day and ever,
    voided ones left out. Cups that nobody counts (`is_unlimited`) never run out, and move no money.
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
    vat: int
    net_recognised: int
    vat_gone: int
    sold_at: datetime
    expiry_mode: str
    ends_at: datetime | None
    is_frozen: bool
    accepts_product: bool
    accepts_store: bool
    redeem_channels: list[str] | None
    covers_up_to: int | None
    allows_top_up: bool
    price: int
    paid_cups: int
    is_taxed_at_till: bool
    vat_code: str
    basis_points: int | None
    rounding: Rounding | None
    max_cups: int | None
    cups_per_day: int | None
    minimum_interval_s: int | None
    cups_today: int
    last_at: datetime | None
    is_unlimited: bool = False
    name: str = ""
    unit: str = "cup"

    @property
    def left(self) -> int:
        return _BOUNDLESS if self.is_unlimited else self.units - self.used

    @property
    def has_cups(self) -> bool:
        """Whether it is anything to a till: a membership is not."""
        return self.is_unlimited or self.units > 0

    @property
    def paid_value(self) -> int:
        """What was paid for one cup, half up: by this much a late cup is good (`top_up`).

        Of the version's price, not of the money that is left in the lot: that differs by a dollar
        from cup to cup, and between a lot and a part of it that was given away, while everybody
        who bought the same must hear the same price.
        """
        return divided(self.price, self.paid_cups)

    def is_late(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the till asks for: cups of a drink with today's `list_price`, through its `channel`."""

    cups: int
    list_price: int
    channel: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Cups of one lot, with the net money (`amount`) and the VAT that go with them.

    `top_up` is what all of them cost besides, today, VAT included.
    """

    lot: HeldLot
    cups: int
    amount: int
    vat: int
    top_up: int = 0


@dataclass(frozen=True, slots=True)
class Fitting:
    """A lot that may be taken from, and what each cup of it costs besides."""

    lot: HeldLot
    each: int
    is_late: bool

    @property
    def burning_order(self) -> tuple[bool, bool, bool, datetime, datetime, UUID]:
        return (self.each > 0, *self.age)

    @property
    def age(self) -> tuple[bool, bool, datetime, datetime, UUID]:
        """Where it stands among all lots, whatever a cup of it costs besides."""
        lot = self.lot
        return (
            not lot.is_unlimited,
            self.is_late,
            lot.ends_at or _NEVER,
            lot.sold_at,
            lot.id,
        )


def choose(
    lots: Iterable[HeldLot], *, wanted: Wanted, now: datetime, next_day_at: datetime
) -> list[Taken]:
    """Choose the cups to hand over: soonest end first, then oldest sale, then lot id.

    But nobody pays besides who holds a cup that costs nothing: those go first, and of them the ones
    that nobody counts. And a cup that is late already loses nothing by waiting, so it goes after
    those that still have an end ahead.

    The first rule that leaves nothing names the refusal.

    Raises:
        ProductMismatch, CoversLess, ChannelNotAccepted, StoreNotAccepted, LotFrozen: nothing held
            fits.
        LimitReached: what fits may not be taken now.
        InsufficientCups: fewer cups fit than were asked for.
    """
    fitting = fit(lots, wanted=wanted, now=now)
    allowances = allow((one.lot for one in fitting), now=now, next_day_at=next_day_at)
    check_limits(allowances.values(), cups=wanted.cups)
    return _take(fitting, allowances, cups=wanted.cups)


def fit(lots: Iterable[HeldLot], *, wanted: Wanted, now: datetime) -> list[Fitting]:
    """Which lots may be taken from for a drink, limits aside, in the order in which they burn.

    Raises: as `choose`, but for limits.
    """
    free = _fitting(_alive(lots, now), wanted)
    fitting = [Fitting(lot, _each(lot, wanted, now), lot.is_late(now)) for lot in free]
    return sorted(fitting, key=lambda one: one.burning_order)


def left_after(
    lots: Iterable[HeldLot], taken: Sequence[Taken], *, wanted: Wanted, now: datetime
) -> int | None:
    """How many cups of this product can still be taken at this till when all these are gone.

    Those that cost a top-up count too. None where nobody counts them.
    """
    free = [
        lot
        for lot in _alive(lots, now)
        if lot.accepts_product
        and _covers(lot, wanted)
        and _accepts_channel(lot, wanted)
        and lot.accepts_store
        and not lot.is_frozen
    ]
    if any(lot.is_unlimited for lot in free):
        return None
    theirs = {lot.id for lot in free}
    gone = sum(pick.cups for pick in taken if pick.lot.id in theirs)
    return sum(lot.left for lot in free) - gone


def _alive(lots: Iterable[HeldLot], now: datetime) -> list[HeldLot]:
    """Lots that have not ended. `top_up` is the only end after which a cup is good for anything."""
    return [
        lot
        for lot in lots
        if lot.has_cups and (lot.expiry_mode == "top_up" or not lot.is_late(now))
    ]


def _fitting(held: list[HeldLot], wanted: Wanted) -> list[HeldLot]:
    if not held:
        raise InsufficientCups(held=0, wanted=wanted.cups)
    of_product = [lot for lot in held if lot.accepts_product]
    if not of_product:
        raise ProductMismatch
    covering = [lot for lot in of_product if _covers(lot, wanted)]
    if not covering:
        raise _covers_less(of_product, wanted)
    of_channel = [lot for lot in covering if _accepts_channel(lot, wanted)]
    if not of_channel:
        raise _not_through(covering, wanted)
    of_store = [lot for lot in of_channel if lot.accepts_store]
    if not of_store:
        raise StoreNotAccepted
    free = [lot for lot in of_store if not lot.is_frozen]
    if not free:
        raise LotFrozen
    left = sum(lot.left for lot in free)
    if left < wanted.cups:
        raise InsufficientCups(held=left, wanted=wanted.cups)
    return free


def _covers(lot: HeldLot, wanted: Wanted) -> bool:
    """Whether the drink is within the terms, for a top-up or without: being late widens nothing."""
    is_covered = lot.covers_up_to is None or wanted.list_price <= lot.covers_up_to
    return is_covered or lot.allows_top_up


def _covers_less(lots: Iterable[HeldLot], wanted: Wanted) -> CoversLess:
    """Name the dearest drink that anything held would cover; all of them have such a bound."""
    dearest = max(lots, key=lambda lot: lot.covers_up_to or 0)
    return CoversLess(
        covers=dearest.covers_up_to, list_price=wanted.list_price, currency=dearest.currency
    )


def _accepts_channel(lot: HeldLot, wanted: Wanted) -> bool:
    return lot.redeem_channels is None or wanted.channel in lot.redeem_channels


def _not_through(lots: Iterable[HeldLot], wanted: Wanted) -> ChannelNotAccepted:
    accepted = {channel for lot in lots for channel in lot.redeem_channels or ()}
    return ChannelNotAccepted(channel=wanted.channel, accepted=sorted(accepted))


def _each(lot: HeldLot, wanted: Wanted, now: datetime) -> int:
    """What a cup of this drink costs besides: the part of today's list price it is not good for."""
    worth = lot.paid_value if lot.is_late(now) else lot.covers_up_to
    return 0 if worth is None else max(0, wanted.list_price - worth)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many cups of one offer, and by which limit, until when, if not all that are held."""

    cups: int
    limit: str | None = None
    next_at: datetime | None = None


def allow(
    lots: Iterable[HeldLot], *, now: datetime, next_day_at: datetime
) -> dict[UUID, Allowance]:
    """What each offer allows now. A limit counts per offer, so two lots of one plan share it."""
    offers: dict[UUID, list[HeldLot]] = {}
    for lot in lots:
        offers.setdefault(lot.offer_id, []).append(lot)
    return {
        offer_id: _allowance(same, now=now, next_day_at=next_day_at)
        for offer_id, same in offers.items()
    }


def check_limits(allowances: Iterable[Allowance], *, cups: int) -> None:
    """Refuse when the offers together allow fewer cups."""
    allowances = list(allowances)
    allowed = sum(allowance.cups for allowance in allowances)
    if allowed < cups:
        raise limit_reached(allowances, allowed=allowed, wanted=cups)


def limit_reached(allowances: Iterable[Allowance], *, allowed: int, wanted: int) -> LimitReached:
    """Name the limit that lifts first."""
    tightest = min(
        (allowance for allowance in allowances if allowance.limit),
        key=lambda allowance: allowance.next_at or _NEVER,
    )
    next_at = tightest.next_at.isoformat() if tightest.next_at else None
    return LimitReached(limit=tightest.limit, allowed=allowed, wanted=wanted, next_at=next_at)


def _allowance(lots: Sequence[HeldLot], *, now: datetime, next_day_at: datetime) -> Allowance:
    """How many cups one offer allows now; if fewer than held, by which limit and until when."""
    terms = lots[0]  # of two versions in one wallet, those of the lot that burns first
    allowance = Allowance(sum(lot.left for lot in lots))
    if terms.max_cups is not None and terms.max_cups < allowance.cups:
        allowance = Allowance(terms.max_cups, "max_cups")
    if terms.cups_per_day is not None:
        today = max(0, terms.cups_per_day - terms.cups_today)
        if today < allowance.cups:
            allowance = Allowance(today, "cups_per_day", next_day_at)
    if terms.minimum_interval_s is not None:
        apart = timedelta(seconds=terms.minimum_interval_s)
        if terms.last_at is not None and terms.last_at + apart > now:
            allowance = _none_before(allowance, terms.last_at + apart)
        elif allowance.cups > 1:  # the second one would come too soon after the first
            allowance = Allowance(1, "minimum_interval", now + apart)
    return allowance


def _none_before(allowance: Allowance, at: datetime) -> Allowance:
    """No cup before this moment; nor at it, where the day allows none and ends later."""
    if allowance.limit == "cups_per_day" and not allowance.cups and (allowance.next_at or at) > at:
        return allowance
    return Allowance(0, "minimum_interval", at)


def _take(
    fitting: Iterable[Fitting], allowances: dict[UUID, Allowance], *, cups: int
) -> list[Taken]:
    allowed = {offer_id: allowance.cups for offer_id, allowance in allowances.items()}
    taken: list[Taken] = []
    for one in fitting:
        take = min(one.lot.left, cups, allowed[one.lot.offer_id])
        if take == 0:
            continue
        taken.append(take_from(one, take))
        allowed[one.lot.offer_id] -= take
        cups -= take
    return taken


def take_from(one: Fitting, cups: int) -> Taken:
    """Take cups of a lot with what they carry: net and VAT alike follow the count, if any."""
    lot, top_up = one.lot, cups * one.each
    if lot.is_unlimited:
        return Taken(lot, cups, 0, 0, top_up)
    net, vat = (
        ledger.policy.carried(
            net=whole, units=lot.units, used=lot.used, net_recognised=gone, cups=cups
        )
        for whole, gone in ((lot.net, lot.net_recognised), (lot.vat, lot.vat_gone))
    )
    return Taken(lot, cups, net, vat, top_up)
