-- Subscriptions from number :first to :last, one to each member, in the middle of their month: each
-- with a wallet, a customer, a card and the period that is paid. Who signed up together stands
-- together and is due together; the members themselves (:step is prime) come in no order.
INSERT INTO wallet (member_id, version)
SELECT bench_id(9, n), 0 FROM generate_series(:first, :last) n ON CONFLICT DO NOTHING;
INSERT INTO customer (member_id, provider_ref)
SELECT bench_id(9, n), 'cus_' || n FROM generate_series(:first, :last) n;
INSERT INTO card (id, member_id, provider_ref, brand, last4, saved_at)
SELECT bench_id(20, n), bench_id(9, n), 'pm_' || n, 'visa', '4242', now()
FROM generate_series(:first, :last) n;
INSERT INTO subscription (
    id, member_id, offer_version_id, order_item_id, ordinal, store_id, channel, card_id, status,
    anchor_at, anchor_number, time_zone, due_at, cancel_at_end, started_at)
SELECT bench_id(21, n), bench_id(9, m), bench_id(5, 2), bench_id(22, 1), n, bench_id(2, 1 + n % 4),
       'app', bench_id(20, m), 'active', started_at, 1, 'Asia/Taipei',
       started_at + interval '1 month', false, started_at
FROM generate_series(:first, :last) n,
     LATERAL (SELECT :first + (n::bigint * :step) % (:last - :first + 1)) of_member (m),
     LATERAL (
        SELECT now() - interval '20 days'
            + (n - :first) * (interval '15 days' / (:last - :first + 1))
     ) begun (started_at)
ORDER BY n;
INSERT INTO period (
    id, subscription_id, number, offer_version_id, starts_at, ends_at, status, price, net, vat,
    attempts, lapses_at, paid_at)
SELECT bench_id(23, n), bench_id(21, n), 1, bench_id(5, 2), started_at, due_at, 'paid', 499, 475,
       24, 1, started_at + interval '28 days', started_at
FROM generate_series(:first, :last) n JOIN subscription ON subscription.id = bench_id(21, n)
ORDER BY n;
