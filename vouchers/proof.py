"""Checks of the lots: the cups and the money in them are what the books owe to shoppers."""

from collections.abc import Iterable

from kernel.ids import NOBODY
from ledger import policy
from ledger.proof import WHOLE, Facts, Part, check
from vouchers import (  # noqa: F401  their checks register themselves
    gift_proof,
    invoice_proof,
    refund_proof,
)
from vouchers.invoice_proof import LOTS

_OF_LOTS = [policy.VOUCHERS, policy.PLANS]
"""The accounts that lots are booked on. What is on its way between two lots is on another."""


@check("bounds", invariant=2, walk=LOTS)
def bounds(part: Part) -> Iterable[Facts]:
    """A lot has given no more than it held, in cups and in money, and all when it is empty.

    2: tables refuse anything else; this sees rows that got there past their constraints. A lot that
    earns by the day holds no cups: it is open until its end, however much is earned.
    """
    return part.find("""
        SELECT lot.member_id, lot.id AS lot_id, lot.units, lot.used, lot.net, lot.net_recognised
        FROM lot
        WHERE {within lot} AND NOT (
            lot.used BETWEEN 0 AND lot.units AND lot.net_recognised BETWEEN 0 AND lot.net
            AND (lot.is_open OR lot.net_recognised = lot.net)
            AND (lot.units = 0 OR lot.is_open = (lot.used < lot.units)))
    """)


@check("lot", invariant=3, walk=LOTS)
def lot(part: Part) -> Iterable[Facts]:
    """What is left in each lot is what its lines say is owed, in cups and in money.

    3: on the lot's own account, store and offer, and nothing of it anywhere else.
    """
    return part.find(
        """
        WITH held AS (
            SELECT member_id, id AS lot_id, account, store_id, offer_id,
                   net - net_recognised AS amount, units - used AS cups
            FROM lot WHERE {within lot}
        ), booked AS (
            SELECT line.member_id, line.lot_id, leg.account, line.store_id, line.offer_id,
                   sum(leg.amount) AS amount, sum(leg.cups) AS cups
            FROM line
            CROSS JOIN LATERAL (
                VALUES (line.debit, -line.amount, -line.qty), (line.credit, line.amount, line.qty)
            ) AS leg (account, amount, cups)
            WHERE {within line} AND leg.account = ANY(:accounts)
            GROUP BY 1, 2, 3, 4, 5
        )
        SELECT member_id, lot_id, account, store_id, offer_id,
               booked.amount AS expected, held.amount AS found,
               booked.cups AS expected_cups, held.cups AS found_cups
        FROM held FULL JOIN booked USING (member_id, lot_id, account, store_id, offer_id)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
           OR coalesce(held.cups, 0) <> coalesce(booked.cups, 0)
        """,
        accounts=_OF_LOTS,
    )


@check("earned", invariant=3, walk=LOTS)
def earned(part: Part) -> Iterable[Facts]:
    """What a lot that earns by the day has booked is what its days up to the last one earn.

    3: straight-line, to the dollar. Whatever ends before its days are over earns the rest at once,
    unless the rest was given back. What was sold late earns the days before with that of its sale,
    and that one only if it was over, or used, when the rest was given back.
    """
    return part.find(
        """
        WITH earning AS (
            SELECT lot.member_id, lot.id AS lot_id, lot.net::bigint AS net, lot.is_open,
                   lot.earns_from_on, lot.earns_days::bigint AS days,
                   (lot.sold_at AT TIME ZONE store.time_zone)::date AS sold_on
            FROM lot JOIN store ON store.id = lot.store_id
            WHERE {within lot} AND lot.earns_days IS NOT NULL
        ), booked AS (
            SELECT earning.member_id, earning.lot_id, total(line.amount) AS amount,
                   max(entry.occurred_on) AS last_on
            FROM earning
            JOIN line USING (member_id, lot_id)
            JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
            WHERE {near line} AND {near entry} AND entry.kind = 'earning'
            GROUP BY earning.member_id, earning.lot_id
        ), due AS (
            SELECT earning.*, booked.amount, booked.last_on,
                   least(days, last_on - earns_from_on + 1) AS passed,
                   CASE WHEN last_on = sold_on THEN least(days, last_on - earns_from_on)
                   END AS passed_before
            FROM earning JOIN booked USING (member_id, lot_id)
        ), straight AS (
            SELECT due.*, (2 * net * passed + days) / (2 * days) AS expected,
                   (2 * net * passed_before + days) / (2 * days) AS expected_before
            FROM due
        )
        SELECT member_id, lot_id, last_on, expected, amount AS found
        FROM straight
        WHERE amount <> expected AND amount IS DISTINCT FROM expected_before
          AND (is_open OR amount <> net)
        """
    )


@check("pool", invariant=3, walk=WHOLE)
def pool(part: Part) -> Iterable[Facts]:
    """What all lots of a store and an offer hold is the balance of the liability for them.

    3: read from the same roll-ups and tail as the reports. Cups under way are in no lot.
    """
    return part.find(
        """
        WITH held AS (
            SELECT account, store_id, offer_id, currency,
                   sum(net - net_recognised) AS amount, sum(units - used) AS cups
            FROM lot WHERE is_open
            GROUP BY account, store_id, offer_id, currency
        ), moved AS (
            SELECT account, store_id, offer_id, currency, credit - debit AS amount, cups
            FROM rollup_month WHERE account = ANY(:accounts)
            UNION ALL
            SELECT leg.account, line.store_id, coalesce(line.offer_id, :nobody), entry.currency,
                   leg.amount, leg.cups
            FROM unfolded
            JOIN entry ON entry.member_id = unfolded.member_id AND entry.id = unfolded.entry_id
            JOIN line ON line.member_id = unfolded.member_id
                     AND line.book_date = unfolded.book_date
                     AND line.entry_id = unfolded.entry_id
            CROSS JOIN LATERAL (
                VALUES (line.debit, -line.amount, -line.qty), (line.credit, line.amount, line.qty)
            ) AS leg (account, amount, cups)
            WHERE leg.account = ANY(:accounts)
        ), booked AS (
            SELECT account, store_id, offer_id, currency,
                   sum(amount) AS amount, sum(cups) AS cups
            FROM moved
            GROUP BY account, store_id, offer_id, currency
        )
        SELECT account, store_id, offer_id, currency,
               booked.amount AS expected, held.amount AS found,
               booked.cups AS expected_cups, held.cups AS found_cups
        FROM held FULL JOIN booked USING (account, store_id, offer_id, currency)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
           OR coalesce(held.cups, 0) <> coalesce(booked.cups, 0)
        """,
        accounts=_OF_LOTS,
        nobody=NOBODY,
    )
