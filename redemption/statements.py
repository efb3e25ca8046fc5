"""The two statements of a redemption: all that the decision needs, and all that it does.

Both run prepared and by themselves (`kernel.hot`). The second hangs on the wallet's version that
the first has read: if anybody changed the wallet in between, it does nothing.

The reading joins by key and has no EXISTS: PostgreSQL may turn one into a hash of a whole table,
which is right while that is empty and a scan of all redemptions a week later. What only some terms
need (the member's last cups, the day's VAT, whether any product is listed) has its condition inside
of its LATERAL, which is then not run for the others.
"""

READ = """
WITH till AS (
    SELECT device.id AS device_id, device.store_id, device.channel, staff.id AS staff_id,
           staff.member_id AS own_member_id,
           (%(now)s AT TIME ZONE store.time_zone)::date AS today_on,
           (%(now)s AT TIME ZONE store.time_zone - store.day_ends_at::interval)::date
               AS business_day,
           store.region, store.time_zone, store.day_ends_at
    FROM shift
    JOIN device ON device.id = shift.device_id
    JOIN staff ON staff.id = shift.staff_id
    JOIN store ON store.id = device.store_id
    WHERE shift.token_digest = %(shift_digest)s
      AND shift.ended_at IS NULL AND shift.ends_at > %(common_at)s
      AND device.revoked_at IS NULL AND staff.disabled_at IS NULL
)
SELECT till.device_id, till.store_id, till.channel, till.staff_id, till.own_member_id,
       till.today_on, till.business_day,
       ((till.business_day + 1 + till.day_ends_at) AT TIME ZONE till.time_zone) AS next_day_at,
       known.fingerprint, known.answer,
       coalesce(wrong_code.times, 0) AS wrong_codes,
       product.list_price,
       wallet.member_id, wallet.version, wallet.blocked_at,
       used_before.id IS NOT NULL AS is_token_used,
       credential.holder_id, credential.subscription_id,
       lot.id, lot.offer_id, offer.code, lot.store_id, lot.account, lot.currency,
       lot.units, lot.used, lot.net, lot.vat, lot.net_recognised, lot.vat_gone,
       lot.sold_at, lot.expiry_mode, lot.ends_at, lot.frozen_at IS NOT NULL,
       lot.currency = product.currency
           AND (fits_product.product_id IS NOT NULL
                OR terms.covers_up_to IS NOT NULL AND listed.is_any IS NULL) AS accepts_product,
       CASE terms.accepted_at
           WHEN 'all' THEN true
           WHEN 'selling' THEN lot.store_id = till.store_id
           WHEN 'regions' THEN coalesce(till.region = ANY (terms.accepted_regions), false)
           ELSE fits_store.store_id IS NOT NULL
       END AS accepts_store,
       terms.redeem_channels, terms.covers_up_to, terms.allows_top_up,
       terms.price, terms.cups - CASE WHEN terms.bonus_after_count IS NULL THEN 0
                                      ELSE terms.bonus_cups END AS paid_cups,
       terms.vat_timing = 'redemption', terms.vat_code, rate.basis_points, rate.rounding,
       terms.max_cups, terms.cups_per_day, terms.minimum_interval_s,
       coalesce(spent.cups_today, 0)::bigint, spent.last_at, terms.is_unlimited
FROM till
LEFT JOIN idempotency_key known
       ON known.principal_id = till.device_id AND known.key = %(key)s
LEFT JOIN wrong_code
       ON wrong_code.device_id = till.device_id
      AND wrong_code.hour_at = date_trunc('hour', %(common_at)s, 'UTC')
LEFT JOIN product ON product.id = %(product_id)s
LEFT JOIN credential
       ON credential.id = %(credential_id)s
      AND credential.revoked_at IS NULL AND credential.ends_at > %(common_at)s
LEFT JOIN wallet ON wallet.member_id = credential.member_id
LEFT JOIN redemption used_before
       ON used_before.member_id = wallet.member_id
      AND used_before.credential_id = credential.id AND used_before.step = %(step)s
LEFT JOIN lot ON lot.member_id = wallet.member_id AND lot.is_open AND NOT lot.prepays_plan
             AND (credential.subscription_id IS NULL
                  OR lot.subscription_id = credential.subscription_id)
LEFT JOIN offer_version terms ON terms.id = lot.offer_version_id
LEFT JOIN offer ON offer.id = lot.offer_id
LEFT JOIN offer_version_product fits_product
       ON fits_product.offer_version_id = lot.offer_version_id
      AND fits_product.product_id = %(product_id)s
LEFT JOIN offer_version_store fits_store
       ON fits_store.offer_version_id = lot.offer_version_id
      AND fits_store.store_id = till.store_id
LEFT JOIN LATERAL (
    SELECT sum(line.cups) FILTER (WHERE past.business_day = till.business_day) AS cups_today,
           max(past.redeemed_at) AS last_at
    FROM redemption past
    JOIN redemption_line line
      ON line.member_id = past.member_id AND line.redemption_id = past.id
    WHERE (terms.cups_per_day IS NOT NULL OR terms.minimum_interval_s IS NOT NULL)
      AND past.member_id = lot.member_id
      AND past.redeemed_at > %(now)s - interval '2 days'
      AND past.voided_at IS NULL
      AND line.offer_id = lot.offer_id
) spent ON true
LEFT JOIN LATERAL (
    SELECT true AS is_any
    FROM offer_version_product fits_any
    WHERE terms.covers_up_to IS NOT NULL AND fits_any.offer_version_id = lot.offer_version_id
    LIMIT 1
) listed ON true
LEFT JOIN LATERAL (
    SELECT vat_rate.basis_points, vat_rate.rounding
    FROM vat_rate
    WHERE (terms.vat_timing = 'redemption' OR terms.allows_top_up OR lot.expiry_mode = 'top_up')
      AND vat_rate.code = terms.vat_code AND vat_rate.starts_on <= till.today_on
    ORDER BY vat_rate.starts_on DESC
    LIMIT 1
) rate ON true
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
        member_id, id, store_id, device_id, staff_id, product_id, cups, top_up, top_up_vat,
        redeemed_at, business_day, credential_id, step, entry_id)
    SELECT member_id, %(redemption_id)s, %(store_id)s, %(device_id)s, %(staff_id)s,
           %(product_id)s, %(cups)s, %(top_up)s, %(top_up_vat)s,
           %(now)s, %(business_day)s, %(credential_id)s, %(step)s, %(entry_id)s::uuid
    FROM bumped
), came AS (
    INSERT INTO redemption_line (member_id, redemption_id, lot_id, offer_id, cups, amount, vat)
    SELECT member_id, %(redemption_id)s, pick.*
    FROM bumped, unnest(%(lot_ids)s::uuid[], %(offer_ids)s::uuid[], %(lot_cups)s::bigint[],
                        %(lot_amounts)s::bigint[], %(lot_vats)s::bigint[]) AS pick
), told AS (
    INSERT INTO outbox (
        member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
    SELECT member_id, news.id, news.topic, news.facts, %(now)s, %(now)s, false, true, 0
    FROM bumped, jsonb_to_recordset(%(news)s::jsonb) AS news (id uuid, topic text, facts jsonb)
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
WHERE member_id = (SELECT member_id FROM credential WHERE id = %(credential_id)s)
FOR UPDATE
"""

REFUSE = """
INSERT INTO idempotency_key (principal_id, key, fingerprint, answer, created_at)
VALUES (%(principal_id)s, %(key)s, %(fingerprint)s, %(answer)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING 1
"""

COUNT_WRONG_CODE = """
INSERT INTO wrong_code (device_id, hour_at, times)
VALUES (%(device_id)s, date_trunc('hour', %(now)s, 'UTC'), 1)
ON CONFLICT (device_id, hour_at) DO UPDATE SET times = wrong_code.times + 1
RETURNING times
"""
