"""By payout: what the bank got beside the sum of what went out with it."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, cast, func, select, true

from kernel.db import db
from payments import policy
from payments.models import BalanceTransaction, Payout
from payments.reconciliation.shown import PaidOut
from payments.reconciliation.span import Span


def payouts(span: Span) -> Sequence[PaidOut]:
    item = BalanceTransaction
    items = (
        select(
            cast(func.coalesce(func.sum(item.net_minor), 0), BigInteger).label("net_minor"),
            func.count().label("number"),
        )
        .where(item.payout_ref == Payout.provider_ref)
        .lateral()
    )
    made = (
        select(Payout, items.c.net_minor, items.c.number)
        .join(items, true())
        .where(Payout.created_at >= span.starts_at, Payout.created_at < span.ends_at)
        .order_by(Payout.created_at, Payout.provider_ref)
    )
    return [_paid_out(*row) for row in db.session.execute(made)]


def _paid_out(payout: Payout, items_minor: int, items: int) -> PaidOut:
    return PaidOut(
        payout_ref=payout.provider_ref,
        status=payout.status,
        currency=payout.currency,
        amount_minor=payout.amount_minor,
        items_minor=items_minor,
        items=items,
        created_at=payout.created_at,
        arrives_at=payout.arrives_at,
        cause=policy.cause_of_payout(
            difference_minor=payout.amount_minor - items_minor,
            currency=payout.currency,
            is_itemised=payout.is_itemised,
            is_listed=payout.items_kept_at is not None,
        ),
    )
