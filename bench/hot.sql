-- The one shopper of `bench.load`: a company whose people all show its codes. Two packs of a hundred
-- million cups, and as many credentials as no load shows twice within a step.

INSERT INTO wallet (member_id, version) VALUES (bench_id(9, :hot), 0);
INSERT INTO lot (
    member_id, buyer_id, id, offer_version_id, offer_id, store_id, source, source_id, ordinal,
    account, currency, units, used, net, vat, net_recognised, sold_at, expiry_mode, is_open)
SELECT bench_id(9, :hot), bench_id(9, :hot), bench_id(10, :hot + n), bench_id(5, 1), bench_id(4, 1),
       bench_id(2, n), 'order_item', bench_id(11, :hot + n), 1, '2131', 'TWD', 100000000, 0,
       4700000000, 235000000, 0, now(), 'never', true
FROM generate_series(1, 2) n;
INSERT INTO credential (id, member_id, issued_at, ends_at)
SELECT decode(lpad(to_hex(:hot + n), 16, '0'), 'hex'), bench_id(9, :hot), now(),
       now() + interval '1 day'
FROM generate_series(0, :codes - 1) n;
