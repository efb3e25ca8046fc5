"""Line by line: each payment of a span, or money back, beside the movement of its reference."""

from collections.abc import Iterator
from datetime import datetime
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
        AND provider = 'stripe'
),
theirs AS MATERIALIZED (
    SELECT provider_ref, kind, payment_ref, source_ref, charged_minor, charged_currency, created_at,
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
    back.amount AS back_amount, back.currency AS back_currency, back.settled_at AS back_settled_at,
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
LEFT JOIN LATERAL (
    SELECT amount, currency, settled_at FROM repayment
    WHERE theirs.kind = 'refund' AND provider_ref = theirs.source_ref
    UNION ALL
    SELECT amount, currency, closed_at FROM dispute
    WHERE theirs.kind = 'dispute' AND provider_ref = theirs.source_ref
    LIMIT 1
) AS back ON true
""")


def rows(span: Span) -> Iterator[Row[Any]]:
    """What may be on a line: every payment by card that was paid, every movement but payouts."""
    ends = {"starts_at": span.starts_at, "ends_at": span.ends_at}
    yield from db.session.execute(_LINES, ends, execution_options={"yield_per": 1_000})


def line_of(span: Span, row: Row[Any]) -> Line:
    """The line that a row is; of two charges for one payment, the first has ours beside it.

    What a repayment or a dispute of ours has moved, there or back, has that beside it.
    """
    if row.back_amount is not None:
        return _line_of_back(row)
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


def _line_of_back(row: Row[Any]) -> Line:
    """Ours has the direction of theirs: the same repayment goes, and may come back."""
    sign = -1 if row.charged_minor < 0 else 1
    ours_minor = sign * policy.at_provider(row.back_amount, row.back_currency)
    verdict, cause = _compared(
        (ours_minor, row.back_currency), (row.charged_minor, row.charged_currency)
    )
    return Line(
        verdict=verdict,
        cause=cause,
        kind=row.kind,
        payment_id=row.payment_id,
        payment_ref=row.payment_ref,
        transaction_ref=row.transaction_ref,
        ours_minor=ours_minor,
        ours_currency=row.back_currency,
        theirs_minor=row.charged_minor,
        theirs_currency=row.charged_currency,
        settled_at=row.back_settled_at,
        created_at=row.created_at,
    )


def _compared(ours: tuple[int, str], theirs: tuple[int, str]) -> tuple[Verdict, str | None]:
    if ours[1] != theirs[1]:
        return "amounts_differ", "currency_differs"
    return ("matched", None) if ours == theirs else ("amounts_differ", "amount_differs")


def _verdict(
    span: Span, row: Row[Any], ours_minor: int | None, *, is_second: bool
) -> tuple[Verdict, str | None]:
    if ours_minor is None:
        cause = policy.cause_of_theirs(kind=row.kind, ours=row.status, is_second=is_second)
        return "theirs_only", cause
    if not row.has_theirs:
        if row.transaction_ref is not None:
            return "ours_only", "theirs_in_other_month"
        return "ours_only", cause_of_ours(span, row.settled_at)
    return _compared((ours_minor, row.currency), (row.charged_minor, row.charged_currency))


def cause_of_ours(span: Span, at: datetime) -> str:
    """Why something of ours has no movement beside it in any month."""
    is_fetched = span.fetched_until is not None and at < span.fetched_until
    return "unknown_to_provider" if is_fetched else "not_fetched_yet"
