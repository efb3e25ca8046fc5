"""What the end of cups does to sets of lots: a few statements, however many lots.

`FIND` locks nothing: it makes parts of some thousand wallets. For each part there is a transaction
of its own: `TAKE` locks those of its wallets that nobody holds, and one of the others, which sees
all that was committed before, does what is due in them. Wallets' ids travel as PostgreSQL wrote
them (`:members`, `:held`), unread.

Lots are `ready` when there is something to do about their end: what is frozen waits with its end
for what froze it, while the moments of its announcements pass. What earns by the day has
`earning_statements`.
"""

from ledger.statement import filled

KEEP_TO_KEYS = """
SELECT set_config(name, 'off', true)
FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']) AS name
"""
"""Some thousands of millions are looked up by their keys, whatever the statistics say."""

_READY = "lot.is_open AND lot.due_at <= :now AND (lot.frozen_at IS NULL OR lot.ends_at > :now)"

_FIND = """
    WITH due AS (
        SELECT member_id, store_id, ends_at,
               CASE WHEN ends_at > :now THEN 'announce' ELSE expiry_mode END AS what
        FROM lot
        WHERE {ready} {whose} AND earns_days IS NULL
          AND (ends_at > :now OR expiry_mode <> 'refund')
        ORDER BY due_at LIMIT :lots
    ), ended AS (
        SELECT what, array_agg(DISTINCT store.time_zone || ' ' || to_char(
                   ends_at AT TIME ZONE store.time_zone, 'YYYY-MM-DD')) AS days
        FROM (SELECT DISTINCT what, store_id, ends_at FROM due) AS ends
        JOIN store ON store.id = ends.store_id
        GROUP BY what
    ), part AS (
        SELECT what, at, array_agg(member_id ORDER BY member_id)::text AS members
        FROM (
            SELECT what, member_id, (row_number() OVER (ORDER BY member_id) - 1) / :wallets AS at
            FROM (SELECT DISTINCT what, member_id FROM due) AS whose
        ) AS placed
        GROUP BY what, at
    )
    SELECT what, part.members, ended.days
    FROM part JOIN ended USING (what)
    ORDER BY what, part.at
"""
FIND = filled(_FIND, ready=_READY, whose="")
"""What is due first, in parts: announce, lapse or top_up; whose; and where and when any ended."""

OF_ONE = "AND lot.member_id = :whose"
FIND_OF = filled(_FIND, ready=_READY, whose=OF_ONE)
"""The same in one member's wallet."""

TAKE = """
    SELECT count(*), array_agg(member_id)::text
    FROM unnest(CAST(:members AS uuid[])) AS due (id)
    CROSS JOIN LATERAL (
        SELECT member_id FROM wallet WHERE member_id = due.id FOR UPDATE SKIP LOCKED
    ) AS held
"""
"""Lock wallets, in the order in which they are named, but for those that somebody holds."""

# Wallet by wallet (OFFSET 0): any other order of joining reads lots of everybody's. That it has
# units is that it earns nothing by the day, said so that the index of what is due is left alone.
_TAKEN = filled(
    """
    FROM unnest(CAST(:held AS uuid[])) AS held (member_id)
    CROSS JOIN LATERAL (
        SELECT * FROM lot WHERE lot.member_id = held.member_id AND {ready} AND units > 0 OFFSET 0
    ) lot
    JOIN store ON store.id = lot.store_id
    """,
    ready=_READY,
)

_LAST_ON = "((lot.ends_at - interval '1 microsecond') AT TIME ZONE store.time_zone)::date"

# What `ledger.content.content_hash` says of an entry with one line, that reverses nothing.
_HASH = r"""
    sha256(convert_to(
        concat_ws('|', member_id, entry_id, 'lapse', lot_id,
                  (extract(epoch FROM ends_at) * 1000000)::bigint, ended_iso, booked_iso, currency,
                  E'\n1', store_id, account, credit, amount, cups, '', offer_id, lot_id),
        'UTF8'))
"""

_TELL = """
    INSERT INTO outbox (member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
    SELECT member_id, id, 'member.notice',
           jsonb_build_object('to', member_id, 'notice', notice, 'facts', facts),
           :now, :now, true, true, 0
    FROM told
"""

# One notice to a member for each version and last day. A random id for each row would be a tenth of
# all the work, so one that is random for the batch is mixed with what the row is of.
_TOLD = """
    told AS (
        SELECT member_id, :notice AS notice,
               md5(concat_ws('|', CAST(:batch AS text), member_id, version.id, last_on))::uuid
                   AS id,
               jsonb_build_object(
                   'offer', version.name, 'ended_on', last_on,
                   'cups', jsonb_build_object('count', sum(ended.cups), 'unit', version.unit)
               ) AS facts
        FROM ended JOIN offer_version version ON version.id = ended.offer_version_id
        GROUP BY member_id, version.id, last_on
    )
"""

