"""Checks of redemptions: what was handed over is what was booked, and what was undone is undone."""

from collections.abc import Iterable

from ledger import policy
from ledger.proof import ENTRIES, Facts, KeyWalk, Part, check

REDEMPTIONS = KeyWalk("redemptions", "redemption", ("member_id", "id"), 20_000)


@check("handed", invariant=3, walk=REDEMPTIONS)
def handed(part: Part) -> Iterable[Facts]:
    """The cups of a redemption are those of its lots, and its entry took the same from them.

    3: lot by lot, in cups and in money, less what of them was undone. Cups that are taxed at the
    till take two lines; those that nobody counts move nothing.
    """
    return part.find(
        """
        WITH handed AS (
            SELECT member_id, id, entry_id, cups, cups_voided, voided_at
            FROM redemption WHERE {within redemption}
        ), taken AS (
            SELECT member_id, handed.id, took.lot_id,
                   total(took.cups - took.cups_voided) AS cups,
                   total(took.amount - took.amount_voided) AS amount
            FROM handed JOIN redemption_line AS took USING (member_id)
            JOIN lot USING (member_id)
            WHERE handed.voided_at IS NULL
              AND took.redemption_id = handed.id AND {near took}
              AND lot.id = took.lot_id AND {near lot}
              AND (lot.units > 0 OR took.amount > 0 OR took.vat > 0)
            GROUP BY 1, 2, 3
            HAVING total(took.cups - took.cups_voided) > 0
        ), booked AS (
            SELECT member_id, handed.id, line.lot_id, total(line.qty) AS cups,
                   total(line.amount) AS amount
            FROM handed JOIN line USING (member_id, entry_id)
            WHERE handed.voided_at IS NULL AND line.debit = ANY(:accounts) AND {near line}
            GROUP BY 1, 2, 3
        ), counted AS (
            SELECT member_id, id, lot_id, NULL::bigint AS expected_cups, taken.cups AS cups_taken,
                   booked.cups AS cups_booked, taken.amount AS expected, booked.amount AS found
            FROM taken FULL JOIN booked USING (member_id, id, lot_id)
            WHERE taken.cups IS DISTINCT FROM booked.cups
               OR taken.amount IS DISTINCT FROM booked.amount
            UNION ALL
            SELECT member_id, id, NULL, handed.cups, sums.cups, NULL, NULL, NULL
            FROM handed LEFT JOIN (
                SELECT member_id, took.redemption_id AS id, total(took.cups) AS cups,
                       total(took.cups_voided) AS cups_voided
                FROM redemption_line AS took WHERE {near took} GROUP BY 1, 2
            ) sums USING (member_id, id)
            WHERE sums.cups IS DISTINCT FROM handed.cups
               OR sums.cups_voided IS DISTINCT FROM handed.cups_voided
        )
        SELECT member_id, id AS redemption_id, lot_id, expected_cups, cups_taken, cups_booked,
               expected, found
        FROM counted
        """,
        accounts=[policy.VOUCHERS, policy.PLANS],
    )


@check("topped_up", invariant=3, walk=REDEMPTIONS)
def topped_up(part: Part) -> Iterable[Facts]:
    """What a till took besides the cups is in the redemption's entry, with its VAT.

    3: cash in, revenue and VAT out, less what was given back with cups that were undone; and
    nothing of it where nothing was taken.
    """
    return part.find(
        """
        WITH asked AS (
            SELECT member_id, id, entry_id, top_up, top_up_vat, cups_voided, voided_at
            FROM redemption WHERE {within redemption}
        ), paid AS (
            SELECT member_id, took.redemption_id AS id, total(took.top_up) AS top_up,
                   total(took.top_up - took.top_up_voided) AS left_of_it
            FROM redemption_line AS took WHERE {near took} GROUP BY 1, 2
        ), booked AS (
            SELECT member_id, asked.id, total(line.amount) AS gross,
                   total(CASE WHEN line.credit = :vat THEN line.amount ELSE 0 END) AS vat
            FROM asked JOIN line USING (member_id, entry_id)
            WHERE line.debit = :cash AND {near line}
            GROUP BY 1, 2
        )
        SELECT member_id, asked.id AS redemption_id, paid.left_of_it AS expected,
               booked.gross AS found, asked.top_up_vat AS expected_vat, booked.vat AS found_vat
        FROM asked
        LEFT JOIN paid USING (member_id, id)
        LEFT JOIN booked USING (member_id, id)
        WHERE asked.top_up IS DISTINCT FROM paid.top_up
           OR asked.voided_at IS NULL
              AND paid.left_of_it IS DISTINCT FROM coalesce(booked.gross, 0)
           OR asked.cups_voided = 0 AND asked.top_up_vat <> coalesce(booked.vat, 0)
        """,
        cash=policy.CASH,
        vat=policy.OUTPUT_VAT,
    )


@check("voided", invariant=9, walk=REDEMPTIONS)
def voided(part: Part) -> Iterable[Facts]:
    """A redemption is voided if and only if its entry is reversed.

    9: cups and money go back together. Where nothing had moved there is no entry to reverse.
    """
    return part.find("""
        SELECT redemption.member_id, redemption.id AS redemption_id, redemption.entry_id,
               redemption.voided_at, undoing.id AS reversal_id
        FROM redemption
        LEFT JOIN entry AS undoing
               ON undoing.member_id = redemption.member_id
              AND undoing.reverses_id = redemption.entry_id AND {near undoing}
        WHERE {within redemption} AND redemption.entry_id IS NOT NULL
          AND (redemption.voided_at IS NULL) <> (undoing.id IS NULL)
    """)


@check("voids", invariant=9, walk=REDEMPTIONS)
def voids(part: Part) -> Iterable[Facts]:
    """What was undone of a redemption is what its voids undid.

    9: each undoing is noted, with who did it.
    """
    return part.find("""
        WITH undone AS (
            SELECT member_id, redemption_void.redemption_id, total(redemption_void.cups) AS cups
            FROM redemption_void WHERE {near redemption_void} GROUP BY 1, 2
        )
        SELECT redemption.member_id, redemption.id AS redemption_id,
               redemption.cups_voided AS expected, undone.cups AS found
        FROM redemption
        LEFT JOIN undone
               ON undone.member_id = redemption.member_id AND undone.redemption_id = redemption.id
        WHERE {within redemption} AND redemption.cups_voided <> coalesce(undone.cups, 0)
    """)


@check("redeemed", invariant=8, walk=ENTRIES)
def redeemed(part: Part) -> Iterable[Facts]:
    """Every entry of a redemption is the one that the redemption names, or is reversed.

    8: a second entry for the same cups, or one for no cups at all, would be neither. When a part is
    undone, the entry is reversed and what stays is booked as a new one.
    """
    return part.find("""
        SELECT entry.member_id, entry.id AS entry_id, entry.source_id AS redemption_id,
               redemption.entry_id AS expected
        FROM entry
        LEFT JOIN redemption
               ON redemption.member_id = entry.member_id AND redemption.id = entry.source_id
              AND {near redemption}
        LEFT JOIN entry AS undoing
               ON undoing.member_id = entry.member_id AND undoing.reverses_id = entry.id
              AND {near undoing}
        WHERE {within entry} AND entry.kind IN ('redemption', 'rest')
          AND redemption.entry_id IS DISTINCT FROM entry.id
          AND (redemption.id IS NULL OR undoing.id IS NULL)
    """)
