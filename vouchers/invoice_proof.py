"""Checks of invoices against the books: VAT that was booked is VAT that buyers were told.

What `invoicing.proof` proves by itself (an invoice is its lines, what was taken back is its voids
and allowances) is completed here, where it is known which lots an invoice is for.
"""

from collections.abc import Iterable

from invoicing.proof import INVOICES
from ledger import policy
from ledger.proof import WHOLE, Facts, Part, check


@check("invoiced_vat", invariant=12, walk=INVOICES)
def invoiced_vat(part: Part) -> Iterable[Facts]:
    """The VAT of an invoice is what the sales of its lots have booked.

    12: for orders and for plan periods.
    """
    return part.find(
        """
        WITH told AS (
            SELECT id, source, source_id, number, vat FROM invoice
            WHERE {within invoice} AND source IN ('order', 'period')
        ), sold AS (
            SELECT told.id, lot.member_id, lot.id AS lot_id
            FROM told
            JOIN order_item ON order_item.order_id = told.source_id
            JOIN lot ON lot.source = 'order_item' AND lot.order_item_id = order_item.id
            WHERE told.source = 'order'
            UNION ALL
            SELECT told.id, lot.member_id, lot.id
            FROM told
            JOIN lot ON lot.source = 'period' AND lot.source_id = told.source_id
                    AND lot.member_id = (SELECT member_id FROM invoice WHERE id = told.id)
            WHERE told.source = 'period'
        ), booked AS (
            SELECT sold.id, total(line.amount) AS vat
            FROM sold
            JOIN line ON line.member_id = sold.member_id AND line.lot_id = sold.lot_id
                     AND line.credit = :vat
            JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
                      AND entry.kind = 'sale'
            GROUP BY sold.id
        )
        SELECT told.id AS invoice_id, told.number, booked.vat AS expected, told.vat AS found
        FROM told LEFT JOIN booked USING (id)
        WHERE coalesce(booked.vat, 0) <> told.vat
        """,
        vat=policy.OUTPUT_VAT,
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
            JOIN line ON line.member_id = refund_line.member_id
                     AND line.entry_id = refund_line.entry_id AND :vat IN (line.debit, line.credit)
            WHERE refund_line.refund_id IN (SELECT cause_id FROM given)
            GROUP BY refund_line.refund_id
        )
        SELECT cause_id AS refund_id, booked.vat AS expected, given.vat AS found
        FROM given JOIN booked USING (cause_id)
        WHERE booked.vat <> given.vat
        """,
        vat=policy.OUTPUT_VAT,
    )
