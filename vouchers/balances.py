"""What a member holds, added up: by what the cups may be exchanged for, and when they end.

One statement, however many lots there are. Lots are first added up by version, then versions that
say the same (a new price is a new version) are; only those of the page are told in full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text

from kernel.db import db

Place = tuple[datetime | None, str]
"""Where a list of balances stands: the end of the last one, and its first lot."""


class Drink(NamedTuple):
    """A product that cups may be exchanged for."""

    id: UUID
    code: str
    name: str
    size: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What is held of one offer, good for the same and ending together.

    `benefit` says what it is: cups; cups that nobody counts (`unlimited`); a `membership`; or
    `periods` of a plan, prepaid, which no till takes. `left` counts cups and periods, and is None
    where nothing is counted. `products` are what they are good for; where none is listed, whatever
    costs up to `covers_up_to`. With `allows_top_up` a dearer drink costs the difference. `is_late`
    where they are past an end of mode `top_up`, and each costs a difference now. What is frozen
    cannot be collected until its dispute is over.
    """

    offer_id: UUID
    offer: str
    name: str
    benefit: str
    unit: str
    products: Sequence[Drink]
    covers_up_to: int | None
    allows_top_up: bool
    currency: str
    left: int | None
    ends_at: datetime | None
    expiry_mode: str
    is_late: bool
    is_frozen: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Sums:
    """All cups of a member: to be collected, frozen, past an end that is about to be settled.

    `under_way` are in gifts of theirs that nobody has claimed, cups and periods. `periods` of plans
    are prepaid, and in none of the others.
    """

    cups: int
    frozen: int
    ended: int
    under_way: int
    periods: int


def add_up(
    *, member_id: UUID, limit: int, after: Place | None, now: datetime
) -> tuple[Sums, list[Balance]]:
    """Answer the sums of a wallet, and a page of its balances, the soonest to end first."""
    ends_at, first_lot = after or (None, "")
    asked = {
        "member_id": member_id,
        "now": now,
        "limit": limit,
        "after_end": ("-infinity" if after is None else "infinity") if ends_at is None else ends_at,
        "after_lot": first_lot,
    }
    rows = db.session.execute(text(_BALANCES), asked).all()
    sums = Sums(*rows[0][:5])
    return sums, [_balance(row) for row in rows if row.offer_id is not None]


def _balance(row: Row[Any]) -> Balance:
    return Balance(
        offer_id=row.offer_id,
        offer=row.code,
        name=row.name,
        benefit=row.benefit,
        unit=row.unit,
        products=[Drink(UUID(drink[0]), *drink[1:]) for drink in row.listed or ()],
        covers_up_to=row.covers_up_to,
        allows_top_up=row.allows_top_up,
        currency=row.currency,
        left=row.left,
        ends_at=row.ends_at,
        expiry_mode=row.expiry_mode,
        is_late=row.costs_difference,
        is_frozen=row.is_frozen,
        place=(row.ends_at, row.first_lot),
    )


_BALANCES = """
WITH held AS MATERIALIZED (
    SELECT offer_id, offer_version_id, expiry_mode, ends_at, prepays_plan,
           units > 0 AS is_counted, frozen_at IS NOT NULL AS is_frozen,
           ends_at IS NOT NULL AND ends_at <= :now AS is_late,
           sum(units - used)::bigint AS cups, min(id::text) AS first_lot
    FROM lot
    WHERE member_id = :member_id AND is_open
    GROUP BY offer_id, offer_version_id, expiry_mode, ends_at, prepays_plan, units > 0,
             frozen_at IS NOT NULL
), terms AS (
    SELECT id, name, unit, covers_up_to, allows_top_up, currency, is_unlimited,
           (SELECT array_agg(product_id ORDER BY product_id) FROM offer_version_product listed
            WHERE listed.offer_version_id = offer_version.id) AS product_ids
    FROM offer_version
    WHERE id IN (SELECT offer_version_id FROM held)
), called AS (
    SELECT held.*, name, product_ids, covers_up_to, allows_top_up, currency,
           CASE WHEN prepays_plan THEN 'period' ELSE unit END AS unit,
           CASE WHEN prepays_plan THEN 'periods' WHEN is_counted THEN 'cups'
                WHEN is_unlimited THEN 'unlimited' ELSE 'membership' END AS benefit
    FROM held JOIN terms ON terms.id = held.offer_version_id
), balance AS (
    SELECT offer_id, name, benefit, unit, product_ids, covers_up_to, allows_top_up, currency,
           CASE WHEN is_counted THEN sum(cups)::bigint END AS cups, ends_at, expiry_mode, is_late,
           is_frozen, min(first_lot) AS first_lot
    FROM called
    WHERE is_frozen OR NOT is_late OR expiry_mode = 'top_up'
    GROUP BY offer_id, name, benefit, unit, product_ids, covers_up_to, allows_top_up, currency,
             is_counted, ends_at, expiry_mode, is_late, is_frozen
), page AS (
    SELECT * FROM balance
    WHERE (coalesce(ends_at, 'infinity'), first_lot)
        > (CAST(:after_end AS timestamptz), CAST(:after_lot AS text))
    ORDER BY coalesce(ends_at, 'infinity'), first_lot
    LIMIT :limit
), sums AS (
    SELECT coalesce(sum(cups) FILTER (
               WHERE NOT prepays_plan AND NOT is_frozen
                 AND (NOT is_late OR expiry_mode = 'top_up')), 0)::bigint,
           coalesce(sum(cups) FILTER (WHERE NOT prepays_plan AND is_frozen), 0)::bigint,
           coalesce(sum(cups) FILTER (
               WHERE NOT prepays_plan AND NOT is_frozen AND is_late
                 AND expiry_mode <> 'top_up'), 0)::bigint,
           (SELECT coalesce(sum(cups), 0)::bigint FROM gift
            WHERE giver_id = :member_id AND status = 'open'),
           coalesce(sum(cups) FILTER (WHERE prepays_plan), 0)::bigint
    FROM held
)
SELECT sums.*, page.offer_id, offer.code, page.name, page.benefit, page.unit, drink.listed,
       page.covers_up_to, page.allows_top_up, page.currency, page.cups AS "left", page.ends_at,
       page.expiry_mode, page.is_late AND page.expiry_mode = 'top_up' AS costs_difference,
       page.is_frozen, page.first_lot
FROM sums
LEFT JOIN page ON true
LEFT JOIN offer ON offer.id = page.offer_id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(id, code, name, size) ORDER BY code) AS listed
    FROM product WHERE id = ANY (page.product_ids)
) drink ON true
ORDER BY coalesce(page.ends_at, 'infinity'), page.first_lot
"""
