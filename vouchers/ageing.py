"""What is owed in cups as of a day, lot by lot: how old it is, and how long it is guaranteed.

The lots say what is owed now. What the books moved after the day is taken back from that, so that
any day up to today is exact. The caller holds a snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from ledger.month import Month
from ledger.policy import BREAKAGE_CONTRA, PLANS, UNDER_WAY, VOUCHERS
from ledger.reports import held_on
from ledger.reports.reading import rows

BANDS = (30, 90, 180, 365)
"""The last day of each band of age but the last, which is open."""

_BANDS = len(BANDS) + 1


class _Of(NamedTuple):
    """Whose sums these are."""

    store_id: UUID
    offer_id: UUID | None
    account: str
    currency: str


@dataclass(frozen=True, slots=True)
class Aged:
    """What one store owes for one offer in one account, by the days since it was sold.

    `amounts` and `cups` are those of the bands, the youngest first: one more than `BANDS`.
    `without_age` is what belongs to no lot: what is under way, or estimated.
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
    asked for; `ends_in` is the month of the last guaranteed day.
    """

    store_id: UUID
    legal_entity_id: UUID | None
    ends_in: Month
    is_running: bool
    currency: str
    cups: int
    net: int
    vat: int

    @property
    def gross(self) -> int:
        """What was paid for it, VAT included."""
        return self.net + self.vat


# Of each lot that may have owed something on the day: what, and in how many cups. A lot that is not
# open owes nothing now, so it counts only where the books moved it later: most lots are not read.
_OWED = """
WITH later AS MATERIALIZED (
    SELECT member_id, lot_id, total(amount * sign) AS amount, total(qty * sign) AS cups
    FROM (
        SELECT member_id, lot_id, amount, qty,
               (credit = ANY(%(accounts)s))::int - (debit = ANY(%(accounts)s))::int AS sign
        FROM line
        WHERE book_date > %(on)s AND lot_id IS NOT NULL
          AND (credit = ANY(%(accounts)s) OR debit = ANY(%(accounts)s))
    ) moved
    GROUP BY member_id, lot_id
), looked_at AS (
    SELECT lot.*, coalesce(later.amount, 0) AS later_amount, coalesce(later.cups, 0) AS later_cups
    FROM lot LEFT JOIN later ON later.member_id = lot.member_id AND later.lot_id = lot.id
    WHERE lot.is_open
    UNION ALL
    SELECT lot.*, later.amount, later.cups
    FROM later JOIN lot ON lot.member_id = later.member_id AND lot.id = later.lot_id
    WHERE NOT lot.is_open
), owed AS (
    SELECT lot.store_id, lot.offer_id, lot.offer_version_id, lot.account, lot.currency,
           lot.net, lot.vat, (lot.sold_at AT TIME ZONE store.time_zone)::date AS sold_on,
           lot.net - lot.net_recognised - lot.later_amount AS amount,
           lot.units - lot.used - lot.later_cups AS cups
    FROM looked_at AS lot JOIN store ON store.id = lot.store_id
)
"""

_AGES = f"""
{_OWED}
SELECT store_id, offer_id, account, currency,
       width_bucket(%(on)s - sold_on, %(begins)s::int[]) AS band,
       total(amount), total(cups)
