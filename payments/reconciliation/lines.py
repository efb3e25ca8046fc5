"""Line by line: each payment of a span beside the movement that has its reference."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, text

from kernel.db import db
from payments import policy
from payments.reconciliation.shown import Line, Verdict
from payments.reconciliation.span import Span

# Both sides of the month are read by time and joined; only what found no partner there is looked
# for by its key in other months. Joined to the whole tables at once, PostgreSQL would read them.
_LINES = text("""
WITH ours AS MATERIALIZED (
    SELECT id, provider_ref, status, amount, currency, settled_at
    FROM payment
    WHERE status IN ('succeeded', 'surplus') AND settled_at >= :starts_at AND settled_at < :ends_at
),
theirs AS MATERIALIZED (
    SELECT provider_ref, kind, payment_ref, charged_minor, charged_currency, created_at,
        CASE kind WHEN 'charge' THEN payment_ref END AS pays
    FROM balance_transaction
    WHERE created_at >= :starts_at AND created_at < :ends_at AND kind <> 'payout'
)
SELECT coalesce(ours.id, other_payment.id) AS payment_id,
    coalesce(ours.provider_ref, theirs.payment_ref) AS payment_ref,
    coalesce(ours.status, other_payment.status) AS status,
    coalesce(ours.settled_at, other_payment.settled_at) AS settled_at,
    ours.amount, ours.currency,
    coalesce(theirs.provider_ref, other_movement.provider_ref) AS transaction_ref,
    coalesce(theirs.kind, 'charge') AS kind,
    coalesce(theirs.created_at, other_movement.created_at) AS created_at,
    theirs.charged_minor, theirs.charged_currency,
    ours.id IS NOT NULL AS has_ours, theirs.provider_ref IS NOT NULL AS has_theirs,
    row_number() OVER (PARTITION BY ours.id ORDER BY theirs.created_at, theirs.provider_ref)
        AS ordinal
FROM ours
FULL JOIN theirs ON theirs.pays = ours.provider_ref
LEFT JOIN LATERAL (
    SELECT provider_ref, created_at FROM balance_transaction
    WHERE theirs.provider_ref IS NULL AND payment_ref = ours.provider_ref AND kind = 'charge'
    LIMIT 1
) AS other_movement ON true
LEFT JOIN LATERAL (
    SELECT id, status, settled_at FROM payment
    WHERE ours.id IS NULL AND provider_ref = theirs.payment_ref
    LIMIT 1
) AS other_payment ON true
""")


def rows(span: Span) -> Iterator[Row[Any]]:
    """What may be on a line: every payment that was paid, every movement but payouts."""
    ends = {"starts_at": span.starts_at, "ends_at": span.ends_at}
    yield from db.session.execute(_LINES, ends, execution_options={"yield_per": 1_000})


def line_of(span: Span, row: Row[Any]) -> Line:
    """The line that a row is; of two charges for one payment, the first has ours beside it."""
    is_second = row.has_ours and row.ordinal > 1
    has_ours = row.has_ours and not is_second
    ours_minor = policy.at_provider(row.amount, row.currency) if has_ours else None
    verdict, cause = _verdict(span, row, ours_minor, is_second=is_second)
    return Line(
        verdict=verdict,
        cause=cause,
        kind=row.kind,
        payment_id=row.payment_id,
        payment_ref=row.payment_ref,
        transaction_ref=row.transaction_ref,
        ours_minor=ours_minor,
        ours_currency=row.currency if has_ours else None,
        theirs_minor=row.charged_minor,
        theirs_currency=row.charged_currency,
        settled_at=row.settled_at,
        created_at=row.created_at,
    )


def _verdict(
    span: Span, row: Row[Any], ours_minor: int | None, *, is_second: bool
) -> tuple[Verdict, str | None]:
    if ours_minor is None:
        cause = policy.cause_of_theirs(kind=row.kind, ours=row.status, is_second=is_second)
        return "theirs_only", cause
    if not row.has_theirs:
        return "ours_only", _cause_of_ours(span, row)
    if row.currency != row.charged_currency:
        return "amounts_differ", "currency_differs"
    if ours_minor != row.charged_minor:
        return "amounts_differ", "amount_differs"
    return "matched", None


def _cause_of_ours(span: Span, row: Row[Any]) -> str:
    if row.transaction_ref is not None:
        return "theirs_in_other_month"
    is_fetched = span.fetched_until is not None and row.settled_at < span.fetched_until
    return "unknown_to_provider" if is_fetched else "not_fetched_yet"
