"""The whole of it for one month."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Row, Select, cast, func, select

from kernel.db import db
from payments import policy
from payments.gateway import CARDS
from payments.models import Payment
from payments.reconciliation.given_back import missing
from payments.reconciliation.held import held
from payments.reconciliation.lines import line_of, rows
from payments.reconciliation.payouts import payouts
from payments.reconciliation.shown import Charged, Line, Reconciliation, Verdict
from payments.reconciliation.span import Span, span_of


@dataclass(slots=True)
class _Sums:
    lines: Counter[Verdict] = field(default_factory=Counter)
    differences: list[Line] = field(default_factory=list)
    charged: dict[str, Charged] = field(default_factory=dict)
    cash: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def reconcile(*, month_first_on: date, next_on: date) -> Reconciliation:
    """Compare a month, `[month_first_on, next_on)` where the chain is, with the provider.

    Several statements: call it in a snapshot. What it costs grows with the month's payments and
    movements, not with the years before it.

    Raises:
        NotFound: the chain has not been set up yet.
    """
    span = span_of(month_first_on, next_on)
    sums = _Sums()
    for row in rows(span):
        _add(sums, span, row)
    for line in missing(span):
        _count(sums, line)
    for status, currency, amount in db.session.execute(_paid_elsewhere(span)):
        sums.cash[status][currency] += amount
    return Reconciliation(
        first_on=month_first_on,
        next_on=next_on,
        fetched_until=span.fetched_until,
        lines=dict(sums.lines),
        differences=sums.differences,
        charged=[sums.charged[currency] for currency in sorted(sums.charged)],
        held=held(span),
        payouts=payouts(span),
        cash_expected=dict(sums.cash["succeeded"]),
        surplus=dict(sums.cash["surplus"]),
    )


def reconciliation_lines(*, month_first_on: date, next_on: date) -> Iterator[Line]:
    """Every line of a month, matched ones too, in no order.

    They come as PostgreSQL finds them, any number in little memory, as long as the transaction is
    open.
    """
    span = span_of(month_first_on, next_on)
    for row in rows(span):
        yield line_of(span, row)
    yield from missing(span)


def _add(sums: _Sums, span: Span, row: Row[Any]) -> None:
    line = line_of(span, row)
    _count(sums, line)
    if line.kind == "charge" and line.ours_minor is not None and line.ours_currency is not None:
        _charged(sums, line.ours_currency).ours_minor += line.ours_minor
        sums.cash[row.status][line.ours_currency] += row.amount
    if line.kind == "charge" and line.theirs_minor is not None and line.theirs_currency:
        _charged(sums, line.theirs_currency).theirs_minor += line.theirs_minor


def _count(sums: _Sums, line: Line) -> None:
    sums.lines[line.verdict] += 1
    if line.verdict != "matched":
        sums.differences.append(line)


def _paid_elsewhere(span: Span) -> Select[str, str, int]:
    """What came in cash and at terminals: the balance at the provider of the cards has none."""
    return (
        select(Payment.status, Payment.currency, cast(func.sum(Payment.amount), BigInteger))
        .where(
            Payment.status.in_(policy.PAID),
            Payment.settled_at >= span.starts_at,
            Payment.settled_at < span.ends_at,
            Payment.provider != CARDS,
        )
        .group_by(Payment.status, Payment.currency)
    )


def _charged(sums: _Sums, currency: str) -> Charged:
    return sums.charged.setdefault(currency, Charged(currency))