FROM owed
WHERE amount <> 0 OR cups <> 0
GROUP BY store_id, offer_id, account, currency, band
ORDER BY store_id, offer_id, account, currency, band
"""  # noqa: S608  of our own text

_GUARANTEES = f"""
{_OWED}, given AS (
    SELECT gift_item.*, (gift.given_at AT TIME ZONE store.time_zone)::date AS given_on,
           (CASE WHEN gift.status = 'returned' THEN least(gift.closed_at, gift.ends_at)
                 ELSE gift.closed_at END AT TIME ZONE store.time_zone)::date AS closed_on,
           (lot.sold_at AT TIME ZONE store.time_zone)::date AS sold_on,
           lot.store_id, lot.offer_version_id, lot.currency, lot.net AS lot_net, lot.vat AS lot_vat
    FROM gift
    JOIN gift_item ON gift_item.gift_id = gift.id
    JOIN lot ON lot.member_id = gift_item.member_id AND lot.id = gift_item.lot_id
    JOIN store ON store.id = lot.store_id
), held AS (
    SELECT store_id, offer_version_id, currency, net, vat, sold_on, amount, cups FROM owed
    UNION ALL
    SELECT store_id, offer_version_id, currency, lot_net, lot_vat, sold_on, net, cups FROM given
    WHERE given_on <= %(on)s AND (closed_on IS NULL OR closed_on > %(on)s)
), guaranteed AS (
    SELECT owed.*, until + (extract(day FROM until) < extract(day FROM sold_on))::int AS ends_on
    FROM held AS owed
    JOIN offer_version ON offer_version.id = owed.offer_version_id
    CROSS JOIN LATERAL (
        SELECT (sold_on + make_interval(months => guarantee_months::int))::date AS until
    ) counted
    WHERE owed.amount <> 0 OR owed.cups <> 0
), summed AS (
    SELECT store_id, date_trunc('month', ends_on - 1)::date AS ends_in,
           ends_on > %(on)s AS is_running, currency, total(cups) AS cups, total(amount) AS net,
           total(CASE WHEN net = 0 THEN 0 ELSE (2 * vat * amount + net) / (2 * net) END) AS vat
    FROM guaranteed
    GROUP BY store_id, ends_in, is_running, currency
)
SELECT summed.store_id, owner.legal_entity_id, ends_in, is_running, currency, cups, net, vat
FROM summed
LEFT JOIN LATERAL (
    SELECT legal_entity_id FROM store_owner
    WHERE store_owner.store_id = summed.store_id AND starts_on <= %(on)s
    ORDER BY starts_on DESC LIMIT 1
) owner ON true
ORDER BY summed.store_id, ends_in, is_running, currency
"""  # noqa: S608  of our own text


def list_ages(*, on: date) -> list[Aged]:
    """What is owed at the end of a day, by store, offer and account, and how long ago it was sold.

    What is under way between lots, and estimates of breakage (negative), are in accounts of their
    own, without age or offer; so it all adds up to the liability of that day.
    """
    bands: dict[_Of, dict[int, tuple[int, int]]] = {}
    for *of, band, amount, cups in rows(_AGES, _asked(on)):
        bands.setdefault(_Of(*of), {})[band] = (amount, cups)
    lots = [_aged(of, banded) for of, banded in bands.items()]
    return [*lots, *_apart(on)]


def list_guarantees(*, on: date) -> list[Guaranteed]:
    """What is owed at the end of a day, by store, its owner, and the month its guarantee ends.

    Cups on their way to somebody are owed as those in wallets are.

    A guarantee runs so many months from the day of the sale (`OfferVersion.guarantee_months`): of
    a year from 15 January, the last day is 14 January. Where the last month has no such day it is
    that month's last (Civil Code, article 121): of a year from 29 February, 28 February.
    """
    return [
        Guaranteed(store_id, entity_id, Month(ends_in), *rest)
        for store_id, entity_id, ends_in, *rest in rows(_GUARANTEES, _asked(on))
    ]


def _aged(of: _Of, banded: dict[int, tuple[int, int]]) -> Aged:
    sums = [banded.get(band, (0, 0)) for band in range(_BANDS)]
    amounts, cups = zip(*sums, strict=True)
    return Aged(*of, amounts=amounts, cups=cups)


def _apart(on: date) -> Iterator[Aged]:
    """What is owed and in no lot: under way, or estimated never to be collected."""
    for row in held_on(on, accounts=(UNDER_WAY, BREAKAGE_CONTRA)):
        assert row.store_id is not None  # it was asked for by store
        yield _without_age(
            _Of(row.store_id, None, row.account, row.currency), row.balance, row.cups
        )


def _without_age(of: _Of, amount: int, cups: int) -> Aged:
    nothing = (0,) * _BANDS
    return Aged(*of, amounts=nothing, cups=nothing, without_age=amount, cups_without_age=cups)


def _asked(on: date) -> dict[str, Any]:
    """Of which day and accounts; `begins` are the first days of the bands but the youngest."""
    begins = [last + 1 for last in BANDS]
    return {"on": on, "accounts": [VOUCHERS, PLANS], "begins": begins}
