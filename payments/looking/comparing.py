"""Holding some of a provider's list against ours."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from payments import policy
from payments.exchanged import Intent, SeenRepayment
from payments.models import Payment, Repayment
from payments.service.differences import clear, note
from payments.service.record import record
from payments.service.record_repayment import record_repayment

PAYMENT_KINDS = ("unknown_to_us", "unknown_to_provider", "amount_differs", "status_differs")
REPAYMENT_KINDS = (
    "repayment_unknown_to_us",
    "repayment_unknown_to_provider",
    "repayment_differs",
)


def compare_payments(provider: str, seen: Sequence[Intent], *, now: datetime) -> None:
    """Repair payments from what a provider shows, or note how they differ; in a transaction.

    The same are those that name the id of one that this provider was asked for, and have its
    amount, in its currency.
    """
    ids = {one.payment_id for one in seen if one.payment_id is not None}
    asked = select(Payment).where(Payment.id.in_(ids), Payment.provider == provider)
    found = db.session.scalars(asked) if ids else ()
    ours = {payment.id: payment for payment in found}
    agreeing = []
    for one in seen:
        payment = ours.get(one.payment_id) if one.payment_id is not None else None
        kind = _difference_of_payment(payment, one, now)
        if kind is None and one.ref is not None:
            agreeing.append(one.ref)
        elif kind is not None and one.ref is not None:
            _note_payment(provider, kind, one, payment, now)
    clear(provider=provider, refs=agreeing, kinds=PAYMENT_KINDS, now=now)


def compare_repayments(provider: str, seen: Sequence[SeenRepayment], *, now: datetime) -> None:
    """Repair repayments from what a provider shows, or note how they differ; in a transaction."""
    ids = {one.repayment_id for one in seen if one.repayment_id is not None}
    asked = select(Repayment).where(Repayment.id.in_(ids), Repayment.provider == provider)
    found = db.session.scalars(asked) if ids else ()
    ours = {repayment.id: repayment for repayment in found}
    paid = _payments_of(seen)
    agreeing = []
    for one in seen:
        repayment = ours.get(one.repayment_id) if one.repayment_id is not None else None
        kind = _difference_of_repayment(repayment, one, now)
        if kind is None and one.ref is not None:
            agreeing.append(one.ref)
        elif kind is not None and one.ref is not None:
            payment_id = paid.get(one.payment_ref or "")
            _note_repayment(provider, kind, one, repayment, payment_id, now)
    clear(provider=provider, refs=agreeing, kinds=REPAYMENT_KINDS, now=now)


def note_missing_payment(
    provider: str, ref: str, payment_id: UUID | None, *, now: datetime
) -> None:
    """Note that a provider knows nothing of a payment that it once showed; in a transaction."""
    payment = db.session.get(Payment, payment_id) if payment_id is not None else None
    note(
        provider=provider,
        kind="unknown_to_provider",
        ref=ref,
        now=now,
        payment_id=payment_id,
        theirs=None,
        ours=_shown(payment),
    )


def note_missing_repayment(
    provider: str, ref: str, repayment_id: UUID | None, *, now: datetime
) -> None:
    """Note that a provider knows nothing of a repayment that it once showed; in a transaction."""
    repayment = db.session.get(Repayment, repayment_id) if repayment_id is not None else None
    note(
        provider=provider,
        kind="repayment_unknown_to_provider",
        ref=ref,
        now=now,
        payment_id=repayment.payment_id if repayment else None,
        repayment_id=repayment_id,
        theirs=None,
        ours=_shown(repayment),
    )


def _difference_of_payment(payment: Payment | None, seen: Intent, now: datetime) -> str | None:
    has_money = seen.status == "succeeded"
    if payment is None or payment.provider_ref not in (None, seen.ref):
        return "unknown_to_us" if has_money else None  # what took no money is nobody's business
    if (payment.amount, payment.currency) != (seen.amount, seen.currency):
        return "amount_differs"
    if payment.provider_ref is None or policy.moved(payment.status, seen.status) != payment.status:
        payment = record(payment_id=payment.id, seen=seen, now=now)
    return None if (payment.status in policy.PAID) == has_money else "status_differs"


def _difference_of_repayment(
    repayment: Repayment | None, seen: SeenRepayment, now: datetime
) -> str | None:
    if repayment is None or repayment.provider_ref not in (None, seen.ref):
        return None if seen.status == "failed" else "repayment_unknown_to_us"
    if repayment.amount != seen.amount or seen.currency not in (None, repayment.currency):
        return "repayment_differs"
    is_news = policy.returned(repayment.status, seen.status) != repayment.status
    if repayment.provider_ref is None or is_news:
        repayment = record_repayment(repayment_id=repayment.id, seen=seen, now=now)
    is_same = repayment.status == seen.status
    return None if is_same else "repayment_differs"


def _payments_of(seen: Sequence[SeenRepayment]) -> Mapping[str, UUID]:
    refs = {one.payment_ref for one in seen if one.payment_ref is not None}
    if not refs:
        return {}
    known = select(Payment.provider_ref, Payment.id).where(Payment.provider_ref.in_(refs))
    return {ref: payment_id for ref, payment_id in db.session.execute(known) if ref is not None}


def _note_payment(
    provider: str, kind: str, seen: Intent, payment: Payment | None, now: datetime
) -> None:
    assert seen.ref is not None
    others = [one for one in PAYMENT_KINDS if one != kind]
    clear(provider=provider, refs=[seen.ref], kinds=others, now=now)
    note(
        provider=provider,
        kind=kind,
        ref=seen.ref,
        now=now,
        payment_id=payment.id if payment else None,
        theirs={"amount": seen.amount, "currency": seen.currency, "status": seen.status},
        ours=_shown(payment),
    )


def _note_repayment(  # noqa: PLR0917  both sides, and where they meet
    provider: str,
    kind: str,
    seen: SeenRepayment,
    repayment: Repayment | None,
    payment_id: UUID | None,
    now: datetime,
) -> None:
    assert seen.ref is not None
    others = [one for one in REPAYMENT_KINDS if one != kind]
    clear(provider=provider, refs=[seen.ref], kinds=others, now=now)
    note(
        provider=provider,
        kind=kind,
        ref=seen.ref,
        now=now,
        payment_id=repayment.payment_id if repayment else payment_id,
        repayment_id=repayment.id if repayment else None,
        theirs={"amount": seen.amount, "currency": seen.currency, "status": seen.status},
        ours=_shown(repayment),
    )


def _shown(ours: Payment | Repayment | None) -> dict[str, object] | None:
    if ours is None:
        return None
    return {"amount": ours.amount, "currency": ours.currency, "status": ours.status}
