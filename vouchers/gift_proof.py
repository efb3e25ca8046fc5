"""Checks of the gifts: the cups and the money in open ones are what the books have under way."""

from collections.abc import Iterable

from kernel.ids import NOBODY
from ledger import policy
from ledger.proof import WHOLE, Facts, KeyWalk, Part, check

GIVEN_LOTS = KeyWalk("given lots", "gift_item", ("member_id",), 20_000)


@check("under_way", invariant=3, walk=GIVEN_LOTS)
def under_way(part: Part) -> Iterable[Facts]:
    """What open gifts hold of a lot is what its lines say is under way, in cups and in money.

    3: giving, coming back and refunding name the lot that the cups left. A claim names the lot that
    it made, which says by its source and ordinal which part of which gift it is.
    """
    return part.find(
        """
        WITH held AS (
            SELECT item.member_id, item.lot_id, sum(item.net) AS amount, sum(item.cups) AS cups
            FROM gift_item AS item JOIN gift ON gift.id = item.gift_id AND gift.status = 'open'
            WHERE {within item}
            GROUP BY 1, 2
        ), given AS (
            SELECT DISTINCT item.member_id, item.lot_id FROM gift_item AS item WHERE {within item}
        ), moved AS (
            SELECT line.member_id, line.lot_id,
                   CASE WHEN line.credit = :account THEN 1 ELSE -1 END AS sign,
                   line.amount, line.qty
            FROM given
            JOIN line ON line.member_id = given.member_id AND line.lot_id = given.lot_id
                     AND :account IN (line.debit, line.credit)
            JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
                      AND entry.kind NOT IN ('claim', 'transfer')
            UNION ALL
            SELECT item.member_id, item.lot_id, -1, line.amount, line.qty
            FROM gift_item AS item
            JOIN gift ON gift.id = item.gift_id AND gift.status = 'claimed'
            JOIN lot ON lot.member_id = gift.claimed_by_id AND lot.source = 'gift'
                    AND lot.source_id = gift.id AND lot.ordinal = item.ordinal
            JOIN entry ON entry.member_id = lot.member_id AND entry.source_id = gift.id
                      AND entry.kind = 'claim'
            JOIN line ON line.member_id = lot.member_id AND line.entry_id = entry.id
                     AND line.book_date = entry.book_date AND line.lot_id = lot.id
            WHERE {within item}
        ), booked AS (
            SELECT member_id, lot_id, sum(sign * amount) AS amount, sum(sign * qty) AS cups
            FROM moved
            GROUP BY 1, 2
        )
        SELECT member_id, lot_id,
               booked.amount AS expected, held.amount AS found,
               booked.cups AS expected_cups, held.cups AS found_cups
        FROM held FULL JOIN booked USING (member_id, lot_id)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
           OR coalesce(held.cups, 0) <> coalesce(booked.cups, 0)
        """,
        account=policy.UNDER_WAY,
    )


@check("under_way_pool", invariant=3, walk=WHOLE)
def under_way_pool(part: Part) -> Iterable[Facts]:
    """What all open gifts hold, by store and offer, is the balance of what is under way.

    3: read from the same roll-ups and tail as the reports. Changes of plan come and go at once.
    """
    return part.find(
        """
        WITH held AS (
            SELECT lot.store_id, lot.offer_id, lot.currency,
                   sum(item.net) AS amount, sum(item.cups) AS cups
            FROM gift_item AS item
            JOIN gift ON gift.id = item.gift_id AND gift.status = 'open'
            JOIN lot ON lot.member_id = item.member_id AND lot.id = item.lot_id
            GROUP BY 1, 2, 3
        ), moved AS (
            SELECT store_id, offer_id, currency, credit - debit AS amount, cups
            FROM rollup_month WHERE account = :account AND kind <> 'transfer'
            UNION ALL
            SELECT line.store_id, coalesce(line.offer_id, :nobody), entry.currency,
                   CASE WHEN line.credit = :account THEN line.amount ELSE -line.amount END,
                   CASE WHEN line.credit = :account THEN line.qty ELSE -line.qty END
            FROM unfolded
            JOIN entry ON entry.member_id = unfolded.member_id AND entry.id = unfolded.entry_id
                      AND entry.kind <> 'transfer'
            JOIN line ON line.member_id = unfolded.member_id
                     AND line.book_date = unfolded.book_date
                     AND line.entry_id = unfolded.entry_id
            WHERE :account IN (line.debit, line.credit)
        ), booked AS (
            SELECT store_id, offer_id, currency, sum(amount) AS amount, sum(cups) AS cups
            FROM moved
            GROUP BY 1, 2, 3
        )
        SELECT store_id, offer_id, currency,
               booked.amount AS expected, held.amount AS found,
               booked.cups AS expected_cups, held.cups AS found_cups
        FROM held FULL JOIN booked USING (store_id, offer_id, currency)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
           OR coalesce(held.cups, 0) <> coalesce(booked.cups, 0)
        """,
        account=policy.UNDER_WAY,
        nobody=NOBODY,
    )
