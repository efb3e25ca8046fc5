-- A chain to redeem in, made of sets: 4 stores with 4 tills each, and :members wallets, each with
-- a pack that never ends and a plan's lot that does, and a credential. Numbers are turned into ids
-- by bench_id (ids.sql), so that a script of pgbench and the load generator speak of the same rows.

INSERT INTO legal_entity (id, code, name) VALUES (bench_id(1, 1), 'bench', 'Bench');
INSERT INTO store (id, code, name, time_zone, day_ends_at, is_online)
SELECT bench_id(2, n), 'S' || n, 'Store ' || n, 'Asia/Taipei', '04:00', n = 1
FROM generate_series(1, 4) n;
INSERT INTO store_owner (store_id, starts_on, legal_entity_id)
SELECT bench_id(2, n), '1970-01-01', bench_id(1, 1) FROM generate_series(1, 4) n;
INSERT INTO product (id, code, name, size, list_price, currency)
VALUES (bench_id(3, 1), 'latte', 'Latte', 'M', 50, 'TWD');
INSERT INTO offer (id, code, kind) VALUES (bench_id(4, 1), 'pack', 'pack'), (bench_id(4, 2), 'plan', 'plan');
INSERT INTO offer_version (
    id, offer_id, version, name, price, currency, vat_code, guarantee_months, cups, bonus_cups,
    expiry_mode, accepted_at, max_cups, cups_per_day, minimum_interval_s, sale_starts_at)
VALUES (bench_id(5, 1), bench_id(4, 1), 1, 'pack', 500, 'TWD', 'standard', 12, 11, 1, 'never', 'all', 20, NULL, NULL, now()),
       (bench_id(5, 2), bench_id(4, 2), 1, 'plan', 499, 'TWD', 'standard', 12, 10, 0, 'lapse', 'all', 20, 2, NULL, now());
INSERT INTO offer_version_product VALUES (bench_id(5, 1), bench_id(3, 1)), (bench_id(5, 2), bench_id(3, 1));
UPDATE offer_version SET approved_at = now();
INSERT INTO staff (id, number, name, role, totp_last_step)
SELECT bench_id(6, n), n::text, 'Clerk ' || n, 'clerk', 0 FROM generate_series(1, 16) n;
INSERT INTO device (id, store_id, name, code_digest, code_ends_at, token_digest, enrolled_at)
SELECT bench_id(7, n), bench_id(2, 1 + n % 4), 'till', sha256(('code' || n)::bytea), now(),
       sha256(('device' || n)::bytea), now()
FROM generate_series(1, 16) n;
INSERT INTO shift (id, token_digest, device_id, staff_id, started_at, ends_at)
SELECT bench_id(8, n), sha256(('shf_' || lpad(n::text, 43, '0'))::bytea), bench_id(7, n),
       bench_id(6, n), now(), now() + interval '1 day'
FROM generate_series(1, 16) n;
INSERT INTO wallet (member_id, version)
SELECT bench_id(9, n), 0 FROM generate_series(1, :members) n;
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
FROM generate_series(1, :members) n, generate_series(1, 2) kind;
INSERT INTO credential (id, member_id, issued_at, ends_at)
SELECT decode(lpad(to_hex(n), 16, '0'), 'hex'), bench_id(9, n), now(), now() + interval '1 day'
FROM generate_series(1, :members) n;

