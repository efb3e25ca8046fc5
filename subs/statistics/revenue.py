"""Monthly recurring revenue, and what moved it from one month's end to the next.

A subscription counts at a moment while one of its periods runs that is paid or, after a paid one,
still asked for; trials, pauses and what is free do not. What it counts for is the period's price
without VAT on a month (`times` / `over`: a year is 12 months of 365.25 / 12 days), rounded half up
to whole minor units, so that sums of it add up exactly.

Only movements are counted. A month opens with what the one before it closed with, and each cell
closes with that and its movements: who is worth the same at both ends costs nothing but a look at
their periods. Months are numbers here, and `first` to `last` are the month ends at which a piece of
a period counts; 1 is the one from which the count begins.
"""

_PIECES = """
WITH terms AS MATERIALIZED (
    SELECT version.id, version.currency, version.price, version.vat_code, version.vat_timing,
        CASE WHEN every_unit IN ('month', 'year') THEN 1 ELSE 487 END AS times,
        every_count * CASE every_unit
            WHEN 'month' THEN 1 WHEN 'year' THEN 12 WHEN 'week' THEN 112 ELSE 16 END AS over
    FROM plan_schedule
    JOIN offer_version AS version ON version.id = plan_schedule.offer_version_id
), changed AS MATERIALIZED (
    SELECT period_id, from_version_id, to_version_id, settled_at,
        lead(settled_at) OVER in_order AS until_at, row_number() OVER in_order AS nth
    FROM plan_change
    WHERE status = 'applied' AND settled_at < :now
    WINDOW in_order AS (PARTITION BY period_id ORDER BY settled_at, id)
), stretch AS (
    SELECT period.subscription_id,
        CASE WHEN number > 1 THEN starts_at ELSE greatest(starts_at, paid_at) END AS from_at,
        coalesce(changed.settled_at, period.ends_at) AS until_at,
        coalesce(changed.from_version_id, period.offer_version_id) AS version_id,
        CASE WHEN coalesce(changed.from_version_id = period.offer_version_id, true)
            THEN period.net END AS net,
        CASE WHEN coalesce(changed.from_version_id = period.offer_version_id, true)
            THEN period.price END AS price
    FROM period LEFT JOIN changed ON changed.period_id = period.id AND changed.nth = 1
    WHERE period.ends_at >= :first_at AND period.starts_at < :now
      AND (period.number > 1 OR (period.number = 1 AND period.paid_at < :now))
    UNION ALL
    SELECT period.subscription_id, changed.settled_at, coalesce(changed.until_at, period.ends_at),
        changed.to_version_id, NULL, NULL
    FROM changed JOIN period ON period.id = changed.period_id
    WHERE period.ends_at >= :first_at AND period.number > 0
), piece AS (
    SELECT stretch.*, greatest(1, width_bucket(from_at, CAST(:edges AS timestamptz[]))) AS first,
        width_bucket(until_at, CAST(:edges AS timestamptz[])) - 1 AS last
    FROM stretch
)"""

# A subscription that one net price of one version carries from end to end has not moved, unless it
# ended meanwhile. Whose period outlives an end before the first month was not in its opening.
_WHO_MOVED = """, looked_at AS MATERIALIZED (
    SELECT id, member_id, store_id, channel, ended_at FROM subscription
    WHERE (ended_at >= :first_at AND ended_at < :now) OR id IN (
        SELECT subscription_id FROM piece
        WHERE last >= first AND (last - first + 1 < :counted OR net IS NULL)
        GROUP BY subscription_id, version_id, net
        HAVING sum(last - first + 1) < :counted OR net IS NULL)
)"""

_EVERYBODY = """, looked_at AS (
    SELECT id, member_id, store_id, channel, ended_at FROM subscription
)"""

