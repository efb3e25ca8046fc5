-- Books made of sets: :stores stores × 40 offers, months of trade from :first_on until :today_on, in
-- :blocks blocks. A block is one lot of 11 cups and its story: sold, collected two by two over some
-- weeks, three times in ten at one of :near stores around, and every other one lapses in the end.
-- Blocks follow one another in time and go round all stores and offers.

CREATE TABLE bench_cell AS
SELECT cell, bench_id(2, 1 + cell % :stores) AS store_id, cell % :stores AS store,
       bench_id(4, 1 + cell / :stores) AS offer_id, bench_id(5, 1 + cell / :stores) AS version_id,
       CASE WHEN cell / :stores % 4 = 3 THEN '2132' ELSE '2131' END AS account,
       952 - 17 * (cell / :stores) AS net, (952 - 17 * (cell / :stores)) / 20 AS vat
FROM generate_series(0, :stores * 40 - 1) cell;
ALTER TABLE bench_cell ADD PRIMARY KEY (cell);
ANALYZE bench_cell;

INSERT INTO legal_entity (id, code, name)
SELECT bench_id(1, n), 'bench-' || n, 'Bench ' || n FROM generate_series(1, 5) n;
INSERT INTO store (id, code, name, time_zone, day_ends_at, is_online)
SELECT bench_id(2, n), 'S' || n, 'Store ' || n, 'Asia/Taipei', '04:00', n = 1
FROM generate_series(1, :stores) n;
INSERT INTO store_owner (store_id, starts_on, legal_entity_id)
SELECT bench_id(2, n), '1970-01-01', bench_id(1, 1 + n % 5) FROM generate_series(1, :stores) n;
INSERT INTO offer (id, code, kind)
SELECT bench_id(4, n), 'offer-' || n, CASE n % 4 WHEN 0 THEN 'plan' ELSE 'pack' END
FROM generate_series(1, 40) n;
INSERT INTO offer_version (
    id, offer_id, version, name, price, currency, vat_code, guarantee_months, cups, bonus_cups,
    expiry_mode, accepted_at, sale_starts_at, approved_at)
SELECT bench_id(5, n), bench_id(4, n), 1, 'offer-' || n, net + vat, 'TWD', 'standard', 12, 11, 0,
       'lapse', 'all', ':first_on', ':first_on'
FROM generate_series(1, 40) n JOIN bench_cell ON cell = (n - 1) * :stores;

-- What F of `ledger.policy` says: the part of `net` that `used` of 11 cups carry.
CREATE FUNCTION bench_carried(net bigint, used bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
$$ SELECT (2 * net * used + 11) / 22 $$;

-- On which day the k-th event of a block happens: 0 is the sale, 1 to 5 are collected, 6 lapses.
-- Blocks from :blocks on are the tail: their lots are sold in the first days of the last month.
CREATE FUNCTION bench_on(b bigint, k bigint) RETURNS date IMMUTABLE LANGUAGE sql AS
$$ SELECT CASE WHEN b < :blocks
               THEN date ':first_on' + (b * (date ':today_on' - date ':first_on' + 1) / :blocks)::int
               ELSE date_trunc('month', date ':today_on')::date + (b % 3)::int END
          + CASE k WHEN 0 THEN 0 WHEN 6 THEN 60 ELSE 9 * k - b % 5 END::int $$;

-- OFFSET 0 keeps what an id or a day is made of from being worked out anew wherever it is named.
CREATE FUNCTION bench_event(lo bigint, hi bigint)
RETURNS TABLE (k bigint, kind text, member_id uuid, id uuid, source_id uuid, lot_id uuid,
               sold_at_id uuid, made_at_id uuid, offer_id uuid, account text, booked_on date,
               event_at timestamptz, amount bigint, qty bigint, vat bigint)
STABLE LANGUAGE sql AS $$
    SELECT k, CASE k WHEN 0 THEN 'sale' WHEN 6 THEN 'lapse' ELSE 'redemption' END,
           bench_id(9, b / 8),
           (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0')
            || '70008000' || lpad(to_hex(b * 8 + k), 12, '0'))::uuid,
           CASE WHEN k BETWEEN 1 AND 5 THEN bench_id(11, b * 8 + k) ELSE bench_id(10, b) END,
           bench_id(10, b), sold.store_id, made.store_id, sold.offer_id, sold.account,
           day, moment,
           CASE k WHEN 0 THEN sold.net
                  WHEN 6 THEN sold.net - bench_carried(sold.net, 10)
                  ELSE bench_carried(sold.net, 2 * k) - bench_carried(sold.net, 2 * k - 2) END,
           CASE k WHEN 0 THEN 11 WHEN 6 THEN 1 ELSE 2 END, sold.vat
    FROM (
        SELECT b, k, day, (day + interval '8 hours' + (b * 7 + k) % 50400 * interval '1 second')
                          AT TIME ZONE 'Asia/Taipei' AS moment
        FROM (
            SELECT b, k, bench_on(b, k) AS day
            FROM generate_series(lo, hi) b CROSS JOIN generate_series(0::bigint, 6) k
            WHERE k < 6 OR b % 2 = 0
            OFFSET 0
        ) story
        WHERE day <= date ':today_on'
        OFFSET 0
    ) event
    JOIN bench_cell sold ON sold.cell = b % (:stores * 40)
    JOIN bench_cell made ON made.cell = CASE
        WHEN k BETWEEN 1 AND 5 AND (b + k) % 10 < 3
        THEN (sold.store + 1 + (b / 40 + k) % :near) % :stores ELSE sold.store END
    OFFSET 0
$$;

CREATE FUNCTION bench_lots(lo bigint, hi bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO wallet (member_id, version)
    SELECT bench_id(9, n), 0 FROM generate_series(lo / 8, hi / 8) n ON CONFLICT DO NOTHING;
    INSERT INTO lot (
        member_id, buyer_id, id, offer_version_id, offer_id, store_id, source, source_id, ordinal,
        account, currency, units, used, net, vat, net_recognised, vat_gone, sold_at, ends_at,
        is_open)
    SELECT bench_id(9, b / 8), bench_id(9, b / 8), bench_id(10, b), version_id, offer_id, store_id, 'order_item',
           bench_id(12, b), 1, account, 'TWD', 11, used, net, vat,
           bench_carried(net, used), bench_carried(vat, used), bench_on(b, 0) + time '08:00' AT TIME ZONE 'Asia/Taipei',
           NULL, used < 11
    FROM generate_series(lo, hi) b
    JOIN bench_cell ON cell = b % (:stores * 40)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(CASE k WHEN 6 THEN 1 ELSE 2 END), 0)::bigint AS used
        FROM generate_series(1::bigint, 6) k
        WHERE bench_on(b, k) <= date ':today_on' AND (k < 6 OR b % 2 = 0)
    ) past
