-- The wallets from :first to :last, each with a pack that never ends and a plan's lot that does, and
-- a credential.

INSERT INTO wallet (member_id, version)
SELECT bench_id(9, n), 0 FROM generate_series(:first, :last) n;
INSERT INTO lot (
    member_id, buyer_id, id, offer_version_id, offer_id, store_id, source, source_id, ordinal,
    account, currency, units, used, net, vat, net_recognised, sold_at, expiry_mode, ends_at, due_at,
    is_open)
SELECT bench_id(9, n), bench_id(9, n), bench_id(10, n * 2 + kind), bench_id(5, kind), bench_id(4, kind),
       bench_id(2, 1 + n % 4), CASE kind WHEN 1 THEN 'order_item' ELSE 'period' END,
       bench_id(11, n), 1, CASE kind WHEN 1 THEN '2131' ELSE '2132' END, 'TWD',
       CASE kind WHEN 1 THEN 1100 ELSE 1000 END, 0,
       CASE kind WHEN 1 THEN 47600 ELSE 47500 END, 2400, 0, now(),
       CASE kind WHEN 2 THEN 'lapse' ELSE 'never' END,
       CASE kind WHEN 2 THEN now() + interval '30 days' END,
       CASE kind WHEN 2 THEN now() + interval '30 days' END, true
FROM generate_series(:first, :last) n, generate_series(1, 2) kind;
INSERT INTO credential (id, member_id, issued_at, ends_at)
SELECT decode(lpad(to_hex(n), 16, '0'), 'hex'), bench_id(9, n), now(), now() + interval '1 day'
FROM generate_series(:first, :last) n;