_MOVEMENTS = """, priced AS (
    SELECT piece.*, member_id, store_id, channel, ended_at,
        (2 * terms.times * coalesce(net, (
            SELECT (20000 * coalesce(piece.price, terms.price) + 10000 + basis_points)
                / (2 * (10000 + basis_points))
            FROM vat_rate
            WHERE code = terms.vat_code AND terms.vat_timing = 'sale'
              AND starts_on <= (from_at AT TIME ZONE :time_zone)::date
            ORDER BY starts_on DESC LIMIT 1
        ), piece.price, terms.price) + terms.over) / (2 * terms.over) AS mrr
    FROM piece JOIN looked_at ON looked_at.id = subscription_id
    -- Each has terms; an outer join, since for an inner one PostgreSQL expects few rows.
    LEFT JOIN terms ON terms.id = version_id
    WHERE last >= first
    OFFSET 0
), valued AS (
    SELECT subscription_id, member_id, store_id, channel, version_id, mrr, first,
        CASE WHEN ended_at < until_at
            THEN width_bucket(ended_at, CAST(:edges AS timestamptz[])) - 1 ELSE last END AS last
    FROM priced WHERE mrr > 0
), run AS (
    SELECT valued.*, lag(mrr) OVER in_order AS before_mrr,
        lag(version_id) OVER in_order AS before_version_id,
        lag(last) OVER in_order IS NOT NULL AS was_counted,
        coalesce(lag(last) OVER in_order = first - 1, false) AS goes_on,
        last < :counted AND lead(first) OVER in_order IS DISTINCT FROM last + 1 AS is_lost
    FROM valued WHERE last >= first
    WINDOW in_order AS (PARTITION BY subscription_id ORDER BY first)
), turn AS (
    SELECT run.*, goes_on AND version_id <> before_version_id AS is_moved,
        first > 1 AND NOT (goes_on AND version_id = before_version_id AND mrr = before_mrr)
            AS is_turn
    FROM run
), told AS (
    SELECT turn.*, CASE WHEN is_turn AND NOT goes_on THEN
        was_counted OR EXISTS (
            SELECT FROM subscription AS theirs JOIN period ON period.subscription_id = theirs.id
            WHERE theirs.member_id = turn.member_id
              AND theirs.started_at < (CAST(:edges AS timestamptz[]))[first]
              AND (theirs.id = turn.subscription_id
                OR theirs.ended_at <= (CAST(:edges AS timestamptz[]))[first])
              AND period.number > 0 AND period.price > 0
              AND period.paid_at < (CAST(:edges AS timestamptz[]))[first]
        ) END AS is_back
    FROM turn
    WHERE is_turn OR is_lost
    OFFSET 0
), move AS (
    -- Where a subscription came to; what it left, where that is another version; its loss.
    SELECT first AS at, version_id, store_id, channel,
        CASE WHEN NOT is_back THEN mrr END AS new,
        CASE WHEN is_back THEN mrr END AS reactivation,
        CASE WHEN goes_on AND NOT is_moved THEN mrr - before_mrr END AS difference,
        CASE WHEN is_moved THEN mrr END AS moved,
        NULL::bigint AS churn
    FROM told WHERE is_turn
    UNION ALL
    SELECT first, before_version_id, store_id, channel, NULL, NULL, mrr - before_mrr, -mrr, NULL
    FROM told WHERE is_turn AND is_moved
    UNION ALL
    SELECT last + 1, version_id, store_id, channel, NULL, NULL, NULL, NULL, mrr
    FROM told WHERE is_lost
), summed AS MATERIALIZED (
    SELECT at, version_id, store_id, channel,
        coalesce(sum(new), 0) AS new, coalesce(sum(reactivation), 0) AS reactivation,
        coalesce(sum(difference) FILTER (WHERE difference > 0), 0) AS expansion,
        coalesce(-sum(difference) FILTER (WHERE difference < 0), 0) AS contraction,
        coalesce(sum(churn), 0) AS churn, coalesce(sum(moved), 0) AS moved,
        count(new) AS new_count, count(reactivation) AS reactivated_count,
        count(churn) AS churned_count,
        count(moved) FILTER (WHERE moved > 0) - count(moved) FILTER (WHERE moved < 0)
            AS moved_count
    FROM move GROUP BY at, version_id, store_id, channel
), opened AS MATERIALIZED (
    SELECT offer_version_id AS version_id, store_id, channel, closing, closing_count
    FROM plan_revenue
    WHERE month_on = (CAST(:months AS date[]))[1] AND closing_count > 0
), cell AS (
    SELECT version_id, store_id, channel FROM summed
    UNION SELECT version_id, store_id, channel FROM opened
), chained AS (
    SELECT at, version_id, store_id, channel, summed.at IS NOT NULL AS has_moved,
        new, reactivation, expansion, contraction, churn, moved,
        new_count, reactivated_count, churned_count, moved_count,
        coalesce(opened.closing, 0) + coalesce(sum(
            new + reactivation + expansion - contraction - churn + moved
        ) OVER so_far, 0) AS closing,
        coalesce(opened.closing_count, 0) + coalesce(sum(
            new_count + reactivated_count - churned_count + moved_count
        ) OVER so_far, 0) AS closing_count
    FROM cell
    CROSS JOIN generate_series(2, :counted) AS at
    LEFT JOIN summed USING (at, version_id, store_id, channel)
    LEFT JOIN opened USING (version_id, store_id, channel)
    WINDOW so_far AS (PARTITION BY version_id, store_id, channel ORDER BY at)
)
SELECT (CAST(:months AS date[]))[at], version_id, store_id, channel, terms.currency,
    closing - coalesce(new + reactivation + expansion - contraction - churn + moved, 0),
    coalesce(new, 0), coalesce(reactivation, 0), coalesce(expansion, 0),
    coalesce(contraction, 0), coalesce(churn, 0), coalesce(moved, 0), closing,
    closing_count
        - coalesce(new_count + reactivated_count - churned_count + moved_count, 0),
    coalesce(new_count, 0), coalesce(reactivated_count, 0), coalesce(churned_count, 0),
    coalesce(moved_count, 0), closing_count
FROM chained JOIN terms ON terms.id = version_id
WHERE has_moved OR closing_count > 0
"""

COUNT = _PIECES + _EVERYBODY + _MOVEMENTS
COUNT_OPEN = _PIECES + _WHO_MOVED + _MOVEMENTS
