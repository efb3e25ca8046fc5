-- Three members to look at, on a chain that trades: one with 1,000 lots and 10,000 events, one with
-- 10 lots and 100 events, and others whose events lie beside theirs. Every lot is bought, 1 of 10
-- at each of 10 ends; the other events are cups handed over, each at a store and of a drink.

CREATE TEMP TABLE shopper AS
SELECT n, CASE n WHEN 1 THEN 1000 WHEN 2 THEN 10 ELSE 20 END AS lots,
       CASE n WHEN 1 THEN 9000 WHEN 2 THEN 90 ELSE 180 END AS taken
FROM generate_series(1, 500) n;

INSERT INTO member (id, phone_index, phone_sealed, locale, time_zone, joined_at)
SELECT bench_id(9, n), sha256(n::text::bytea), '', 'zh-TW', 'Asia/Taipei', now() FROM shopper;
INSERT INTO member_session (id, member_id, token_digest, started_at, ends_at)
SELECT bench_id(12, n), bench_id(9, n), sha256(('mem_' || lpad(n::text, 43, '0'))::bytea), now(),
       now() + interval '1 day'
FROM shopper;
DELETE FROM lot WHERE member_id IN (SELECT bench_id(9, n) FROM shopper);

INSERT INTO lot (
    member_id, buyer_id, id, offer_version_id, offer_id, store_id, source, source_id, ordinal,
    order_item_id, account, currency, units, used, net, vat, net_recognised, vat_gone, sold_at,
    expiry_mode, ends_at, due_at, is_open)
SELECT bench_id(9, n), bench_id(9, n), bench_id(13, n * 1000000 + at), bench_id(5, 1 + at % 2),
       bench_id(4, 1 + at % 2), bench_id(2, 1 + at % 4), 'order_item',
       bench_id(14, n * 1000000 + at), 1, bench_id(14, n * 1000000 + at), '2131', 'TWD',
       20, taken / lots, 800, 40, 40 * (taken / lots), 2 * (taken / lots),
       now() - interval '400 days' + at * interval '8 hours', 'lapse',
       date_trunc('day', now()) + (30 + at % 10) * interval '1 day',
       date_trunc('day', now()) + (30 + at % 10) * interval '1 day', true
FROM shopper, generate_series(1, lots) at;

CREATE TEMP TABLE happened AS
SELECT n, at, 'sale' AS kind, at AS lot_number,
       bench_id(13, n * 1000000 + at) AS source_id,
       now() - interval '400 days' + at * interval '8 hours' AS event_at
FROM shopper, generate_series(1, lots) at
UNION ALL
SELECT n, 100000 + at, 'redemption', 1 + at % lots, bench_id(16, n * 1000000 + at),
       now() - interval '60 days' + at * interval '9 minutes'
FROM shopper, generate_series(1, taken) at;

INSERT INTO entry (
    member_id, id, kind, source_id, event_at, occurred_on, book_date, currency, content_hash)
SELECT bench_id(9, n), bench_id(15, n * 1000000 + at), kind, source_id, event_at, event_at::date,
       event_at::date, 'TWD', sha256((n || '-' || at)::bytea)
FROM happened;
INSERT INTO line (
    member_id, entry_id, ordinal, book_date, store_id, debit, credit, amount, qty, offer_id, lot_id)
SELECT bench_id(9, n), bench_id(15, n * 1000000 + at), pair.ordinal, event_at::date,
       bench_id(2, 1 + lot_number % 4), pair.debit, pair.credit, pair.amount, pair.qty,
       bench_id(4, 1 + lot_number % 2), bench_id(13, n * 1000000 + lot_number)
FROM happened
JOIN (VALUES ('sale', 1, '1111', '2131', 800, 20), ('sale', 2, '1111', '2194', 40, 0),
             ('redemption', 1, '2131', '4111', 40, 1))
     AS pair (kind, ordinal, debit, credit, amount, qty) USING (kind);
INSERT INTO redemption (
    member_id, id, store_id, device_id, staff_id, cups, top_up, top_up_vat, redeemed_at,
    business_day, credential_id, step, entry_id)
SELECT bench_id(9, n), source_id, bench_id(2, 1 + lot_number % 4), bench_id(7, 1), bench_id(6, 1),
       1, 0, 0, event_at, event_at::date, decode(lpad(to_hex(n), 16, '0'), 'hex'),
       at, bench_id(15, n * 1000000 + at)
FROM happened WHERE kind = 'redemption';
INSERT INTO redemption_line (
    member_id, redemption_id, lot_id, product_id, offer_id, cups, amount, vat)
SELECT bench_id(9, n), source_id, bench_id(13, n * 1000000 + lot_number), bench_id(3, 1),
       bench_id(4, 1 + lot_number % 2), 1, 40, 2
FROM happened WHERE kind = 'redemption';
