-- :orders orders of a pack each, all of them in the payer's own form at the provider: nothing is
-- left for Jibei to do but to hear that they were paid. Each is of a member of their own.

INSERT INTO vat_rate (code, starts_on, basis_points, rounding)
VALUES ('standard', '1970-01-01', 500, 'half_up') ON CONFLICT DO NOTHING;
INSERT INTO member (id, phone_index, phone_sealed, locale, time_zone, joined_at)
SELECT bench_id(9, n), sha256(n::text::bytea), '', 'zh-TW', 'Asia/Taipei', now()
FROM generate_series(1, :orders) n;
INSERT INTO voucher_order (id, member_id, store_id, status, total, currency, ordered_at, ends_at)
SELECT bench_id(21, n), bench_id(9, n), bench_id(2, 1), 'pending', 500, 'TWD', now(),
       now() + interval '1 day'
FROM generate_series(1, :orders) n;
INSERT INTO order_item (id, order_id, position, offer_version_id, quantity, gross, net, vat)
SELECT bench_id(22, n), bench_id(21, n), 1, bench_id(5, 1), 1, 500, 476, 24
FROM generate_series(1, :orders) n;
INSERT INTO payment (id, member_id, purpose, purpose_id, attempt, amount, currency, by_holder,
                     keeps_card, is_off_session, status, created_at, asked_at)
SELECT bench_id(23, n), bench_id(9, n), 'voucher_order', bench_id(21, n), 1, 500, 'TWD', true,
       false, false, 'requires_action', now(), now()
FROM generate_series(1, :orders) n;