$$;

CREATE FUNCTION bench_lines(lo bigint, hi bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO line (member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount,
                      qty, counterpart_store_id, offer_id, lot_id)
    SELECT member_id, id, ordinal, booked_on,
           CASE WHEN ordinal = 1 THEN sold_at_id ELSE made_at_id END,
           CASE WHEN kind = 'sale' THEN '1111' WHEN ordinal = 1 THEN account ELSE '1171' END,
           CASE WHEN kind = 'sale' THEN CASE ordinal WHEN 1 THEN account ELSE '2194' END
                WHEN kind = 'lapse' THEN '4113'
                WHEN ordinal = 1 AND made_at_id <> sold_at_id THEN '2171'
                ELSE '4111' END,
           CASE WHEN kind = 'sale' AND ordinal = 2 THEN vat ELSE amount END,
           CASE WHEN kind = 'sale' AND ordinal = 2 THEN 0 ELSE qty END,
           CASE WHEN made_at_id <> sold_at_id
                THEN CASE ordinal WHEN 1 THEN made_at_id ELSE sold_at_id END END,
           offer_id, lot_id
    FROM bench_event(lo, hi) CROSS JOIN generate_series(1::bigint, 2) ordinal
    WHERE ordinal = 1 OR kind = 'sale' OR made_at_id <> sold_at_id
$$;

-- A hundredth of the redemptions became known late, and stand in a later month than theirs.
CREATE FUNCTION bench_entries(lo bigint, hi bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO entry (member_id, id, kind, source_id, event_at, occurred_on, book_date, currency,
                       reverses_id, content_hash)
    SELECT entry.*, :content_hash
    FROM (
        SELECT member_id, id, kind, source_id, event_at,
               CASE WHEN k = 3 AND extract(day FROM booked_on) < 4 THEN booked_on - 5
                    ELSE booked_on END AS occurred_on,
               booked_on AS book_date, 'TWD' AS currency, NULL::uuid AS reverses_id
        FROM bench_event(lo, hi)
        OFFSET 0
    ) entry
$$;

CREATE FUNCTION bench_redemptions(lo bigint, hi bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO redemption (member_id, id, store_id, device_id, staff_id, cups,
                            redeemed_at, business_day, credential_id, step, entry_id)
    SELECT member_id, source_id, made_at_id, bench_id(7, 1), bench_id(6, 1), qty,
           event_at, booked_on, substring(uuid_send(source_id) FROM 9), 0, id
    FROM bench_event(lo, hi) WHERE kind = 'redemption';
    INSERT INTO redemption_line (
        member_id, redemption_id, lot_id, product_id, offer_id, cups, amount, vat)
    SELECT member_id, source_id, lot_id, bench_id(3, 1), offer_id, qty, amount,
           bench_carried(vat, 2 * k) - bench_carried(vat, 2 * k - 2)
    FROM bench_event(lo, hi) WHERE kind = 'redemption'
$$;
