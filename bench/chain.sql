-- A chain to redeem in, made of sets: 4 stores with 4 tills each. Numbers are turned into ids by
-- bench_id (ids.sql), so that a script of pgbench and the load generator speak of the same rows.

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
