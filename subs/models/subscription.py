"""Subscriptions, what happened to them, and each interval that is paid for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Store
from kernel.db import Base
from payments.models import Card, Payment
from subs.models.plan import PlanSchedule
from vouchers.models import OrderItem

LIVE = ("trialing", "active", "past_due", "paused")
ENDED = ("cancelled", "lapsed")


class Subscription(Base):
    """A member's plan. `due_at` is when something must be done about it; NULL once it ended.

    `subs.life` says which status follows which, and is the only place that changes it.

    Period `anchor_number` begins at `anchor_at`, and each other one so many intervals from there: a
    trial, a pause and a late renewal that is not back-dated move the anchor, nothing else does.
    `channel` and `store_id` are of its sale. With `cancel_at_end` it ends with the period that is
    paid; `next_version_id` are the terms of the next one, where the member changes at its end; a
    pause that begins at `pauses_at` (the end of a period) ends at `resumes_at`. `tells_at` is when
    their daily message is due; NULL where they did not ask for one.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint(
            "status IN ('trialing', 'active', 'past_due', 'paused', 'cancelled', 'lapsed')",
            "status_known",
        ),
        CheckConstraint("(due_at IS NULL) = (ended_at IS NOT NULL)", "ended_is_never_due"),
        CheckConstraint(
            "(ended_at IS NULL) = (status NOT IN ('cancelled', 'lapsed'))", "ended_has_time"
        ),
        CheckConstraint("(pauses_at IS NULL) = (resumes_at IS NULL)", "pause_has_two_ends"),
        CheckConstraint("pauses_at < resumes_at", "pause_has_length"),
        CheckConstraint("status <> 'paused' OR pauses_at IS NOT NULL", "paused_until_a_time"),
        CheckConstraint("channel IN ('web', 'app', 'counter')", "channel_known"),
        CheckConstraint("anchor_number >= 0", "anchor_number_sane"),
        Index("ix_subscription_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_subscription_member", "member_id", "id"),
        Index(
            "ix_subscription_version",
            "offer_version_id",
            "id",
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_subscription_telling",
            "tells_at",
            postgresql_where=text("tells_at IS NOT NULL AND ended_at IS NULL"),
        ),
        UniqueConstraint("order_item_id", "ordinal", name="uq_subscription_started_once"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(PlanSchedule.offer_version_id))
    order_item_id: Mapped[UUID] = mapped_column(ForeignKey(OrderItem.id))
    ordinal: Mapped[int | None] = mapped_column(default=1)
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    channel: Mapped[str] = mapped_column(default="app")
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey(Card.id))
    status: Mapped[str] = mapped_column(default="active")
    anchor_at: Mapped[datetime]
    anchor_number: Mapped[int] = mapped_column(default=1)
    time_zone: Mapped[str]
    due_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    cancel_at_end: Mapped[bool] = mapped_column(default=False)
    cancel_reason: Mapped[str | None]
    next_version_id: Mapped[UUID | None] = mapped_column(ForeignKey(PlanSchedule.offer_version_id))
    pauses_at: Mapped[datetime | None]
    resumes_at: Mapped[datetime | None]
    tells_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SubscriptionEvent(Base):
    """One thing that happened to a subscription, with its cause. Only ever added to.

    `from_status` is none for the beginning; both are the same where the status did not change (a
    cancelling was asked for, a card replaced).
    """

    __tablename__ = "subscription_event"
    __table_args__ = (
        CheckConstraint("cause <> ''", "has_a_cause"),
        Index("ix_subscription_event_history", "subscription_id", "id"),
        Index("ix_subscription_event_at", "at", postgresql_using="brin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey(Subscription.id))
    member_id: Mapped[UUID]
    at: Mapped[datetime]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    cause: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Period(Base):
    """One interval `[starts_at, ends_at)` of a subscription: due, then paid for once, or unpaid.

    Number 0 is a trial. It costs `price`, VAT included, by the terms of `offer_version_id`; `net`
    and `vat` are known once it is paid. `attempts` counts the attempts whose outcome is known;
    `payment_id` is the one whose outcome is not, and while it is there no other is begun.
    `retry_at` is when the next attempt is to be made, NULL when there is none left; at `lapses_at`
    it is too late. `asked_at` says since when the member is asked to authenticate the payment.
    `grant_at` is when further cups of a paid one are granted.
    """

    __tablename__ = "period"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", "ends_after_start"),
        CheckConstraint("status IN ('due', 'paid', 'unpaid')", "status_known"),
        CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", "paid_has_time"),
        CheckConstraint("number >= 0 AND attempts >= 0", "counts_sane"),
        CheckConstraint("price >= 0 AND (number > 0 OR price = 0)", "trial_is_free"),
        CheckConstraint(
            "(net IS NULL) = (vat IS NULL) AND (net IS NULL) = (status <> 'paid')"
            " AND net >= 0 AND vat >= 0 AND net + vat = price",
            "vat_adds_up",
        ),
        CheckConstraint(
            "status = 'due' OR (payment_id IS NULL AND retry_at IS NULL AND asked_at IS NULL)",
            "only_due_is_tried",
        ),
        CheckConstraint("retry_at <= lapses_at", "no_retry_after_lapse"),
        CheckConstraint("grant_at IS NULL OR status = 'paid'", "only_paid_is_granted"),
        Index("uq_period_numbered", "subscription_id", "number", unique=True),
        Index("ix_period_ends", "ends_at"),
        Index("ix_period_grant", "grant_at", postgresql_where=text("grant_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey(Subscription.id))
    number: Mapped[int]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(PlanSchedule.offer_version_id))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str]
    price: Mapped[int]
    net: Mapped[int | None]
    vat: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey(Payment.id))
    asked_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    lapses_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    grant_at: Mapped[datetime | None]
