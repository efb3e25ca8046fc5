"""The statements of an upload: as many for five hundred items as for one.

The reading is that of a till (`redemption.statements`), for many items at once, each at its own
store and moment. The writing hangs each item on its wallet's version: what was decided of a wallet
that somebody changed meanwhile is not written, and read again.
"""

# The key that a device has, and those that it had before it was enrolled again.
KEYS = """
SELECT id, public_key, false AS is_former FROM device
WHERE id = ANY (%(device_ids)s::uuid[]) AND public_key IS NOT NULL
UNION ALL
SELECT device_id, public_key, true FROM former_key
WHERE device_id = ANY (%(device_ids)s::uuid[])
ORDER BY is_former
"""

# A log is added to by one upload at a time: whether a number is used twice, or the chain broken,
# is only to be seen with its neighbours. Also nobody revokes a device in between.
LOCK_DEVICES = """
SELECT 1 FROM device WHERE id = ANY (%(device_ids)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""

LOCK_WALLETS = """
SELECT 1 FROM wallet WHERE member_id = ANY (
    SELECT capsule.member_id FROM capsule WHERE capsule.serial = ANY (%(serials)s::bytea[])
) ORDER BY member_id FOR UPDATE
"""

_LOTS = "lot.is_open"
_LOTS_AND_GIVEN_BACK = "(lot.is_open OR lot.id = ANY (%(lot_ids)s::uuid[]))"

_READ = """
WITH asked AS (
    SELECT * FROM unnest(
        %(ordinals)s::bigint[], %(device_ids)s::uuid[], %(numbers)s::bigint[], %(hashes)s::bytea[],
        %(previous)s::bytea[], %(signers)s::bytea[], %(serials)s::bytea[], %(product_ids)s::uuid[],
        %(staff_ids)s::uuid[], %(ats)s::timestamptz[], %(knowns)s::timestamptz[]
    ) AS asked (ordinal, device_id, number, hash, previous_hash, signed_by, serial, product_id,
                staff_id, at, known_at)
), dated AS (
    SELECT asked.*, device.store_id, device.channel, device.revoked_at, store.region,
           store.time_zone, store.offline_group, store.day_ends_at,
           capsule.member_id, capsule.issued_at, capsule.ends_at,
           capsule.revoked_at AS capsule_revoked_at,
           least(greatest(asked.at, capsule.issued_at), asked.known_at) AS served_at
    FROM asked
    JOIN device ON device.id = asked.device_id
    JOIN store ON store.id = device.store_id
    LEFT JOIN capsule ON capsule.serial = asked.serial
), served AS (
    SELECT dated.*, (served_at AT TIME ZONE time_zone)::date AS served_on,
           (served_at AT TIME ZONE time_zone - day_ends_at::interval)::date AS business_day
    FROM dated
)
SELECT served.ordinal,
       mine.outcome, mine.reason, mine.redemption_id, mine.cups_borne,
       mates.is_any IS NOT NULL, before.is_other IS NOT NULL, after.is_other IS NOT NULL,
       later.is_any IS NOT NULL,
       served.store_id, served.channel, served.offline_group, served.revoked_at,
       served.served_at, served.served_on, served.business_day,
       (%(now)s AT TIME ZONE served.time_zone)::date AS known_on,
       months.first_open,
       served.member_id, served.issued_at, served.ends_at, served.capsule_revoked_at,
       coalesce(spent.cups, 0)::bigint,
       wallet.version, wallet.blocked_at,
       staff.id IS NOT NULL, staff.member_id, product.list_price,
       coalesce(gift.closed_at, lot.sold_at) AS came_at,
       lot.id, lot.offer_id, offer.code, lot.store_id, lot.account, lot.currency,
       lot.units, lot.used, lot.net, lot.vat, lot.net_recognised, lot.vat_gone,
       lot.sold_at, lot.expiry_mode, lot.ends_at,
       coalesce(lot.frozen_at <= served.served_at, false),
       lot.currency = product.currency
           AND (fits_product.product_id IS NOT NULL
                OR terms.covers_up_to IS NOT NULL AND listed.is_any IS NULL),
       CASE terms.accepted_at
           WHEN 'all' THEN true
           WHEN 'selling' THEN lot.store_id = served.store_id
           WHEN 'regions' THEN coalesce(served.region = ANY (terms.accepted_regions), false)
           ELSE fits_store.store_id IS NOT NULL
       END,
       terms.redeem_channels, terms.covers_up_to, terms.allows_top_up,
       terms.price, terms.cups - CASE WHEN terms.bonus_after_count IS NULL THEN 0
                                      ELSE terms.bonus_cups END,
       terms.vat_timing = 'redemption', terms.vat_code, rate.basis_points, rate.rounding,
       terms.is_unlimited
FROM served
CROSS JOIN (
    SELECT (max(first_on) + interval '1 month')::date AS first_open FROM book_month
) months
LEFT JOIN offline_item mine
       ON mine.device_id = served.device_id AND mine.number = served.number
      AND mine.hash = served.hash
