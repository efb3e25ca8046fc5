"""What the books must say, by the rules as they are written down; nothing of Jibei is asked.

- VAT of 5 % is in the price: net = price / 1.05, half up.
- Cups 1 to k of a lot carry net × k / cups, half up; a redemption carries what is missing to
  that, never less than nothing, and a void gives back exactly what its redemption carried.
- Cups made elsewhere: the store that sold them owes their money to the store that made them.
- What is left in a lot at its end lapses, with all the money that it still carries.
- A gift is a lot of its own: of the same store, with the money that its cups carried; taken back,
  its cups return with exactly that. Nothing is sold or earned by giving.
- VAT follows the cups by the same rule as net. Unused cups that are given back bring what they
  carry with VAT; at list price, what was paid less the list price of the cups that were collected.
- Everything is booked on its local date in Taipei; a void on that of its redemption.
- A period counts in the renewal rates of the month in which it ends.
"""

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

Amount = Counter[str]
"""`money` in whole dollars net of VAT, and `cups`."""

_VAT = Fraction(105, 100)
_HALF = Fraction(1, 2)
TAIPEI = ZoneInfo("Asia/Taipei")


def net_of(price: int) -> int:
    """The price without VAT: 476 of 500, 475 of 499."""
    return math.floor(Fraction(price) / _VAT + _HALF)


def month_of(moment: str) -> str:
    """The month in which a moment (RFC 3339) is booked, as `2026-01`."""
    return f"{datetime.fromisoformat(moment).astimezone(TAIPEI):%Y-%m}"


@dataclass
class Lot:
    """Cups from one purchase or period, sold by `store`, and the money that they carry."""

    offer: str
    store: str
    net: int
    cups: int
    price: int = 0
    used: int = 0
    recognised: int = 0

    @property
    def left(self) -> int:
        return self.cups - self.used

    def shares(self) -> list[int]:
        """What each cup carries when they are taken one by one."""
        upto = [self._upto(k) for k in range(self.cups + 1)]
        return [after - before for before, after in itertools.pairwise(upto)]

    def take(self, cups: int) -> int:
        """Take cups and answer what they carry."""
        amount = max(0, self._upto(self.used + cups) - self.recognised)
        self.used += cups
        self.recognised += amount
        return amount

    def give_back(self, cups: int, amount: int) -> None:
        self.used -= cups
        self.recognised -= amount

    def back_as_carried(self) -> int:
        """What unused cups bring back, VAT included, where they are worth what they carry."""
        vat = self.price - self.net
        vat_gone = math.floor(Fraction(vat * self.used, self.cups) + _HALF)
        return self.net - self.recognised + vat - vat_gone

    def back_at_list_price(self, list_price: int) -> int:
        """What unused cups bring back where collected ones count at list price."""
        return max(0, min(self.price - list_price * self.used, self.back_as_carried()))

    def _upto(self, k: int) -> int:
        return math.floor(Fraction(self.net * k, self.cups) + _HALF)


@dataclass
class Cohort:
    """Periods that end in one month: how many, and how many of them were renewed."""

    due: int = 0
    on_time: int = 0
    renewed: int = 0


@dataclass
class Books:
    """What this tour alone has added to the books.

    `moved` is by month, selling store, offer and kind of movement; `owed` by month, selling and
    making store; `cohorts` by month.
    """

    moved: dict[tuple[str, str, str], dict[str, Amount]] = field(default_factory=dict)
    owed: dict[tuple[str, str, str], Amount] = field(default_factory=lambda: defaultdict(Counter))
    cohorts: dict[str, Cohort] = field(default_factory=lambda: defaultdict(Cohort))

    def sell(self, *, offer: str, store: str, price: int, cups: int, at: str) -> Lot:
        """Sell a pack, or a period of a plan."""
        lot = Lot(offer, store, net_of(price), cups, price)
        self._move("sold", lot, at=at, cups=cups, money=lot.net)
        return lot

    def redeem(self, lot: Lot, cups: int, *, made_at: str, at: str) -> int:
        """Hand over cups; answer the money that goes with them."""
        amount = lot.take(cups)
        self._move("redeemed", lot, at=at, cups=cups, money=amount)
        self._owe(lot, made_at, at=at, cups=cups, money=amount)
        return amount

    def void(self, lot: Lot, cups: int, amount: int, *, made_at: str, at: str) -> None:
        """Undo a redemption that happened `at`."""
        lot.give_back(cups, amount)
        self._move("voided", lot, at=at, cups=cups, money=amount)
        self._owe(lot, made_at, at=at, cups=-cups, money=-amount)

    def lapse(self, lot: Lot, *, at: str) -> int:
        """Let end what is left of a lot; answer its money."""
        cups = lot.left
        amount = lot.take(cups)
        self._move("lapsed", lot, at=at, cups=cups, money=amount)
        return amount

    def give(self, lot: Lot, cups: int) -> Lot:
        """Put cups into a gift, which is a lot for whoever claims it."""
        return Lot(lot.offer, lot.store, lot.take(cups), cups)

    def take_back(self, lot: Lot, gift: Lot) -> None:
        """Let a gift that nobody claimed return into the lot that it left."""
        lot.give_back(gift.cups, gift.net)

    def refund(self, lot: Lot, *, at: str) -> int:
        """Give back what is left of a lot for money; answer its net."""
        cups = lot.left
        amount = lot.take(cups)
        self._move("refunded", lot, at=at, cups=cups, money=amount)
        return amount

    def owed_by(self, sold_at: str, *, to: str) -> int:
        """What one store owes another for all cups of this tour."""
        return sum(
            amount["money"] for place, amount in self.owed.items() if place[1:] == (sold_at, to)
        )

    def count_period(self, *, ends_at: str, is_renewed: bool) -> None:
        """Count a period that has ended. Renewed means here: at the first attempt."""
        cohort = self.cohorts[month_of(ends_at)]
        cohort.due += 1
        cohort.on_time += is_renewed
        cohort.renewed += is_renewed

    def _move(self, kind: str, lot: Lot, *, at: str, cups: int, money: int) -> None:
        place = self.moved.setdefault((month_of(at), lot.store, lot.offer), defaultdict(Counter))
        place[kind].update(cups=cups, money=money)

    def _owe(self, lot: Lot, made_at: str, *, at: str, cups: int, money: int) -> None:
        if made_at != lot.store:
            self.owed[month_of(at), lot.store, made_at].update(cups=cups, money=money)
