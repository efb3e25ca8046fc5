"""Checks of invoices against the books: VAT that was booked is VAT that buyers were told.

What `invoicing.proof` proves by itself (an invoice is its lines, what was taken back is its voids
and allowances) is completed here, where it is known which lots an invoice is for.
"""

from collections.abc import Iterable

from invoicing.proof import INVOICES
from ledger import policy
from ledger.proof import WHOLE, Facts, KeyWalk, Part, check

LOTS = KeyWalk("lots", "lot", ("member_id",), 20_000)


@check("sold_vat", invariant=12, walk=LOTS)
def sold_vat(part: Part) -> Iterable[Facts]:
    """The VAT that a lot carries is what its sale has booked.

    12: of lots that were sold; those that were a gift, or took over the cups of another plan,
    have theirs of another lot.
    """
    return part.find(
        """
        WITH sold AS (
            SELECT member_id, id AS lot_id, source, vat FROM lot
            WHERE {within lot} AND source IN ('order_item', 'period')
        ), booked AS (
            SELECT member_id, lot_id,
                   total(CASE WHEN debit = :cash AND credit = :vat THEN amount ELSE 0 END) AS vat,
                   bool_or(debit = :under_way) AS took_over
            FROM line WHERE {within line} AND lot_id IS NOT NULL
            GROUP BY member_id, lot_id
        )
        SELECT member_id, lot_id, booked.vat AS expected, sold.vat AS found
        FROM sold LEFT JOIN booked USING (member_id, lot_id)
        WHERE coalesce(booked.vat, 0) <> sold.vat
          AND (source = 'order_item' OR NOT coalesce(took_over, false))
        """,
        cash=policy.CASH,
        under_way=policy.UNDER_WAY,
        vat=policy.OUTPUT_VAT,
    )


@check("invoiced_vat", invariant=12, walk=INVOICES)
def invoiced_vat(part: Part) -> Iterable[Facts]:
    """The VAT of an invoice is what the lots carry that were sold with it.

    12: for orders and for plan periods.
    """
    return part.find(
        """
        SELECT told.id AS invoice_id, told.number, sold.vat AS expected, told.vat AS found
        FROM (
            SELECT * FROM invoice WHERE {within invoice} AND source IN ('order', 'period')
        ) AS told
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(lot.vat), 0) AS vat
            FROM (
                SELECT lot.vat FROM order_item
                JOIN lot ON lot.order_item_id = order_item.id AND lot.source = 'order_item'
                WHERE told.source = 'order' AND order_item.order_id = told.source_id
                UNION ALL
                SELECT lot.vat FROM lot
                WHERE told.source = 'period' AND lot.member_id = told.member_id
                  AND lot.source = 'period' AND lot.source_id = told.source_id
            ) AS lot
        ) AS sold
        WHERE sold.vat <> told.vat
        """
    )


@check("taken_back_vat", invariant=12, walk=WHOLE)
def taken_back_vat(part: Part) -> Iterable[Facts]:
    """The VAT that a refund's void or allowances give back is what the refund has booked.

    12: lots of vouchers that are invoiced when they are redeemed carry none.
    """
    return part.find(
        """
        WITH given AS (
            SELECT cause_id, total(vat) AS vat FROM invoice_document
            WHERE cause_id IS NOT NULL GROUP BY cause_id
        ), booked AS (
            SELECT refund_line.refund_id AS cause_id,
                   total(CASE WHEN line.debit = :vat THEN line.amount ELSE -line.amount END) AS vat
            FROM refund_line
            JOIN entry ON entry.member_id = refund_line.member_id
                      AND entry.id = refund_line.entry_id
            JOIN line ON line.member_id = entry.member_id AND line.book_date = entry.book_date
                     AND line.entry_id = entry.id AND :vat IN (line.debit, line.credit)
            WHERE refund_line.refund_id IN (SELECT cause_id FROM given)
            GROUP BY refund_line.refund_id
        )
        SELECT cause_id AS refund_id, booked.vat AS expected, given.vat AS found
        FROM given JOIN booked USING (cause_id)
        WHERE booked.vat <> given.vat
        """,
        vat=policy.OUTPUT_VAT,
    )