LEFT JOIN LATERAL (
    SELECT true AS is_any FROM offline_item mate
    WHERE mate.device_id = served.device_id AND mate.number = served.number
      AND mate.hash <> served.hash AND mate.signed_by = served.signed_by
    LIMIT 1
) mates ON true
LEFT JOIN LATERAL (
    SELECT true AS is_other FROM offline_item link
    WHERE link.device_id = served.device_id AND link.number = served.number - 1
      AND link.hash <> served.previous_hash AND link.signed_by = served.signed_by
    LIMIT 1
) before ON true
LEFT JOIN LATERAL (
    SELECT true AS is_other FROM offline_item link
    WHERE link.device_id = served.device_id AND link.number = served.number + 1
      AND link.previous_hash <> served.hash AND link.signed_by = served.signed_by
    LIMIT 1
) after ON true
LEFT JOIN wallet ON wallet.member_id = served.member_id
LEFT JOIN LATERAL (
    SELECT sum(past.cups - past.cups_voided) AS cups FROM redemption past
    WHERE past.member_id = served.member_id AND past.credential_id = served.serial
) spent ON true
LEFT JOIN LATERAL (
    SELECT true AS is_any FROM offline_item other
    WHERE other.member_id = served.member_id AND other.served_at >= served.at
      AND (other.served_at, other.device_id, other.number, other.hash)
          > (served.at, served.device_id, served.number, served.hash)
      AND other.resolved_at IS NULL
      AND (other.outcome <> 'review' OR other.reason = ANY (%(settled)s::text[]))
    LIMIT 1
) later ON true
LEFT JOIN staff
       ON staff.id = served.staff_id
      AND (staff.disabled_at IS NULL OR staff.disabled_at > served.served_at)
LEFT JOIN product ON product.id = served.product_id
LEFT JOIN lot ON lot.member_id = served.member_id AND {lots} AND NOT lot.prepays_plan
LEFT JOIN gift ON lot.source = 'gift' AND gift.id = lot.source_id
LEFT JOIN offer_version terms ON terms.id = lot.offer_version_id
LEFT JOIN offer ON offer.id = lot.offer_id
LEFT JOIN offer_version_product fits_product
       ON fits_product.offer_version_id = lot.offer_version_id
      AND fits_product.product_id = served.product_id
LEFT JOIN offer_version_store fits_store
       ON fits_store.offer_version_id = lot.offer_version_id
      AND fits_store.store_id = served.store_id
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
      AND vat_rate.code = terms.vat_code AND vat_rate.starts_on <= served.served_on
    ORDER BY vat_rate.starts_on DESC
    LIMIT 1
) rate ON true
"""

READ = _READ.replace("{lots}", _LOTS)
READ_AGAIN = _READ.replace("{lots}", _LOTS_AND_GIVEN_BACK)
"""The same, under the wallet's lock, with the lots from which cups are given back."""