# What is the same for many lots (the days, as text for the hash) is worked out once a batch.
LAPSE = filled(
    """
    WITH ended AS MATERIALIZED (
        SELECT lot.member_id, lot.id AS lot_id, lot.offer_id, lot.offer_version_id, lot.store_id,
               lot.account, lot.currency, lot.ends_at, {last_on} AS last_on, day.*,
               lot.net - lot.net_recognised AS amount, lot.units - lot.used AS cups,
               CASE WHEN estimate.offer_id IS NULL THEN :breakage ELSE :contra END AS credit,
               overlay(md5(CAST(:batch AS text) || lot.id) PLACING :moment FROM 1)::uuid
                   AS entry_id
        {taken}
        CROSS JOIN LATERAL (
            SELECT (lot.ends_at AT TIME ZONE store.time_zone)::date AS ended_on OFFSET 0
        ) there
        JOIN (
            SELECT *, ended_iso::date AS ended_on, booked_iso::date AS booked_on
            FROM unnest(CAST(:zones AS text[]), CAST(:ended AS text[]), CAST(:booked AS text[]))
                 AS day (time_zone, ended_iso, booked_iso) OFFSET 0
        ) day ON day.time_zone = store.time_zone AND day.ended_on = there.ended_on
        LEFT JOIN unnest(CAST(:estimated_on AS text[]), CAST(:estimated_offers AS uuid[]))
             AS estimate (ended_iso, offer_id)
          ON estimate.ended_iso = day.ended_iso AND estimate.offer_id = lot.offer_id
        WHERE lot.ends_at <= :now AND lot.expiry_mode = 'lapse'
    ), gone AS (
        UPDATE lot SET used = units, net_recognised = net, vat_gone = vat, is_open = false
        FROM ended WHERE lot.member_id = ended.member_id AND lot.id = ended.lot_id
    ), changed AS (
        UPDATE wallet SET version = version + 1
        WHERE member_id IN (SELECT member_id FROM ended)
    ), booked AS (
        INSERT INTO entry (
            member_id, id, kind, source_id, event_at, occurred_on, book_date, currency,
            content_hash)
        SELECT member_id, entry_id, 'lapse', lot_id, ends_at, ended_on, booked_on, currency,
               {hash}
        FROM ended
    ), lines AS (
        INSERT INTO line (
            member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount, qty,
            offer_id, lot_id)
        SELECT member_id, entry_id, 1, booked_on, store_id, account, credit, amount, cups,
               offer_id, lot_id
        FROM ended
    ), {told}
    {tell}
    """,
    taken=_TAKEN,
    last_on=_LAST_ON,
    hash=_HASH,
    told=_TOLD,
    tell=_TELL,
)

# Once for each member, version, last day and moment of announcement, also where its lots are taken
# apart: in other wallets (a giver's cups), or by another worker.
ANNOUNCE = filled(
    """
    WITH ending AS MATERIALIZED (
        SELECT lot.member_id, lot.id AS lot_id, lot.offer_version_id, lot.expiry_mode,
               lot.units - lot.used AS cups, lot.frozen_at, lot.source, lot.source_id,
               {last_on} AS last_on, coalesce(told.next_at, lot.ends_at) AS next_at
        {taken}
        CROSS JOIN LATERAL (
            SELECT min(at) AS next_at
            FROM unnest(CAST(:days_ahead AS integer[])) AS ahead
            CROSS JOIN LATERAL (
                SELECT ({last_on} - ahead + CAST(:told_at AS time)) AT TIME ZONE store.time_zone
            ) AS moment (at)
            WHERE at > :now AND lot.ends_at - lot.sold_at > 2 * ahead * interval '1 day'
        ) told
        WHERE lot.ends_at > :now
    ), moved AS (
        UPDATE lot SET due_at = ending.next_at
        FROM ending WHERE lot.member_id = ending.member_id AND lot.id = ending.lot_id
    ), unfrozen AS (
        SELECT ending.*, version.name, version.unit
        FROM ending JOIN offer_version version ON version.id = ending.offer_version_id
        WHERE ending.frozen_at IS NULL
    ), news AS (
        SELECT member_id, offer_version_id, last_on, next_at,
               CASE expiry_mode WHEN 'lapse' THEN :if_lapse WHEN 'top_up' THEN :if_top_up
                                ELSE :if_refund END AS notice,
               jsonb_build_object(
                   'offer', name, 'cups', jsonb_build_object('count', sum(cups), 'unit', unit),
                   'ends_on', last_on, 'member_id', member_id, 'version_id', offer_version_id
               ) AS facts
        FROM unfrozen
        GROUP BY member_id, offer_version_id, last_on, next_at, expiry_mode, name, unit
        UNION ALL
        SELECT gift.giver_id, offer_version_id, last_on, next_at, :gift,
               jsonb_build_object(
                   'offer', name, 'ends_on', last_on, 'giver_id', gift.giver_id,
                   'version_id', offer_version_id)
        FROM unfrozen JOIN gift ON unfrozen.source = 'gift' AND gift.id = unfrozen.source_id
        GROUP BY gift.giver_id, offer_version_id, last_on, next_at, name
    ), told AS (
        SELECT member_id, notice, facts,
               md5(concat_ws('|', notice, member_id, offer_version_id, last_on, next_at))::uuid
                   AS id
        FROM news ORDER BY member_id, id
    )
    {tell}
    ON CONFLICT (member_id, id) DO NOTHING
    """,
    taken=_TAKEN,
    last_on=_LAST_ON,
    tell=_TELL,
)

TOP_UP = filled(
    """
    WITH ended AS MATERIALIZED (
        SELECT lot.member_id, lot.id AS lot_id, lot.offer_version_id, {last_on} AS last_on,
               lot.units - lot.used AS cups
        {taken}
        WHERE lot.ends_at <= :now AND lot.expiry_mode = 'top_up'
    ), moved AS (
        UPDATE lot SET due_at = NULL
        FROM ended WHERE lot.member_id = ended.member_id AND lot.id = ended.lot_id
    ), {told}
    {tell}
    """,
    taken=_TAKEN,
    last_on=_LAST_ON,
    told=_TOLD,
    tell=_TELL,
)
