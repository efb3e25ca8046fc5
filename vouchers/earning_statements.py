"""What the end of days does to sets of lots that earn by the day: as `expiry_statements` do.

`FIND` locks nothing, and makes parts of some thousand wallets. For each part there is a
transaction of its own, which locks wallets (`expiry_statements.TAKE`), asks which days are to be
earned in them (`DAYS`), and earns them (`EARN`).

A day that passes is earned at its end, and at the end of the lot all the rest is, if there is any:
then nothing is owed any more. What is frozen waits for what froze it.
"""

from ledger.statement import filled
from vouchers.expiry_statements import OF_ONE

_READY = "lot.is_open AND lot.due_at <= :now AND lot.frozen_at IS NULL"

_FIND = """
    SELECT array_agg(DISTINCT member_id)::text
    FROM (
        SELECT member_id, (dense_rank() OVER (ORDER BY member_id) - 1) / :wallets AS part
        FROM (
            SELECT member_id FROM lot
            WHERE {ready} {whose} AND earns_days IS NOT NULL
            ORDER BY due_at LIMIT :lots
        ) due
    ) parted
    GROUP BY part
    ORDER BY part
"""
FIND = filled(_FIND, ready=_READY, whose="")
"""Whose days are to be earned first, in parts of so many wallets."""

FIND_OF = filled(_FIND, ready=_READY, whose=OF_ONE)
"""The same in one member's wallet."""

# Wallet by wallet (OFFSET 0): any other order of joining reads lots of everybody's. A day is due
# at its end, or at the end of its lot: a microsecond before, it is still that day.
_TAKEN = filled(
    """
    FROM unnest(CAST(:held AS uuid[])) AS held (member_id)
    CROSS JOIN LATERAL (
        SELECT * FROM lot WHERE lot.member_id = held.member_id AND {ready} AND units = 0 OFFSET 0
    ) lot
    JOIN store ON store.id = lot.store_id
    CROSS JOIN LATERAL (
        SELECT ((lot.due_at - interval '1 microsecond') AT TIME ZONE store.time_zone)::date
    ) due (due_on)
    """,
    ready=_READY,
)

DAYS = filled("SELECT time_zone, min(due_on) {taken} GROUP BY time_zone", taken=_TAKEN)
"""In each time zone, the first day that is to be earned."""

# What `ledger.content.content_hash` says of an entry with one line, that reverses nothing.
_HASH = r"""
    sha256(convert_to(
        concat_ws('|', member_id, entry_id, 'earning', lot_id,
                  (extract(epoch FROM earned_at) * 1000000)::bigint, passed_on, booked_on, currency,
                  E'\n1', store_id, account, credit, amount, 0, '', offer_id, lot_id),
        'UTF8'))
"""

EARN = filled(
    """
    WITH passed AS MATERIALIZED (
        SELECT lot.member_id, lot.id AS lot_id, lot.offer_id, lot.store_id, lot.account,
               lot.currency, lot.net, lot.net_recognised, lot.vat, lot.vat_gone, lot.ends_at,
               lot.earns_days::bigint AS days, store.time_zone, version.is_unlimited,
               day.passed_on, day.booked_on, turn.earned_at,
               CASE WHEN turn.earned_at = lot.ends_at THEN lot.earns_days
                    ELSE least(lot.earns_days, day.passed_on - lot.earns_from_on + 1)
               END AS days_passed
        {taken}
        JOIN offer_version version ON version.id = lot.offer_version_id
        JOIN unnest(CAST(:zones AS text[]), CAST(:passed AS date[]), CAST(:booked AS date[]))
             AS day (time_zone, passed_on, booked_on)
          ON day.time_zone = store.time_zone AND day.passed_on >= due.due_on
        CROSS JOIN LATERAL (
            SELECT least((day.passed_on + 1)::timestamp AT TIME ZONE store.time_zone, lot.ends_at)
        ) turn (earned_at)
        WHERE turn.earned_at <= :now
          AND day.passed_on
              <= ((lot.ends_at - interval '1 microsecond') AT TIME ZONE store.time_zone)::date
    ), summed AS (
        SELECT *,
               greatest((2 * net * days_passed + days) / (2 * days), net_recognised) AS net_to_date,
               greatest((2 * vat * days_passed + days) / (2 * days), vat_gone) AS vat_to_date
        FROM passed
    ), earned AS MATERIALIZED (
        SELECT member_id, lot_id, offer_id, store_id, account, currency, passed_on, booked_on,
               earned_at, net_to_date - lag(net_to_date, 1, net_recognised) OVER (
                   PARTITION BY member_id, lot_id ORDER BY passed_on) AS amount,
               CASE WHEN is_unlimited THEN :cups ELSE :membership END AS credit,
               (:moment || substr(gen_random_uuid()::text, 16))::uuid AS entry_id
        FROM summed
    ), last AS (
        SELECT DISTINCT ON (member_id, lot_id) *,
               CASE WHEN days_passed >= days THEN ends_at
                    ELSE least((passed_on + 2)::timestamp AT TIME ZONE time_zone, ends_at)
               END AS next_at
        FROM summed
        ORDER BY member_id, lot_id, passed_on DESC
    ), moved AS (
        UPDATE lot
        SET net_recognised = last.net_to_date, vat_gone = last.vat_to_date,
            is_open = last.earned_at < lot.ends_at, due_at = last.next_at
        FROM last WHERE lot.member_id = last.member_id AND lot.id = last.lot_id
    ), changed AS (
        UPDATE wallet SET version = version + 1
        WHERE member_id IN (SELECT member_id FROM last)
    ), booked AS (
        INSERT INTO entry (
            member_id, id, kind, source_id, event_at, occurred_on, book_date, currency,
            content_hash)
        SELECT member_id, entry_id, 'earning', lot_id, earned_at, passed_on, booked_on,
               currency, {hash}
        FROM earned WHERE amount > 0
    )
    INSERT INTO line (
        member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount, qty,
        offer_id, lot_id)
    SELECT member_id, entry_id, 1, booked_on, store_id, account, credit, amount, 0,
           offer_id, lot_id
    FROM earned WHERE amount > 0
    """,
    taken=_TAKEN,
    hash=_HASH,
)
