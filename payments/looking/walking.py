"""Walking through one provider's lists, page by page, and through ours for what they lack."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select

from kernel import clock
from kernel.db import db
from kernel.transaction import again, transaction
from payments import policy
from payments.errors import UnknownToProvider
from payments.exchanged import Page, SeenDispute
from payments.gateway import CARDS, cards, provider
from payments.looking.comparing import (
    compare_payments,
    compare_repayments,
    note_missing_payment,
    note_missing_repayment,
)
from payments.models import Dispute, Payment, PaymentDifference, Repayment
from payments.service.differences import clear, note_dispute
from payments.service.dispute import record_dispute

_PAGE = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Span:
    """What is looked at: `[since, until)` of a provider. `goes_on` is called after each page."""

    provider: str
    since: datetime
    until: datetime
    goes_on: Callable[[], None]


def walk_payments(span: Span) -> set[str]:
    """Compare the payments that a provider shows of a span; answer their references.

    Of all that is kept in memory only these grow with the span: that of an hour, usually.
    """
    seen: set[str] = set()
    for page in _pages(span, provider(span.provider).list_payments):
        _in_transaction(lambda now: compare_payments(span.provider, page, now=now))  # noqa: B023
        seen.update(one.ref for one in page if one.ref is not None)
        span.goes_on()
    return seen


def walk_missing_payments(span: Span, *, seen: set[str]) -> None:
    """Ask for each payment of ours that the provider did not show: it was made earlier, or not."""
    for payment in _missing(_paid(span), Payment.provider_ref, Payment.id, seen):
        look_at_payment(span.provider, str(payment.provider_ref), payment_id=payment.id)
        span.goes_on()


def walk_repayments(span: Span) -> set[str]:
    """Compare the repayments that a provider shows of a span; answer their references."""
    seen: set[str] = set()
    for page in _pages(span, provider(span.provider).list_repayments):
        _in_transaction(lambda now: compare_repayments(span.provider, page, now=now))  # noqa: B023
        seen.update(one.ref for one in page if one.ref is not None)
        span.goes_on()
    return seen


def walk_missing_repayments(span: Span, *, seen: set[str]) -> None:
    """Ask for each repayment of ours that the provider did not show."""
    for repayment in _missing(_repaid(span), Repayment.provider_ref, Repayment.id, seen):
        ref = str(repayment.provider_ref)
        look_at_repayment(span.provider, ref, repayment_id=repayment.id)
        span.goes_on()


def walk_disputes(span: Span) -> None:
    """Write down the disputes of a span; only the provider of the cards has any."""
    if span.provider != CARDS:
        return
    for page in _pages(span, cards().list_disputes):
        for one in page:
            _in_transaction(lambda now: _record(one, now))  # noqa: B023
        span.goes_on()


def walk_open_disputes(span: Span) -> None:
    """Ask what has become of every dispute that was open when it was last heard of."""
    if span.provider != CARDS:
        return
    still_open = select(Dispute).where(Dispute.status == "open")
    for dispute in _each(still_open, Dispute.id):
        look_at_dispute(dispute.provider_ref)
        span.goes_on()


def walk_differences(span: Span) -> None:
    """Look again at every difference that was noted: both sides may be the same by now."""
    of = PaymentDifference
    noted = select(of).where(of.provider == span.provider, of.gone_at.is_(None))
    for one in _each(noted, of.id):
        if one.kind == "dispute_unknown_to_us":
            look_at_dispute(one.ref)
        elif one.kind.startswith("repayment_"):
            look_at_repayment(span.provider, one.ref, repayment_id=one.repayment_id)
        else:
            look_at_payment(span.provider, one.ref, payment_id=one.payment_id)
        span.goes_on()


def look_at_payment(name: str, ref: str, *, payment_id: UUID | None) -> None:
    """Compare one payment, wherever in time it was made."""
    try:
        seen = provider(name).get_intent(ref)
    except UnknownToProvider:
        _in_transaction(lambda now: note_missing_payment(name, ref, payment_id, now=now))
        return
    _in_transaction(lambda now: compare_payments(name, [seen], now=now))


def look_at_repayment(name: str, ref: str, *, repayment_id: UUID | None) -> None:
    """Compare one repayment, wherever in time it was made."""
    try:
        seen = provider(name).get_repayment(ref)
    except UnknownToProvider:
        _in_transaction(lambda now: note_missing_repayment(name, ref, repayment_id, now=now))
        return
    _in_transaction(lambda now: compare_repayments(name, [seen], now=now))


def look_at_dispute(ref: str) -> None:
    """Bring one dispute to what the provider shows; one of another account stays as it is."""
    try:
        seen = cards().get_dispute(ref)
    except UnknownToProvider:
        return
    _in_transaction(lambda now: _record(seen, now))


def _record(seen: SeenDispute, now: datetime) -> None:
    if record_dispute(seen, now=now) is not None:
        clear(provider=CARDS, refs=[seen.ref], kinds=["dispute_unknown_to_us"], now=now)
    elif seen.status != "inquiry":
        note_dispute(seen, now=now)


def _paid(span: Span) -> Select[Payment]:
    """What was paid in a span: it was made then or before."""
    return select(Payment).where(
        Payment.provider == span.provider,
        Payment.status.in_(policy.PAID),
        Payment.settled_at >= span.since,
        Payment.settled_at < span.until,
    )


def _repaid(span: Span) -> Select[Repayment]:
    """What was given back, of what was begun in a span."""
    return select(Repayment).where(
        Repayment.provider == span.provider,
        Repayment.status == "succeeded",
        Repayment.id >= policy.first_id(span.since),
        Repayment.id < policy.first_id(span.until),
    )


def _pages(span: Span, ask: Callable[..., Page[T]]) -> Iterator[Sequence[T]]:
    after: str | None = None
    while True:
        page = ask(since=span.since, until=span.until, after=after)
        yield page.items
        after = page.next_after
        if after is None:
            return


def _missing(ours: Select[T], ref: Any, ours_id: Any, seen: set[str]) -> Iterator[T]:
    """Those of ours that were not seen; a page of them at a time."""
    for one in _each(ours.where(ref.is_not(None)), ours_id):
        if getattr(one, ref.key) not in seen:
            yield one


def _each(wanted: Select[T], ours_id: Any) -> Iterator[T]:
    """Rows in the order of their ids, a page in a transaction of its own."""
    last: UUID | None = None
    while True:
        page = again(lambda: _page(wanted, ours_id, last))  # noqa: B023
        yield from page
        if len(page) < _PAGE:
            return
        last = getattr(page[-1], ours_id.key)


def _page(wanted: Select[T], ours_id: Any, last: UUID | None) -> Sequence[T]:
    further = wanted if last is None else wanted.where(ours_id > last)
    with transaction():
        return db.session.scalars(further.order_by(ours_id).limit(_PAGE)).all()


def _in_transaction(work: Callable[[datetime], None]) -> None:
    def once() -> None:
        now = clock.now()
        with transaction():
            work(now)

    again(once)
