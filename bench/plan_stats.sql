-- :subscriptions plans sold over 36 months until :now at 50 stores, with plausible lives: seven
-- plans by the week, month and year, one of them with a trial; each period is renewed with a
-- probability of its own; six in a hundred renewals are recovered by dunning, three in ten of those
-- that end were not paid, every fiftieth rests for a month, and every tenth member comes back.
-- Rows are written in the order of time, as they would have come.

INSERT INTO legal_entity (id, code, name) VALUES (bench_id(1, 1), 'bench', 'Bench');
INSERT INTO store (id, code, name, time_zone, day_ends_at, is_online)
SELECT bench_id(2, n), 'S' || n, 'Store ' || n, 'Asia/Taipei', '04:00', n = 0
FROM generate_series(0, 49) n;
INSERT INTO store_owner (store_id, starts_on, legal_entity_id)
SELECT bench_id(2, n), '1970-01-01', bench_id(1, 1) FROM generate_series(0, 49) n;

CREATE TABLE bench_plan (k int, every text, price bigint, trial int, kept float);
INSERT INTO bench_plan VALUES
    (0, 'month', 499, NULL, 0.90), (1, 'month', 899, NULL, 0.88), (2, 'month', 1299, 14, 0.86),
    (3, 'week', 149, NULL, 0.93), (4, 'year', 4990, NULL, 0.70), (5, 'year', 600, NULL, 0.80),
    (6, 'month', 549, NULL, 0.91);
INSERT INTO offer (id, code, kind) SELECT bench_id(4, k), 'plan-' || k, 'plan' FROM bench_plan;
INSERT INTO offer_version (
    id, offer_id, version, name, price, first_price, currency, vat_code, guarantee_months, cups,
    bonus_cups, expiry_mode, accepted_at, sale_starts_at)
SELECT bench_id(5, k), bench_id(4, k), 1, 'plan-' || k, price, CASE WHEN trial > 0 THEN 0 END,
    'TWD', 'standard', 12, 10, 0, 'lapse', 'all', '2020-01-01'
FROM bench_plan;
INSERT INTO plan_schedule (
    offer_version_id, every_count, every_unit, grace_days, dunning_days, trial_days)
SELECT bench_id(5, k), 1, every, 28, '{2,5,7,7}', trial FROM bench_plan;
UPDATE offer_version SET approved_at = '2020-01-01';
INSERT INTO voucher_order (id, member_id, store_id, total, currency, ordered_at, ends_at, status)
VALUES (bench_id(11, 1), bench_id(9, 0), bench_id(2, 0), 0, 'TWD', now(), now(), 'ended');
INSERT INTO order_item (id, order_id, position, offer_version_id, quantity, gross, net, vat)
VALUES (bench_id(11, 2), bench_id(11, 1), 1, bench_id(5, 0), 1, 0, 0, 0);

-- A number from 0 to 1 that is always the same for these two.
CREATE FUNCTION bench_chance(n bigint, kind bigint) RETURNS float IMMUTABLE LANGUAGE sql AS
$$ SELECT ((hashint8extended(n, kind) & 1048575) + 0.5) / 1048576.0 $$;

-- One row for each life: when it began, after how many periods it is over, and how.
CREATE UNLOGGED TABLE bench_life AS
SELECT n, bench_id(12, n) AS id, bench_id(9, CASE WHEN n % 10 = 0 AND n > 100000 THEN n - 99999 ELSE n END)
        AS member_id,
    bench_plan.k, ('1 ' || every)::interval AS every, price, began_at,
    began_at + coalesce(trial, 0) * interval '1 day' AS anchor_at, trial,
    least(400, ceil(ln(bench_chance(n, 2)) / ln(kept)))::int AS periods,
    bench_chance(n, 3) < 0.3 AS is_lapse,
    CASE WHEN n % 50 = 7 THEN 1 + n % 4 END AS rests_after
FROM (
    SELECT n, timestamptz ':now' - interval '36 months'
        + (interval '36 months' * sqrt((n - 0.5) / :subscriptions)) AS began_at
    FROM generate_series(1::bigint, :subscriptions) n
) AS sale
JOIN bench_plan ON bench_plan.k = CASE
    WHEN n % 100 < 40 THEN 0 WHEN n % 100 < 60 THEN 1 WHEN n % 100 < 75 THEN 2
    WHEN n % 100 < 77 THEN 3 WHEN n % 100 < 85 THEN 4 WHEN n % 100 < 90 THEN 5 ELSE 6 END;

-- Each period that has begun; the one after the last is not paid where the life lapses.
CREATE UNLOGGED TABLE bench_period AS
SELECT life.n, life.id, life.member_id, life.k, life.price, number, is_lapse AND number = periods + 1 AS is_unpaid,
    anchor_at + every * (number - 1) + rest AS starts_at,
    anchor_at + every * number + rest AS ends_at,
    CASE WHEN number > 1 AND bench_chance(n * 512 + number, 5) < 0.06
        THEN 2 + (n + number) % 3 ELSE 1 END AS attempts
FROM bench_life AS life
CROSS JOIN LATERAL generate_series(1, least(periods + is_lapse::int, 160)) AS number
CROSS JOIN LATERAL (
    SELECT CASE WHEN number > rests_after THEN interval '1 month' ELSE interval '0' END AS rest
    OFFSET 0
) AS pause
WHERE anchor_at + every * (number - 1) + rest < ':now';

