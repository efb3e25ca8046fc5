"""In sums: how the balance at the provider moved, by currency."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Select, cast, func, select

from kernel.db import db
from payments.models import BalanceTransaction, ProviderDay
from payments.reconciliation.shown import Held
from payments.reconciliation.span import Span


def held(span: Span) -> Sequence[Held]:
    found: dict[str, Held] = {}
    for currency, opening, by_day in db.session.execute(_days(span)):
        found[currency] = Held(currency, opening_minor=opening, by_day_minor=by_day)
    for currency, kind, amount, fees in db.session.execute(_moved(span)):
        held = found.setdefault(currency, Held(currency))
        held.fees_minor += fees
        match kind:
            case "charge":
                held.charges_minor += amount
            case "refund":
                held.refunds_minor += amount
            case "dispute":
                held.disputes_minor += amount
            case "payout":
                held.paid_out_minor -= amount
            case _:
                held.other_minor += amount
    return [found[currency] for currency in sorted(found)]


def _days(span: Span) -> Select[str, int, int]:
    """By currency: the balance before the month, and at its end."""
    before = func.sum(ProviderDay.net_minor).filter(ProviderDay.day_on < span.first_on)
    until = func.sum(ProviderDay.net_minor)
    return (
        select(
            ProviderDay.currency,
            cast(func.coalesce(before, 0), BigInteger),
            cast(func.coalesce(until, 0), BigInteger),
        )
        .where(ProviderDay.day_on < span.next_on)
        .group_by(ProviderDay.currency)
    )


def _moved(span: Span) -> Select[str, str, int, int]:
    movement = BalanceTransaction
    return (
        select(
            movement.currency,
            movement.kind,
            cast(func.sum(movement.amount_minor), BigInteger),
            cast(func.sum(movement.fee_minor), BigInteger),
        )
        .where(movement.created_at >= span.starts_at, movement.created_at < span.ends_at)
        .group_by(movement.currency, movement.kind)
    )
