"""What a change of plan within a paid period costs, and what becomes of its cups (E6). Pure rules.

By days of the member's calendar, today among those that are left unless it was used: the new
plan's price for them, less the old one's, is charged or given back. The cups that are left move to
the new plan, and as many come or go as the plans differ by for those days.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a period, and how many of them are left."""

    whole: int
    left: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a period of a plan costs, VAT included, and gives; without `cups` nobody counts them."""

    price: int
    cups: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """Cups, and the net money and VAT that go with them."""

    cups: int
    net: int
    vat: int

    @property
    def gross(self) -> int:
        return self.net + self.vat

    def less(self, gone: "Held") -> "Held":
        return Held(self.cups - gone.cups, self.net - gone.net, self.vat - gone.vat)


NOTHING = Held(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Returnable:
    """How much of a payment can go back, and how much net and VAT its invoice still has."""

    left: int
    net: int
    vat: int


@dataclass(frozen=True, slots=True)
class Proration:
    """What a change costs (`amount`, VAT included; below zero it comes back), and its cups.

    Of the cups that are left so many are `moved`, and so many are `leaving`; so many are `added`.
    `owed` is the amount as the days say it, of which no more comes back than there is.
    """

    owed: int
    amount: int
    moved: int
    leaving: int
    added: int

    @property
    def arriving(self) -> int:
        """The cups that the new plan begins with."""
        return self.moved + self.added


def days_of(
    *,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    time_zone: str,
    is_today_gone: bool = False,
) -> Days:
    """The days of a period in its member's time zone. The day on which it ends is not one.

    Today is left, unless it was used: cups that nobody counts were collected on it.
    """
    zone = ZoneInfo(time_zone)
    starts_on, ends_on, today = (at.astimezone(zone).date() for at in (starts_at, ends_at, now))
    whole = max(1, (ends_on - starts_on).days)
    return Days(whole, min(whole, max(0, (ends_on - today).days - is_today_gone)))


def share(amount: int, days: Days) -> int:
    """The part of an amount that is of the days that are left: half up, below zero alike."""
    part = (2 * abs(amount) * days.left + days.whole) // (2 * days.whole)
    return part if amount >= 0 else -part


def prorate(
    *,
    held: Held,
    before: Terms,
    after: Terms,
    days: Days,
    returnable: int,
    amount: int | None = None,
) -> Proration:
    """Decide on a change of plan, where `held` is left of the period.

    No more comes back than what is left carries, nor than `returnable`, what its payments can give
    back. What has been paid for the change (`amount`) is not decided again.
    """
    owed = share(after.price - before.price, days)
    if amount is None:
        amount = max(owed, -min(held.gross, returnable))
    if after.cups is None:
        return Proration(owed, amount, moved=0, leaving=held.cups, added=0)
    if before.cups is None:
        return Proration(owed, amount, moved=0, leaving=held.cups, added=share(after.cups, days))
    more = share(after.cups - before.cups, days)
    moved = max(0, held.cups + min(more, 0))
    return Proration(owed, amount, moved, leaving=held.cups - moved, added=max(more, 0))


def is_for_nothing(proration: Proration, after: Terms) -> bool:
    """Whether a change would give no cup for the money that is paid, or stays."""
    return after.cups is not None and proration.arriving == 0 and proration.amount >= 0


def rest_of(price: int, *, held: Held, days: Days, returnable: int, is_counted: bool) -> int:
    """What comes back of a period that is cancelled at once: the part of the days that are left.

    No more than what is left of it carries, nor than its payments can give back. What nobody
    counts has earned its days by itself: all that is left comes back.
    """
    part = share(price, days) if is_counted else held.gross
    return max(0, min(part, held.gross, returnable))


def cups_for(amount: int, held: Held) -> int:
    """How many of the cups that are left an amount stands for, which is not above their money."""
    if amount >= held.gross:
        return held.cups
    return (2 * held.cups * amount + held.gross) // (2 * held.gross)


def going_back(
    amount: int, *, tax: Callable[[int], int], held: Held, by: Sequence[Returnable], cups: int
) -> list[Held]:
    """Take apart what goes back by payments, the first ones first; the cups go with the first.

    `tax` is the VAT in an amount by the rate. Neither what is held nor an invoice gives more net or
    VAT than it has; where that does not come out even, some dollars less go back.
    """
    amount = min(amount, held.gross, sum(one.left for one in by))
    for less in range(amount):
        parts = _parts(amount - less, tax(amount - less), held, by)
        if parts is not None:
            first = next(at for at, part in enumerate(parts) if part.gross)
            parts[first] = Held(cups, parts[first].net, parts[first].vat)
            return parts
    return [NOTHING for _ in by]


def _parts(amount: int, vat: int, held: Held, by: Sequence[Returnable]) -> list[Held] | None:
    """A part for each payment, with its VAT by the running total; None where it is not even."""
    grosses = _in_turn(amount, [one.left for one in by])
    least = [max(0, gross - one.net) for gross, one in zip(grosses, by, strict=True)]
    most = [min(gross, one.vat) for gross, one in zip(grosses, by, strict=True)]
    lowest, highest = max(amount - held.net, sum(least)), min(held.vat, sum(most))
    if lowest > highest or any(low > high for low, high in zip(least, most, strict=True)):
        return None
    vat_left, gross_left = min(max(vat, lowest), highest), amount
    parts = []
    for at, gross in enumerate(grosses):
        wanted = (2 * vat_left * gross + gross_left) // (2 * gross_left) if gross_left else 0
        low = max(least[at], vat_left - sum(most[at + 1 :]))
        high = min(most[at], vat_left - sum(least[at + 1 :]))
        mine = min(max(wanted, low), high)
        parts.append(Held(0, gross - mine, mine))
        vat_left, gross_left = vat_left - mine, gross_left - gross
    return parts


def _in_turn(amount: int, lefts: Sequence[int]) -> list[int]:
    parts = []
    for left in lefts:
        parts.append(min(amount, left))
        amount -= parts[-1]
    return parts


def draw(wanted: Held, lots: Sequence[Held]) -> list[Held]:
    """Take cups, net and VAT out of lots, the first ones first; what each of them gives."""
    given = []
    for lot in lots:
        part = Held(min(wanted.cups, lot.cups), min(wanted.net, lot.net), min(wanted.vat, lot.vat))
        given.append(part)
        wanted = wanted.less(part)
    return given


def total(parts: Sequence[Held]) -> Held:
    """What parts are together."""
    return Held(
        sum(part.cups for part in parts),
        sum(part.net for part in parts),
        sum(part.vat for part in parts),
    )