INSERT INTO subscription (
    id, member_id, offer_version_id, order_item_id, ordinal, store_id, channel, status, anchor_at,
    anchor_number, time_zone, due_at, cancel_at_end, cancel_reason, started_at, ended_at)
SELECT id, member_id, bench_id(5, k), bench_id(11, 2), NULL, bench_id(2, (n / 100) % 50),
    (ARRAY['app', 'app', 'web', 'counter'])[1 + n % 4],
    CASE WHEN is_over THEN CASE WHEN is_lapse THEN 'lapsed' ELSE 'cancelled' END
         WHEN anchor_at > ':now' THEN 'trialing' ELSE 'active' END,
    anchor_at, 1, 'Asia/Taipei',
    CASE WHEN NOT is_over THEN timestamptz ':now' + interval '1 day' END, is_over AND NOT is_lapse,
    CASE WHEN is_over AND NOT is_lapse
         THEN (ARRAY['too_expensive', 'not_used', 'moved', NULL])[1 + (n % 4)::int] END,
    began_at, CASE WHEN is_over THEN over_at END
FROM (
    SELECT life.*, over_at, over_at < ':now' AS is_over
    FROM bench_life AS life CROSS JOIN LATERAL (
        SELECT anchor_at + every * periods
            + CASE WHEN is_lapse THEN interval '27 days' ELSE interval '0' END
            + CASE WHEN periods >= rests_after THEN interval '1 month' ELSE interval '0' END
            AS over_at
        OFFSET 0
    ) AS ending
) AS told
ORDER BY n;

INSERT INTO period (
    id, subscription_id, number, offer_version_id, starts_at, ends_at, status, price, net, vat,
    attempts, lapses_at, paid_at)
SELECT uuidv7(), told.id, number, plan.id, starts_at, ends_at,
    CASE WHEN is_unpaid THEN CASE WHEN starts_at + interval '27 days' < ':now'
                                  THEN 'unpaid' ELSE 'due' END
         WHEN pays_at < ':now' THEN 'paid' ELSE 'due' END,
    told.price, CASE WHEN is_paid THEN net END, CASE WHEN is_paid THEN told.price - net END,
    attempts, starts_at + interval '28 days', CASE WHEN is_paid THEN pays_at END
FROM (
    SELECT *, NOT is_unpaid AND pays_at < ':now' AS is_paid FROM (
        SELECT *, starts_at + (attempts - 1) * interval '2 days' AS pays_at,
            (20000 * price + 10500) / 21000 AS net
        FROM bench_period
    ) AS timed
) AS told
JOIN (SELECT k, bench_id(5, k) AS id FROM bench_plan OFFSET 0) AS plan USING (k)
ORDER BY starts_at;
INSERT INTO period (
    id, subscription_id, number, offer_version_id, starts_at, ends_at, status, price, net, vat,
    attempts, lapses_at, paid_at)
SELECT uuidv7(), id, 0, bench_id(5, k), began_at, anchor_at, 'paid', 0, 0, 0, 0,
    anchor_at, began_at
FROM bench_life WHERE trial > 0 ORDER BY n;

INSERT INTO subscription_event (
    id, subscription_id, member_id, at, from_status, to_status, cause, facts)
SELECT uuidv7(), subscription_id, member_id, at, before, after, cause, '{}'
FROM (
    SELECT id AS subscription_id, member_id, 0 AS step, began_at AS at, NULL AS before,
        CASE WHEN trial > 0 THEN 'trialing' ELSE 'active' END AS after,
        CASE WHEN trial > 0 THEN 'trial_started' ELSE 'started' END AS cause
    FROM bench_life
    UNION ALL
    SELECT id, member_id, number * 8 + turn.nth, turn.at, turn.before, turn.after, turn.cause
    FROM bench_period CROSS JOIN LATERAL (
        SELECT starts_at + (attempts - 1) * interval '2 days' AS pays_at OFFSET 0
    ) AS paid CROSS JOIN LATERAL (
        SELECT 0 AS nth, pays_at AS at, 'active' AS before, 'active' AS after, 'renewed' AS cause
        WHERE number > 1 AND attempts = 1 AND NOT is_unpaid
        UNION ALL
        SELECT 0, starts_at, 'active', 'past_due', 'renewal_failed'
        WHERE number > 1 AND (attempts > 1 OR is_unpaid)
        UNION ALL
        SELECT 1, pays_at, 'past_due', 'active', 'recovered'
        WHERE number > 1 AND attempts > 1 AND NOT is_unpaid
        UNION ALL
        SELECT 2, starts_at + interval '27 days', 'past_due', 'lapsed', 'not_paid' WHERE is_unpaid
    ) AS turn
    UNION ALL
    SELECT id, member_id, number * 8 + 4 + turn.nth, ends_at + turn.nth * interval '1 month',
        turn.before, turn.after, turn.cause
    FROM bench_period JOIN (SELECT n, rests_after, periods FROM bench_life) AS life USING (n)
    CROSS JOIN LATERAL (
        VALUES (0, 'active', 'paused', 'paused'), (1, 'paused', 'active', 'resumed')
    ) AS turn (nth, before, after, cause)
    WHERE number = rests_after AND number < periods
    UNION ALL
    SELECT id, member_id, 4095, ended_at, 'active', 'cancelled', 'cancelled'
    FROM subscription WHERE status = 'cancelled'
) AS happened
WHERE at < ':now'
ORDER BY at, step;
DROP TABLE bench_life, bench_period;
