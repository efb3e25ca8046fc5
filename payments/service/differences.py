"""What a provider's list and ours say differently: found, and gone again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from kernel.db import db
from kernel.ids import new_id
from payments.exchanged import SeenDispute
from payments.gateway import CARDS
from payments.models import PaymentDifference


def note(
    *,
    provider: str,
    kind: str,
    ref: str,
    now: datetime,
    payment_id: UUID | None = None,
    repayment_id: UUID | None = None,
    **facts: object,
) -> None:
    """Note a difference, in the caller's transaction; one that is noted already stays as it was."""
    row = insert(PaymentDifference).values(
        id=new_id(),
        provider=provider,
        kind=kind,
        ref=ref,
        payment_id=payment_id,
        repayment_id=repayment_id,
        facts=facts,
        found_at=now,
    )
    db.session.execute(
        row.on_conflict_do_nothing(
            index_elements=["provider", "ref", "kind"],
            index_where=PaymentDifference.gone_at.is_(None),
        )
    )


def note_dispute(seen: SeenDispute, *, now: datetime) -> None:
    """Note a dispute of a payment that is not ours."""
    note(
        provider=CARDS,
        kind="dispute_unknown_to_us",
        ref=seen.ref,
        now=now,
        theirs={"amount": seen.amount, "currency": seen.currency, "status": seen.status},
        ours=None,
    )


def clear(*, provider: str, refs: Sequence[str], kinds: Sequence[str], now: datetime) -> None:
    """Say of differences that both sides are the same now, in the caller's transaction."""
    if not refs:
        return
    open_ones = (
        PaymentDifference.provider == provider,
        PaymentDifference.ref.in_(refs),
        PaymentDifference.kind.in_(kinds),
        PaymentDifference.gone_at.is_(None),
    )
    db.session.execute(update(PaymentDifference).where(*open_ones).values(gone_at=now))


Place = tuple[bool, datetime, UUID]
"""Of a difference in the list: whether it is gone, when it was found, and its id."""


def list_differences(*, after: Place | None, limit: int) -> Sequence[PaymentDifference]:
    """Differences from after a place: the open ones first, then the others; the newest first."""
    if after is not None and after[0]:
        return _listed(is_gone=True, after=after, limit=limit)
    still = _listed(is_gone=False, after=after, limit=limit)
    return [*still, *_listed(is_gone=True, after=None, limit=limit - len(still))]


def _listed(*, is_gone: bool, after: Place | None, limit: int) -> Sequence[PaymentDifference]:
    of = PaymentDifference
    listed = select(of).where(of.gone_at.is_not(None) if is_gone else of.gone_at.is_(None))
    if after is not None:
        listed = listed.where(tuple_(of.found_at, of.id) < after[1:])
    return db.session.scalars(listed.order_by(of.found_at.desc(), of.id.desc()).limit(limit)).all()
