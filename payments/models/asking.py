"""What was asked of the payment provider, and what it told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Shift
from kernel.db import Base


class Customer(Base):
    """A member as the provider knows them."""

    __tablename__ = "customer"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_ref: Mapped[str] = mapped_column(unique=True)


class Card(Base):
    """A saved card: the provider's reference and what a shopper recognises it by."""

    __tablename__ = "card"
    __table_args__ = (UniqueConstraint("member_id", "provider_ref", name="uq_card_saved_once"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    provider_ref: Mapped[str]
    brand: Mapped[str]
    last4: Mapped[str]
    saved_at: Mapped[datetime]


class Payment(Base):
    """One attempt to be paid, for one purpose. Its id is the provider's idempotency key.

    intent → (requires_action | processing) → succeeded | failed | cancelled; or surplus: money
    that came for something already paid, to be given back. A purpose is paid for once, whatever
    crashes, and one attempt at a time is open. `amount` is in minor units of ours (whole dollars
    for TWD).

    `provider` is who was asked (`payments.gateway`), or `cash`. `method_ref`, `keeps_card` and
    `is_off_session` are what it was asked, so that asking again under the same key asks the same.
    At a counter `method_ref` is the terminal, and `shift_id` says who took the money. With
    `by_holder` the payer chooses how to pay in the provider's own form; `client_secret` opens it.
    `asked_at` is when the provider was first asked, by its clock and everybody's; `due_at` when to
    ask what became of it, by that of its member.
    `repaid` is what of it goes, or went, back to the payer.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("purpose", "purpose_id", "attempt", name="uq_payment_attempt"),
        Index(
            "uq_payment_paid_once",
            "purpose",
            "purpose_id",
            unique=True,
            postgresql_where=text("status = 'succeeded'"),
        ),
        Index(
            "uq_payment_open_once",
            "purpose",
            "purpose_id",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        CheckConstraint("amount > 0", "amount_positive"),
        CheckConstraint(
            "status IN ('intent', 'requires_action', 'processing', 'succeeded', 'surplus',"
            " 'failed', 'cancelled')",
            "status_known",
        ),
        CheckConstraint(
            "(settled_at IS NULL) = (status IN ('intent', 'requires_action', 'processing'))",
            "settled_has_time",
        ),
        CheckConstraint("settled_at IS NULL OR due_at IS NULL", "settled_is_never_due"),
        CheckConstraint(
            "asked_at IS NULL OR method_ref IS NOT NULL OR by_holder", "asked_names_method"
        ),
        CheckConstraint("repaid BETWEEN 0 AND amount", "repaid_within_amount"),
        CheckConstraint("repaid = 0 OR status IN ('succeeded', 'surplus')", "only_paid_is_repaid"),
        CheckConstraint("provider <> 'cash' OR shift_id IS NOT NULL", "cash_has_shift"),
        Index("ix_payment_shift", "shift_id", postgresql_where=text("shift_id IS NOT NULL")),
        Index("ix_payment_member", "member_id", "id"),
        Index("ix_payment_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "ix_payment_paid",
            "settled_at",
            postgresql_where=text("status IN ('succeeded', 'surplus')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    purpose: Mapped[str]
    purpose_id: Mapped[UUID]
    attempt: Mapped[int]
    provider: Mapped[str] = mapped_column(default="stripe")
    shift_id: Mapped[UUID | None] = mapped_column(ForeignKey(Shift.id))
    amount: Mapped[int]
    repaid: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str]
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey(Card.id))
    method_ref: Mapped[str | None]
    keeps_card: Mapped[bool] = mapped_column(default=False)
    is_off_session: Mapped[bool] = mapped_column(default=False)
    by_holder: Mapped[bool] = mapped_column(default=False)
    provider_ref: Mapped[str | None] = mapped_column(unique=True)
    client_secret: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="intent")
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class ProviderEvent(Base):
    """The inbox. An event is a hint: the object itself is fetched before anything is believed.

    `body` is the event's envelope without its object, which may hold what is personal.
    """

    __tablename__ = "provider_event"
    __table_args__ = (
        CheckConstraint("NOT is_open OR done_at IS NULL", "done_is_not_open"),
        Index("ix_provider_event_undone", "due_at", postgresql_where=text("is_open")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    object_ref: Mapped[str | None]
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    is_open: Mapped[bool] = mapped_column(default=True)
    tries: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
