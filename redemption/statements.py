"""What a redemption writes, in one statement, and what is written where there is none.

It runs prepared and by itself (`kernel.hot`), and hangs on the wallet's version that was read
(`redemption.reading`): if anybody changed the wallet in between, it does nothing.
"""

# A sharer's code opens what it is for as long as they have a place in the plan. It is asked after
# the reading: whoever leaves changes the owner's wallet, so then the write finds another version.
PLACE = """
SELECT 1 FROM sharer
WHERE subscription_id = %(subscription_id)s AND member_id = %(holder_id)s AND left_at IS NULL
"""

WRITE = """
WITH bumped AS (
    UPDATE wallet SET version = version + 1
    WHERE member_id = %(member_id)s AND version = %(version)s
    RETURNING member_id
), taken AS (
    UPDATE lot
    SET used = lot.used + pick.cups,
        net_recognised = lot.net_recognised + pick.amount,
        vat_gone = lot.vat_gone + pick.vat,
        is_open = lot.used + pick.cups < lot.units
    FROM bumped, unnest(%(lot_ids)s::uuid[], %(lot_cups)s::bigint[], %(lot_amounts)s::bigint[],
                        %(lot_vats)s::bigint[]) AS pick (lot_id, cups, amount, vat)
    WHERE lot.member_id = bumped.member_id AND lot.id = pick.lot_id AND lot.units > 0
), handed AS (
    INSERT INTO redemption (
        member_id, id, store_id, device_id, staff_id, cups, top_up, top_up_vat,
        redeemed_at, business_day, credential_id, step, entry_id)
    SELECT member_id, %(redemption_id)s, %(store_id)s, %(device_id)s, %(staff_id)s,
           %(cups)s, %(top_up)s, %(top_up_vat)s,
           %(now)s, %(business_day)s, %(credential_id)s,
           coalesce(%(step)s::bigint, ('x' || substr(
               md5(%(device_id)s::uuid::text || %(key)s), 1, 16))::bit(64)::bigint),
           %(entry_id)s::uuid
    FROM bumped
), came AS (
    INSERT INTO redemption_line (
        member_id, redemption_id, lot_id, product_id, offer_id, cups, amount, vat, top_up)
    SELECT member_id, %(redemption_id)s, pick.*
    FROM bumped, unnest(%(line_lots)s::uuid[], %(line_products)s::uuid[],
                        %(line_offers)s::uuid[], %(line_cups)s::bigint[],
                        %(line_amounts)s::bigint[], %(line_vats)s::bigint[],
                        %(line_top_ups)s::bigint[]) AS pick
), told AS (
    INSERT INTO outbox (
        member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
    SELECT member_id, news.id, news.topic,
           jsonb_build_object('member_id', member_id, 'redemption_id', %(redemption_id)s::uuid),
           %(now)s, %(now)s, false, true, 0
    FROM bumped, unnest(%(news_ids)s::uuid[], %(news_topics)s::text[]) AS news (id, topic)
), booked AS (
    INSERT INTO entry (
        member_id, id, kind, source_id, event_at, occurred_on, book_date, currency, content_hash)
    SELECT member_id, %(entry_id)s::uuid, 'redemption', %(redemption_id)s, %(now)s, %(today_on)s,
           %(today_on)s, %(currency)s, %(content_hash)s::bytea
    FROM bumped
    WHERE %(entry_id)s::uuid IS NOT NULL
), lines AS (
    INSERT INTO line (
        member_id, entry_id, book_date, store_id, debit, credit, amount, qty,
        counterpart_store_id, offer_id, lot_id, ordinal)
    SELECT member_id, %(entry_id)s::uuid, %(today_on)s, pair.*
    FROM bumped, unnest(%(books)s::uuid[], %(debits)s::text[], %(credits)s::text[],
                        %(amounts)s::bigint[], %(qtys)s::bigint[], %(counterparts)s::uuid[],
                        %(pair_offers)s::uuid[], %(pair_lots)s::uuid[])
             WITH ORDINALITY AS pair
), answered AS (
    INSERT INTO idempotency_key (principal_id, key, fingerprint, answer, created_at)
    SELECT %(device_id)s, %(key)s, %(fingerprint)s, %(answer)s, %(now)s
    FROM bumped
)
SELECT 1 FROM bumped
"""

LOCK = """
SELECT version FROM wallet
WHERE member_id = coalesce(
    (SELECT member_id FROM credential WHERE id = %(credential_id)s),
    (SELECT member_id FROM capsule WHERE serial = %(credential_id)s))
FOR UPDATE
"""

# Who scans from their own wallet is turned away, too, and whose code is over; but under no key.
REFUSE = """
WITH answered AS (
    INSERT INTO idempotency_key (principal_id, key, fingerprint, answer, created_at)
    SELECT %(device_id)s::uuid, %(key)s, %(fingerprint)s, %(answer)s, %(now)s
    WHERE %(is_kept)s
    ON CONFLICT DO NOTHING
    RETURNING 1
), told AS (
    INSERT INTO turned_away (
        id, store_id, device_id, staff_id, product_id, cups, reason, turned_away_at, business_day)
    SELECT %(id)s, %(store_id)s, %(device_id)s::uuid, %(staff_id)s, %(product_id)s::uuid, %(cups)s,
           %(reason)s, %(now)s, %(business_day)s
    WHERE NOT %(is_kept)s OR (SELECT true FROM answered)
    RETURNING 1
)
SELECT 1 FROM told
"""

COUNT_WRONG_CODE = """
INSERT INTO wrong_code (device_id, hour_at, times)
VALUES (%(device_id)s, date_trunc('hour', %(now)s, 'UTC'), 1)
ON CONFLICT (device_id, hour_at) DO UPDATE SET times = wrong_code.times + 1
RETURNING times
"""
