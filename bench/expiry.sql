-- Beside the two lots of chain.sql, three bonus lots in each wallet: one that has ended, two that end
-- in months. So of five lots in each wallet one is due. They were sold in no order of members.
INSERT INTO lot (
    member_id, buyer_id, id, offer_version_id, offer_id, store_id, source, source_id, ordinal,
    account, currency, units, used, net, vat, net_recognised, vat_gone, sold_at, expiry_mode,
    ends_at, due_at, is_open, is_bonus)
SELECT bench_id(9, n), bench_id(9, n), bench_id(12, n * 3 + kind), bench_id(5, 1), bench_id(4, 1),
       bench_id(2, 1 + n % 4), 'order_item', bench_id(13, n * 3 + kind), 101, '2131', 'TWD',
       3, 1, 100, 5, 33, 2, now() - interval '90 days', 'lapse',
       now() + kind * interval '100 days' - interval '1 hour',
       now() + kind * interval '70 days' - interval '1 hour', true, true
FROM generate_series(1, :members) n, generate_series(0, 2) kind
ORDER BY hashint8(n);
