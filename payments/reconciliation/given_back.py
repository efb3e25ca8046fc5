"""Money that went back to its payers, and that no movement at the provider shows."""

from collections.abc import Iterator

from sqlalchemy import Select, exists, select

from kernel.db import db
from payments import policy
from payments.gateway import CARDS
from payments.models import BalanceTransaction, Payment, Repayment
from payments.reconciliation.lines import cause_of_ours
from payments.reconciliation.shown import Line
from payments.reconciliation.span import Span


def missing(span: Span) -> Iterator[Line]:
    """Each repayment that was begun in a span and is done, without a movement in any month."""
    found = db.session.execute(_unmoved(span), execution_options={"yield_per": 1_000})
    for repayment, payment_ref in found:
        yield _line_of(span, repayment, payment_ref)


def _unmoved(span: Span) -> Select[Repayment, str | None]:
    movement = BalanceTransaction
    is_there = exists().where(
        movement.payment_ref == Payment.provider_ref,
        movement.source_ref == Repayment.provider_ref,
    )
    return (
        select(Repayment, Payment.provider_ref)
        .join(Payment, Payment.id == Repayment.payment_id)
        .where(
            Repayment.id >= policy.first_id(span.starts_at),
            Repayment.id < policy.first_id(span.ends_at),
            Repayment.provider == CARDS,
            Repayment.status == "succeeded",
            ~is_there,
        )
    )


def _line_of(span: Span, repayment: Repayment, payment_ref: str | None) -> Line:
    return Line(
        verdict="ours_only",
        cause=cause_of_ours(span, repayment.settled_at or repayment.created_at),
        kind="refund",
        payment_id=repayment.payment_id,
        payment_ref=payment_ref,
        transaction_ref=None,
        ours_minor=-policy.at_provider(repayment.amount, repayment.currency),
        ours_currency=repayment.currency,
        theirs_minor=None,
        theirs_currency=None,
        settled_at=repayment.settled_at,
        created_at=None,
    )
