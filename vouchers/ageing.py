"""What is owed in cups as of a day, lot by lot: how old it is, and how long it is guaranteed.

The lots say what is owed now. What the books moved after the day is taken back from that, so that
any day up to today is exact. The caller holds a snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from kernel.db import db
from kernel.ids import NOBODY
from ledger.policy import PLANS, VOUCHERS

BANDS = (30, 90, 180, 365)
"""The last day of each band of age but the last, which is open."""


@dataclass(frozen=True, slots=True)
class Aged:
    """What one store owes for one offer in one account, by the days since it was sold.

    `amounts` and `cups` are those of the bands, the youngest first: one more than `BANDS`.
    `without_age` is what belongs to no lot: what finance booked by hand.
    """

    store_id: UUID
    offer_id: UUID | None
    account: str
    currency: str
    amounts: tuple[int, ...]
    cups: tuple[int, ...]
    without_age: int = 0
    cups_without_age: int = 0

    @property
    def amount(self) -> int:
        """All of it."""
        return sum(self.amounts) + self.without_age

    @property
    def cups_owed(self) -> int:
        """All of it in cups."""
        return sum(self.cups) + self.cups_without_age


@dataclass(frozen=True, slots=True)
class Guaranteed:
    """What one store owes whose guarantee ends, or ended, in one month.

    `net + vat = gross`; the VAT of a lot goes with its money. `is_running` on the day that was
    asked for; `ends_in` is the first day of the month of the last guaranteed day.
    """

    store_id: UUID
    legal_entity_id: UUID | None
    ends_in: date
    is_running: bool
    currency: str
    cups: int
    net: int
    vat: int

    @property
    def gross(self) -> int:
        """What was paid for it, VAT included."""
        return self.net + self.vat


# Of each lot that may have owed something on the day: what, and in how many cups.
_OWED = """
WITH later AS MATERIALIZED (
    SELECT member_id, lot_id, sum(amount * sign) AS amount, sum(qty * sign) AS cups
    FROM (
        SELECT member_id, lot_id, amount, qty,
               (credit IN (:vouchers, :plans))::int - (debit IN (:vouchers, :plans))::int AS sign
        FROM line
        WHERE book_date > :on AND lot_id IS NOT NULL
          AND (credit IN (:vouchers, :plans) OR debit IN (:vouchers, :plans))
    ) moved
    GROUP BY member_id, lot_id
), owed AS (
    SELECT lot.store_id, lot.offer_id, lot.offer_version_id, lot.account, lot.currency,
           lot.net, lot.vat, (lot.sold_at AT TIME ZONE store.time_zone)::date AS sold_on,
           (lot.net - lot.net_recognised - coalesce(later.amount, 0))::bigint AS amount,
           (lot.units - lot.used - coalesce(later.cups, 0))::bigint AS cups
    FROM lot
    JOIN store ON store.id = lot.store_id
    LEFT JOIN later ON later.member_id = lot.member_id AND later.lot_id = lot.id
    WHERE lot.is_open OR lot.net > lot.net_recognised OR later.lot_id IS NOT NULL
)
"""

_AGES = text(
    _OWED
    + """
SELECT store_id, offer_id, account, currency,
       CASE WHEN :on - sold_on <= 30 THEN 0 WHEN :on - sold_on <= 90 THEN 1
            WHEN :on - sold_on <= 180 THEN 2 WHEN :on - sold_on <= 365 THEN 3 ELSE 4 END AS band,
       sum(amount)::bigint, sum(cups)::bigint
FROM owed
WHERE amount <> 0 OR cups <> 0
GROUP BY store_id, offer_id, account, currency, band
ORDER BY store_id, offer_id, account, currency, band
"""
)

# What people book belongs to nobody's wallet, and so to no lot.
_BY_HAND = text("""
SELECT store_id, offer_id, leg.account, entry.currency,
       sum(line.amount * leg.sign)::bigint, sum(line.qty * leg.sign)::bigint
FROM line
JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
CROSS JOIN LATERAL (VALUES (line.credit, 1), (line.debit, -1)) AS leg (account, sign)
WHERE line.lot_id IS NULL AND line.book_date <= :on AND leg.account IN (:vouchers, :plans)
  AND line.member_id = :nobody
GROUP BY store_id, offer_id, leg.account, entry.currency
HAVING sum(line.amount * leg.sign) <> 0 OR sum(line.qty * leg.sign) <> 0
ORDER BY store_id, offer_id, leg.account, entry.currency
""")

_GUARANTEES = text(
    _OWED
    + """
, guaranteed AS (
    SELECT owed.*, (sold_on + make_interval(months => guarantee_months::int))::date AS ends_on
    FROM owed JOIN offer_version ON offer_version.id = owed.offer_version_id
)
SELECT guaranteed.store_id, owner.legal_entity_id,
       date_trunc('month', ends_on - 1)::date AS ends_in, ends_on > :on AS is_running, currency,
       sum(cups)::bigint, sum(amount)::bigint,
       sum(CASE WHEN net = 0 THEN 0 ELSE (2 * vat * amount + net) / (2 * net) END)::bigint
FROM guaranteed
LEFT JOIN LATERAL (
    SELECT legal_entity_id FROM store_owner
    WHERE store_owner.store_id = guaranteed.store_id AND starts_on <= :on
    ORDER BY starts_on DESC LIMIT 1
) owner ON true
WHERE amount <> 0 OR cups <> 0
GROUP BY guaranteed.store_id, owner.legal_entity_id, ends_in, is_running, currency
ORDER BY guaranteed.store_id, ends_in, is_running, currency
"""
)


def list_ages(*, on: date) -> list[Aged]:
    """What is owed at the end of a day, by store, offer and account, and how long ago it was sold.

    Gifts under way and estimates of breakage are in accounts of their own, and not here.
    """
    bands: dict[tuple[Any, ...], dict[int, tuple[int, int]]] = {}
    for *of, band, amount, cups in db.session.execute(_AGES, _asked(on)):
        bands.setdefault(tuple(of), {})[band] = (amount, cups)
    return [*(_aged(of, banded) for of, banded in bands.items()), *_by_hand(on)]


def list_guarantees(*, on: date) -> list[Guaranteed]:
    """What is owed at the end of a day, by store, its owner, and the month its guarantee ends.

    A guarantee runs so many months from the day of the sale (`OfferVersion.guarantee_months`): of
    a year from 15 January, the last day is 14 January.
    """
    return [Guaranteed(*row) for row in db.session.execute(_GUARANTEES, _asked(on))]


def _aged(of: tuple[Any, ...], banded: dict[int, tuple[int, int]]) -> Aged:
    rows = [banded.get(band, (0, 0)) for band in range(len(BANDS) + 1)]
    return Aged(*of, tuple(amount for amount, _ in rows), tuple(cups for _, cups in rows))


def _by_hand(on: date) -> Iterator[Aged]:
    nothing = (0,) * (len(BANDS) + 1)
    for *of, amount, cups in db.session.execute(_BY_HAND, {**_asked(on), "nobody": NOBODY}):
        yield Aged(*of, nothing, nothing, amount, cups)


def _asked(on: date) -> dict[str, Any]:
    return {"on": on, "vouchers": VOUCHERS, "plans": PLANS}
