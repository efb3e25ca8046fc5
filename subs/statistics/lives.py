"""Trials, dunning, endings and cohorts: what became of subscriptions.

The plan of a trial or a cohort is that of the sign-up: the terms of the first period.
"""

TRIALS = """
SELECT (CAST(:months AS date[]))[width_bucket(trial.starts_at, CAST(:edges AS timestamptz[]))],
    trial.offer_version_id, subscription.store_id, subscription.channel, count(*),
    count(*) FILTER (WHERE first.status = 'paid'),
    count(*) FILTER (WHERE first.status IS DISTINCT FROM 'paid' AND subscription.ended_at IS NULL)
FROM period AS trial
JOIN subscription ON subscription.id = trial.subscription_id
LEFT JOIN period AS first ON first.subscription_id = trial.subscription_id AND first.number = 1
WHERE trial.number = 0 AND trial.ends_at > :first_at
  AND trial.starts_at >= :first_at AND trial.starts_at < :now
GROUP BY 1, 2, 3, 4
"""

# The version in dunning is that of the newest period that had begun.
DUNNING = """
WITH turn AS MATERIALIZED (
    SELECT subscription_id, at, to_status,
        lead(to_status) OVER (PARTITION BY subscription_id ORDER BY at, id) AS then_status
    FROM subscription_event
    WHERE at >= :first_at AND at < :now AND from_status IS DISTINCT FROM to_status
)
SELECT (CAST(:months AS date[]))[width_bucket(turn.at, CAST(:edges AS timestamptz[]))],
    failing.offer_version_id, subscription.store_id, subscription.channel, count(*),
    count(*) FILTER (WHERE turn.then_status = 'active'),
    count(*) FILTER (WHERE turn.then_status IS NULL)
FROM turn
JOIN subscription ON subscription.id = turn.subscription_id
CROSS JOIN LATERAL (
    SELECT period.offer_version_id FROM period
    WHERE period.subscription_id = turn.subscription_id AND period.starts_at <= turn.at
    ORDER BY period.number DESC LIMIT 1
) AS failing
WHERE turn.to_status = 'past_due'
GROUP BY 1, 2, 3, 4
"""

ENDINGS = """
WITH ending AS MATERIALIZED (
    SELECT DISTINCT ON (subscription_id) subscription_id, cause
    FROM subscription_event
    WHERE at >= :first_at AND to_status IN ('cancelled', 'lapsed')
      AND from_status IS DISTINCT FROM to_status AND from_status IS NOT NULL
    ORDER BY subscription_id, at, id
), ended AS (
    SELECT id, ended_at, offer_version_id, store_id, channel,
        coalesce(ending.cause, CASE status WHEN 'lapsed' THEN 'not_paid' ELSE status END) AS cause,
        cancel_reason
    FROM subscription LEFT JOIN ending ON ending.subscription_id = subscription.id
    WHERE ended_at >= :first_at AND ended_at < :now
)
SELECT (CAST(:months AS date[]))[width_bucket(ended_at, CAST(:edges AS timestamptz[]))],
    offer_version_id, store_id, channel, cause,
    CASE cause WHEN 'cancelled' THEN coalesce(cancel_reason, 'not_given') ELSE cause END, count(*)
FROM ended
GROUP BY 1, 2, 3, 4, 5, 6
"""

COHORTS = """
WITH changed AS MATERIALIZED (
    SELECT DISTINCT ON (period_id) period_id, from_version_id
    FROM plan_change WHERE status = 'applied'
    ORDER BY period_id, settled_at, id
), born AS (
    SELECT subscription.store_id, subscription.channel, subscription.started_at,
        subscription.ended_at, first.offer_version_id,
        date_trunc('month', subscription.started_at AT TIME ZONE :time_zone)::date AS cohort_on,
        subscription.started_at AT TIME ZONE subscription.time_zone AS started,
        subscription.ended_at AT TIME ZONE subscription.time_zone AS ended
    FROM subscription
    CROSS JOIN LATERAL (
        SELECT coalesce(changed.from_version_id, period.offer_version_id) AS offer_version_id
        FROM period LEFT JOIN changed ON changed.period_id = period.id
        WHERE period.subscription_id = subscription.id
        ORDER BY period.number LIMIT 1
    ) AS first
    WHERE subscription.started_at < :now
      AND (subscription.started_at >= :first_at
        OR (subscription.ended_at >= :first_at AND subscription.ended_at < :now))
), lived AS (
    SELECT born.*,
        months + (born.started + make_interval(months => months) < born.ended)::int AS age
    FROM born CROSS JOIN LATERAL (
        SELECT greatest(0, (12 * (extract(year FROM ended) - extract(year FROM started))
            + extract(month FROM ended) - extract(month FROM started))::int - 1) AS guess
    ) AS guessed CROSS JOIN LATERAL (
        SELECT guess + (born.started + make_interval(months => guess + 1) <= born.ended)::int
            AS months
    ) AS full_months
    WHERE born.ended_at >= :first_at AND born.ended_at < :now
)
SELECT cohort_on, offer_version_id, store_id, channel, cohort_on, 0, count(*)
FROM born WHERE started_at >= :first_at
GROUP BY cohort_on, offer_version_id, store_id, channel
UNION ALL
SELECT (CAST(:months AS date[]))[width_bucket(ended_at, CAST(:edges AS timestamptz[]))],
    offer_version_id, store_id, channel, cohort_on, greatest(age, 1), count(*)
FROM lived
GROUP BY 1, 2, 3, 4, 5, 6
"""