# `(… IN (…)) IS TRUE` and not a join: so PostgreSQL looks every row up in a hash of the wallets,
# where it would else compare each with each (`kernel.hot` has it join by indexes only).
WRITE = """
WITH seen AS (
    SELECT * FROM unnest(%(wallets)s::uuid[], %(versions)s::bigint[]) AS seen (member_id, version)
), held AS (
    SELECT wallet.member_id FROM wallet JOIN seen USING (member_id, version)
    ORDER BY wallet.member_id FOR UPDATE OF wallet
), bumped AS (
    UPDATE wallet SET version = version + 1
    FROM held WHERE wallet.member_id = held.member_id
    RETURNING wallet.member_id
), taken AS (
    UPDATE lot
    SET used = lot.used + one.cups,
        net_recognised = lot.net_recognised + one.amount,
        vat_gone = lot.vat_gone + one.vat,
        is_open = lot.used + one.cups < lot.units
    FROM unnest(%(lot_members)s::uuid[], %(lot_ids)s::uuid[], %(lot_cups)s::bigint[],
                %(lot_amounts)s::bigint[], %(lot_vats)s::bigint[])
         AS one (member_id, lot_id, cups, amount, vat)
    WHERE lot.member_id = one.member_id AND lot.id = one.lot_id AND lot.units > 0
      AND (one.member_id IN (SELECT member_id FROM bumped)) IS TRUE
), handed AS (
    INSERT INTO redemption (
        member_id, id, store_id, device_id, staff_id, cups, top_up, top_up_vat, cups_voided,
        redeemed_at, business_day, credential_id, entry_id, is_offline)
    SELECT member_id, one.id, one.store_id, one.device_id, one.staff_id, one.cups, 0, 0, 0,
           one.redeemed_at, one.business_day, one.serial, one.entry_id, true
    FROM unnest(%(redemption_members)s::uuid[], %(redemption_ids)s::uuid[], %(store_ids)s::uuid[],
                %(till_ids)s::uuid[], %(clerk_ids)s::uuid[], %(redemption_cups)s::bigint[],
                %(redeemed_ats)s::timestamptz[], %(business_days)s::date[],
                %(credentials)s::bytea[], %(redemption_entries)s::uuid[])
         AS one (member_id, id, store_id, device_id, staff_id, cups, redeemed_at, business_day,
                 serial, entry_id)
    WHERE (one.member_id IN (SELECT member_id FROM bumped)) IS TRUE
), came AS (
    INSERT INTO redemption_line (
        member_id, redemption_id, lot_id, product_id, offer_id, cups, amount, vat, top_up,
        cups_voided, amount_voided, vat_voided, top_up_voided)
    SELECT member_id, one.redemption_id, one.lot_id, one.product_id, one.offer_id, one.cups,
           one.amount, one.vat, 0, 0, 0, 0, 0
    FROM unnest(%(line_members)s::uuid[], %(line_redemptions)s::uuid[], %(line_lots)s::uuid[],
                %(line_products)s::uuid[], %(line_offers)s::uuid[], %(line_cups)s::bigint[],
                %(line_amounts)s::bigint[], %(line_vats)s::bigint[])
         AS one (member_id, redemption_id, lot_id, product_id, offer_id, cups, amount, vat)
    WHERE (one.member_id IN (SELECT member_id FROM bumped)) IS TRUE
), told AS (
    INSERT INTO outbox (
        member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
    SELECT member_id, one.id, one.topic, one.facts, %(now)s, %(now)s, false, true, 0
    FROM jsonb_to_recordset(%(news)s::jsonb)
         AS one (member_id uuid, id uuid, topic text, facts jsonb)
    WHERE (one.member_id IN (SELECT member_id FROM bumped)) IS TRUE
), booked AS (
    INSERT INTO entry (
        member_id, id, kind, source_id, event_at, occurred_on, book_date, currency, content_hash)
    SELECT member_id, one.id, 'redemption', one.source_id, one.event_at, one.occurred_on,
           one.book_date, one.currency, one.content_hash
    FROM unnest(%(entry_members)s::uuid[], %(entry_ids)s::uuid[], %(entry_sources)s::uuid[],
                %(event_ats)s::timestamptz[], %(occurred_ons)s::date[], %(book_dates)s::date[],
                %(currencies)s::text[], %(content_hashes)s::bytea[])
         AS one (member_id, id, source_id, event_at, occurred_on, book_date, currency, content_hash)
    WHERE (one.member_id IN (SELECT member_id FROM bumped)) IS TRUE
), lines AS (
    INSERT INTO line (
        member_id, entry_id, book_date, store_id, debit, credit, amount, qty,
        counterpart_store_id, offer_id, lot_id, ordinal)
    SELECT member_id, pair.entry_id, pair.book_date, pair.store_id, pair.debit, pair.credit,
           pair.amount, pair.qty, pair.counterpart_id, pair.offer_id, pair.lot_id, pair.ordinal
    FROM unnest(%(pair_members)s::uuid[], %(pair_entries)s::uuid[], %(pair_dates)s::date[],
                %(books)s::uuid[], %(debits)s::text[], %(credits)s::text[], %(amounts)s::bigint[],
                %(qtys)s::bigint[], %(counterparts)s::uuid[], %(pair_offers)s::uuid[],
                %(pair_lots)s::uuid[], %(pair_ordinals)s::bigint[])
         AS pair (member_id, entry_id, book_date, store_id, debit, credit, amount, qty,
                  counterpart_id, offer_id, lot_id, ordinal)
    WHERE (pair.member_id IN (SELECT member_id FROM bumped)) IS TRUE
), kept AS (
    INSERT INTO offline_item (
        device_id, number, hash, previous_hash, item, signature, signed_by, store_id, staff_id,
        serial, member_id, product_id, cups, served_at, business_day, received_at, outcome, reason,
        cups_borne, redemption_id)
    SELECT one.device_id, one.number, one.hash, one.previous_hash, one.item, one.signature,
           one.signed_by, one.store_id, one.staff_id, one.serial, one.member_id, one.product_id,
           one.cups, one.served_at, one.business_day, %(now)s, one.outcome, one.reason,
           one.cups_borne, one.redemption_id
    FROM jsonb_to_recordset(%(items)s::jsonb) AS one (
        device_id uuid, number bigint, hash bytea, previous_hash bytea, item text, signature bytea,
        signed_by bytea, store_id uuid, staff_id uuid, serial bytea, member_id uuid,
        product_id uuid, cups bigint, served_at timestamptz, business_day date, outcome text,
        reason text, cups_borne bigint, redemption_id uuid, hangs_on uuid)
    WHERE one.hangs_on IS NULL OR one.hangs_on IN (SELECT member_id FROM bumped)
)
SELECT member_id FROM bumped
"""
