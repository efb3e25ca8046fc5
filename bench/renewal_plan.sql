-- What a subscription refers to: the terms of the plan of chain.sql, and an order that began them all.
INSERT INTO plan_schedule (
    offer_version_id, every_count, every_unit, grace_days, dunning_days, benefits_in_grace,
    back_dates, trial_cups, trial_needs_card, carry_over, sharers, most_pause_days, cancel_refund)
VALUES (bench_id(5, 2), 1, 'month', 28, '{2,5,7,7}', false, true, 0, true, 'none', 0, 0, 'none');
INSERT INTO voucher_order (
    id, member_id, store_id, channel, status, total, currency, ordered_at, ends_at, paid_at,
    fulfilled_at)
VALUES (bench_id(24, 1), bench_id(9, 1), bench_id(2, 1), 'app', 'fulfilled', 499, 'TWD', now(),
        now() + interval '1 day', now(), now());
INSERT INTO order_item (
    id, order_id, position, offer_version_id, quantity, gross, net, vat)
VALUES (bench_id(22, 1), bench_id(24, 1), 1, bench_id(5, 2), 1, 499, 475, 24);
