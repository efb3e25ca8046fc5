"""What one store did on one business day, in the smallest parts that its sheet adds up. Reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, text

from kernel.db import db


class Cell(NamedTuple):
    """Cups of one drink, made in one hour (on the store's clock), by one clerk, sold by one store.

    `cups` are all that were handed over, `cups_voided` those of them that were undone since;
    `amount` is the net value that stayed, `top_up` the money at the till that did.
    """

    product_id: UUID
    hour: int
    staff_id: UUID
    sold_at_id: UUID
    currency: str
    is_offline: bool
    cups: int
    cups_voided: int
    amount: int
    top_up: int


class Undone(NamedTuple):
    """A void of that day, whenever the cups had been handed over.

    By nobody (`staff_id`) is what was settled anew, since another till's log came in or somebody
    has charged it.
    """

    id: UUID
    redemption_id: UUID
    staff_id: UUID | None
    approved_by_id: UUID | None
    cups: int
    top_up: int
    reason: str | None
    redeemed_at: datetime
    redeemed_by_id: UUID
    voided_at: datetime


class No(NamedTuple):
    """How often somebody was told no, for one reason."""

    reason: str
    staff_id: UUID
    times: int
    cups: int


class Offline(NamedTuple):
    """What tills without a network served, by what became of it; `is_open` waits for a person."""

    outcome: str
    reason: str | None
    is_open: bool
    items: int
    cups: int
    cups_borne: int


class Decided(NamedTuple):
    """What somebody has decided about cups of their own wallet that were served offline."""

    staff_id: UUID
    times: int


class Guessed(NamedTuple):
    """Codes that were none, by device, in that day's busiest hour and in all."""

    device_id: UUID
    most_in_an_hour: int
    times: int


class Repeated(NamedTuple):
    """One wallet that one clerk served again and again."""

    staff_id: UUID
    redemption_ids: list[UUID]


class Disowned(NamedTuple):
    """A redemption of which the member said that it was not them."""

    redemption_id: UUID
    staff_id: UUID
    cups: int
    disowned_at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """One store's business day, as of one moment: all of it, or the cups alone."""

    store_id: UUID
    on: date
    cells: Sequence[Cell]
    voids: Sequence[Undone] = ()
    noes: Sequence[No] = ()
    offline: Sequence[Offline] = ()
    decided: Sequence[Decided] = ()
    guessed: Sequence[Guessed] = ()
    repeated: Sequence[Repeated] = ()
    disowned: Sequence[Disowned] = ()


SERVED_AGAIN = 3
"""From so many redemptions of one wallet by one clerk on one day, they are told apart."""

# What was settled anew is handed over by another redemption; this one never happened.
_HAPPENED = """
    NOT (redemption.is_offline AND redemption.voided_at IS NOT NULL AND EXISTS (
        SELECT FROM redemption_void AS anew
        WHERE anew.member_id = redemption.member_id AND anew.redemption_id = redemption.id
          AND anew.staff_id IS NULL))
"""
_CELLS = f"""
    SELECT line.product_id,
           extract(hour FROM redemption.redeemed_at AT TIME ZONE store.time_zone)::int AS hour,
           redemption.staff_id, lot.store_id AS sold_at_id, lot.currency, redemption.is_offline,
           sum(line.cups)::bigint AS cups, sum(line.cups_voided)::bigint AS cups_voided,
           sum(line.amount - line.amount_voided)::bigint AS amount,
           sum(line.top_up - line.top_up_voided)::bigint AS top_up
    FROM redemption
    JOIN store ON store.id = redemption.store_id
    JOIN redemption_line AS line
      ON line.member_id = redemption.member_id AND line.redemption_id = redemption.id
    JOIN lot ON lot.member_id = line.member_id AND lot.id = line.lot_id
    WHERE redemption.store_id = :store_id AND redemption.business_day = :day AND {_HAPPENED}
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY min(redemption.redeemed_at), 1, 3, 4, 5, 6
"""  # noqa: S608  of our own text
_VOIDS = """
    SELECT redemption_void.id, redemption_void.redemption_id, redemption_void.staff_id,
           redemption_void.approved_by_id, redemption_void.cups, redemption_void.top_up,
           redemption_void.reason, redemption.redeemed_at,
           redemption.staff_id AS redeemed_by_id, redemption_void.voided_at
    FROM redemption_void
    JOIN redemption ON redemption.member_id = redemption_void.member_id
                   AND redemption.id = redemption_void.redemption_id
    WHERE redemption_void.store_id = :store_id AND redemption_void.business_day = :day
    ORDER BY redemption_void.voided_at, redemption_void.id
"""
_NOES = """
    SELECT reason, staff_id, count(*) AS times, sum(cups)::bigint AS cups
    FROM turned_away WHERE store_id = :store_id AND business_day = :day
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
_OFFLINE = """
    SELECT outcome, reason, outcome <> 'applied' AND resolved_at IS NULL AS is_open,
           count(*) AS items, sum(cups)::bigint AS cups, sum(cups_borne)::bigint AS cups_borne
    FROM offline_item WHERE store_id = :store_id AND business_day = :day
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_DECIDED = """
    SELECT staff.id AS staff_id, count(*) AS times
    FROM offline_item
    JOIN staff ON staff.id = offline_item.resolved_by_id
              AND staff.member_id = offline_item.member_id
    WHERE offline_item.store_id = :store_id AND offline_item.business_day = :day
    GROUP BY 1 ORDER BY 2 DESC, 1
"""
_GUESSED = """
    SELECT wrong_code.device_id, max(wrong_code.times)::bigint AS most_in_an_hour,
           sum(wrong_code.times)::bigint AS times
    FROM device
    JOIN store ON store.id = device.store_id
    JOIN wrong_code ON wrong_code.device_id = device.id
    WHERE device.store_id = :store_id
      AND wrong_code.hour_at
          >= (CAST(:day AS date) + store.day_ends_at) AT TIME ZONE store.time_zone
      AND wrong_code.hour_at
          < (CAST(:day AS date) + 1 + store.day_ends_at) AT TIME ZONE store.time_zone
    GROUP BY 1 ORDER BY 3 DESC, 1
"""
_REPEATED = f"""
    SELECT staff_id, array_agg(id ORDER BY redeemed_at, id) AS redemption_ids
    FROM redemption WHERE store_id = :store_id AND business_day = :day AND {_HAPPENED}
    GROUP BY staff_id, member_id HAVING count(*) >= :again
    ORDER BY count(*) DESC, staff_id
"""  # noqa: S608  of our own text
_DISOWNED = """
    SELECT id AS redemption_id, staff_id, cups, disowned_at
    FROM redemption
    WHERE store_id = :store_id AND business_day = :day AND disowned_at IS NOT NULL
    ORDER BY disowned_at, id
"""


def read_cups(*, store_id: UUID, on: date) -> Day:
    """Read the cups of a store's business day alone, in one statement."""
    return Day(store_id, on, cells=[Cell(**row) for row in _rows(_CELLS, store_id, on)])


def read_day(*, store_id: UUID, on: date) -> Day:
    """Read a store's business day, in a snapshot: eight statements, however much was done."""

    def rows(sql: str) -> Sequence[RowMapping]:
        return _rows(sql, store_id, on)

    return replace(
        read_cups(store_id=store_id, on=on),
        voids=[Undone(**row) for row in rows(_VOIDS)],
        noes=[No(**row) for row in rows(_NOES)],
        offline=[Offline(**row) for row in rows(_OFFLINE)],
        decided=[Decided(**row) for row in rows(_DECIDED)],
        guessed=[Guessed(**row) for row in rows(_GUESSED)],
        repeated=[Repeated(**row) for row in rows(_REPEATED)],
        disowned=[Disowned(**row) for row in rows(_DISOWNED)],
    )


def _rows(sql: str, store_id: UUID, on: date) -> Sequence[RowMapping]:
    asked = {"store_id": store_id, "day": on, "again": SERVED_AGAIN}
    wanted = {name: value for name, value in asked.items() if f":{name}" in sql}
    return db.session.execute(text(sql), wanted).mappings().all()
