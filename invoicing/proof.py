"""A check of the invoices: that they add up, and say what they may."""

from collections.abc import Iterable

from ledger.proof import Facts, KeyWalk, Part, check

INVOICES = KeyWalk("invoices", "invoice", ("id",), 20_000)


@check("invoice", invariant=12, walk=INVOICES)
def invoice(part: Part) -> Iterable[Facts]:
    """An invoice is the sum of its lines, less what its void or allowances give back.

    12: with the first document saying all of it, and a number that its seller was assigned. That
    it is the VAT in the books is proved by the room that sells, which knows what it booked.
    """
    return part.find("""
        SELECT invoice.id AS invoice_id, invoice.number, invoice.vat, lines.vat AS lines_vat,
               invoice.taken_back_vat, given.vat AS documents_vat, first.vat AS first_vat,
               invoice.number IS NULL OR assigned.is_there AS is_assigned
        FROM invoice
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(gross), 0) AS gross, coalesce(sum(net), 0) AS net,
                   coalesce(sum(vat), 0) AS vat
            FROM invoice_line WHERE invoice_id = invoice.id
        ) AS lines
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(gross), 0) AS gross, coalesce(sum(net), 0) AS net,
                   coalesce(sum(vat), 0) AS vat, coalesce(bool_or(kind = 'void'), false) AS is_void
            FROM invoice_document WHERE invoice_id = invoice.id AND ordinal > 1
        ) AS given
        LEFT JOIN invoice_document AS first ON first.invoice_id = invoice.id AND first.ordinal = 1
        CROSS JOIN LATERAL (
            SELECT EXISTS (
                SELECT FROM invoice_range AS range
                WHERE range.legal_entity_id = invoice.legal_entity_id
                  AND range.first_on = invoice.first_on
                  AND range.prefix = left(invoice.number, 2)
                  AND right(invoice.number, 8)::bigint >= range.first_number
                  AND right(invoice.number, 8)::bigint < range.next_number
            ) AS is_there
        ) AS assigned
        WHERE {within invoice} AND (
            (invoice.gross, invoice.net, invoice.vat)
                IS DISTINCT FROM (lines.gross, lines.net, lines.vat)
            OR (invoice.gross, invoice.net, invoice.vat)
                IS DISTINCT FROM (first.gross, first.net, first.vat)
            OR (invoice.taken_back_gross, invoice.taken_back_net, invoice.taken_back_vat)
                IS DISTINCT FROM (given.gross, given.net, given.vat)
            OR (invoice.status = 'void') <> given.is_void
            OR invoice.number IS NOT NULL AND NOT assigned.is_there)
    """)
