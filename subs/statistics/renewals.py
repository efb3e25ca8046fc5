"""Renewals: the paid periods that fell due in a month, and which of them were renewed.

A renewal falls due at the end of a paid period; where a pause began there, at the end of the pause.
A free plan renews itself, and is left out.
"""

COUNT = """
WITH terms AS MATERIALIZED (
    SELECT version.id, version.price, grace_days * interval '24 hours' AS grace
    FROM plan_schedule
    JOIN offer_version AS version ON version.id = plan_schedule.offer_version_id
), pause AS MATERIALIZED (
    SELECT subscription_id, at, from_status, to_status FROM subscription_event
    WHERE at >= :first_at AND at <= :now
      AND 'paused' IN (from_status, to_status) AND from_status IS DISTINCT FROM to_status
), due AS (
    SELECT ended.subscription_id, ended.id AS period_id, ended.offer_version_id,
        ended.ends_at AS due_at, next.paid_at, next.attempts
    FROM period AS ended
    LEFT JOIN period AS next
        ON next.subscription_id = ended.subscription_id AND next.number = ended.number + 1
        AND next.ends_at > :first_at
    WHERE ended.status = 'paid' AND ended.number > 0
      AND ended.ends_at >= :first_at AND ended.ends_at < :now
      AND NOT EXISTS (
        SELECT FROM pause
        WHERE pause.subscription_id = ended.subscription_id AND pause.to_status = 'paused'
          AND pause.at >= ended.ends_at AND pause.at <= coalesce(next.starts_at, :now))
    UNION ALL
    SELECT ended.subscription_id, ended.id, ended.offer_version_id, pause.at, next.paid_at,
        next.attempts
    FROM pause
    CROSS JOIN LATERAL (
        SELECT * FROM period
        WHERE period.subscription_id = pause.subscription_id AND period.status = 'paid'
          AND period.number > 0 AND period.ends_at <= pause.at AND period.starts_at < pause.at
        ORDER BY period.number DESC LIMIT 1
    ) AS ended
    LEFT JOIN period AS next
        ON next.subscription_id = ended.subscription_id AND next.number = ended.number + 1
    WHERE pause.from_status = 'paused'
), changed AS MATERIALIZED (
    SELECT DISTINCT ON (period_id) period_id, to_version_id
    FROM plan_change WHERE status = 'applied' AND settled_at <= :now
    ORDER BY period_id, settled_at DESC
), renewal AS (
    SELECT (CAST(:months AS date[]))[width_bucket(due.due_at, CAST(:edges AS timestamptz[]))]
            AS month_on,
        coalesce(changed.to_version_id, due.offer_version_id) AS offer_version_id,
        subscription.store_id, subscription.channel, due.due_at, due.paid_at, due.attempts
    FROM due
    JOIN subscription ON subscription.id = due.subscription_id
    LEFT JOIN changed ON changed.period_id = due.period_id
    WHERE due.due_at < :now
)
SELECT renewal.month_on, renewal.offer_version_id, renewal.store_id, renewal.channel, count(*),
    count(*) FILTER (WHERE paid_at <= due_at + terms.grace AND attempts <= 1),
    count(*) FILTER (WHERE paid_at <= due_at + terms.grace),
    greatest(max(due_at) + max(terms.grace),
        (renewal.month_on + interval '1 month') AT TIME ZONE :time_zone)
FROM renewal
LEFT JOIN terms ON terms.id = renewal.offer_version_id  -- see `revenue`: each has terms
WHERE coalesce(terms.price, 0) > 0
GROUP BY renewal.month_on, renewal.offer_version_id, renewal.store_id, renewal.channel
"""

# Yearly plans as Costco reports its memberships: due 7 to 18 months before the reporting date,
# renewed by then, however late; whoever bought the plan anew after it had ended has come back.
REPORT = """
WITH yearly AS MATERIALIZED (
    SELECT version.id, version.offer_id
    FROM plan_schedule
    JOIN offer_version AS version ON version.id = plan_schedule.offer_version_id
    WHERE version.price > 0
      AND ((every_unit = 'year' AND every_count = 1) OR (every_unit = 'month' AND every_count = 12))
), due AS MATERIALIZED (
    SELECT ended.offer_version_id, yearly.offer_id, subscription.store_id, subscription.channel,
        ended.ends_at,
        (date_trunc('month', ended.ends_at AT TIME ZONE :time_zone))::date AS due_on,
        least(next.paid_at, (
            SELECT min(back.started_at) FROM subscription AS back
            JOIN offer_version ON offer_version.id = back.offer_version_id
            WHERE back.member_id = subscription.member_id AND back.id <> subscription.id
              AND offer_version.offer_id = yearly.offer_id
              AND subscription.ended_at IS NOT NULL AND next.paid_at IS NULL
              AND back.started_at >= subscription.ended_at
        )) AS renewed_at
    FROM period AS ended
    JOIN yearly ON yearly.id = ended.offer_version_id
    JOIN subscription ON subscription.id = ended.subscription_id
    -- Looked up one by one: yearly periods are few among all.
    LEFT JOIN LATERAL (
        SELECT paid_at FROM period
        WHERE subscription_id = ended.subscription_id AND number = ended.number + 1 OFFSET 0
    ) AS next ON true
    WHERE ended.status = 'paid' AND ended.number > 0
      AND ended.ends_at >= :report_from_at AND ended.ends_at < :report_until_at
)
SELECT reported.month_on, due.offer_version_id, due.store_id, due.channel, count(*),
    count(*) FILTER (WHERE due.renewed_at < reported.closes_at)
FROM (
    SELECT month_on, (month_on + interval '1 month') AT TIME ZONE :time_zone AS closes_at
    FROM unnest(CAST(:months AS date[])) AS month_on
    WHERE month_on >= :first_on
) AS reported
JOIN due ON due.due_on >= reported.month_on - interval '18 months'
    AND due.due_on <= reported.month_on - interval '7 months'
WHERE reported.closes_at <= :now
GROUP BY reported.month_on, due.offer_version_id, due.store_id, due.channel
"""
