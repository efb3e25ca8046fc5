"""Plans, the subscriptions to them, and each paid interval."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Store
from kernel.db import Base
from payments.models import Card, Payment
from vouchers.models import OfferVersion, OrderItem


class PlanSchedule(Base):
    """What makes an offer a plan: how often it renews, and how a failed charge is retried.

    `dunning_days` are the waits between attempts: {2,5,7,7} makes five attempts in all.
    `grace_days` is how long after a period's end a late renewal still counts, and may happen.
    """

    __tablename__ = "plan_schedule"
    __table_args__ = (
        CheckConstraint("every_count > 0", "every_count_positive"),
        CheckConstraint("every_unit IN ('day', 'week', 'month', 'year')", "every_unit_known"),
        CheckConstraint("grace_days >= 0", "grace_not_negative"),
    )

    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id), primary_key=True)
    every_count: Mapped[int]
    every_unit: Mapped[str]
    grace_days: Mapped[int]
    dunning_days: Mapped[list[int]] = mapped_column(ARRAY(INTEGER))


class Subscription(Base):
    """A member's plan. `due_at` is when something must be done about it; NULL once it ended.

    active → past_due → active | lapsed; active → cancelled at a period's end.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'past_due', 'cancelled', 'lapsed')", "status_known"),
        CheckConstraint("(due_at IS NULL) = (ended_at IS NOT NULL)", "ended_is_never_due"),
        CheckConstraint(
            "(ended_at IS NULL) = (status IN ('active', 'past_due'))", "ended_has_time"
        ),
        Index("ix_subscription_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_subscription_member", "member_id", "id"),
        UniqueConstraint("order_item_id", "ordinal", name="uq_subscription_started_once"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(PlanSchedule.offer_version_id))
    order_item_id: Mapped[UUID] = mapped_column(ForeignKey(OrderItem.id))
    ordinal: Mapped[int] = mapped_column(default=1)
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey(Card.id))
    status: Mapped[str] = mapped_column(default="active")
    anchor_at: Mapped[datetime]
    time_zone: Mapped[str]
    due_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    cancel_at_end: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Period(Base):
    """One interval `[starts_at, ends_at)` of a subscription: due, then paid for once, or unpaid.

    `attempts` counts the attempts whose outcome is known; `payment_id` is the one whose outcome
    is not, and while it is there no other is begun. `retry_at` is when the next attempt is to be
    made, NULL when there is none left; at `lapses_at` it is too late. `asked_at` says since when
    the member is asked to authenticate the payment.
    """

    __tablename__ = "period"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", "ends_after_start"),
        CheckConstraint("status IN ('due', 'paid', 'unpaid')", "status_known"),
        CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", "paid_has_time"),
        CheckConstraint("number > 0 AND attempts >= 0", "counts_sane"),
        CheckConstraint(
            "status = 'due' OR (payment_id IS NULL AND retry_at IS NULL AND asked_at IS NULL)",
            "only_due_is_tried",
        ),
        CheckConstraint("retry_at <= lapses_at", "no_retry_after_lapse"),
        Index("uq_period_numbered", "subscription_id", "number", unique=True),
        Index("ix_period_ends", "ends_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey(Subscription.id))
    number: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey(Payment.id))
    asked_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    lapses_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]


class RenewalRate(Base):
    """A month's cohort: the periods that ended in it, and what became of them. Recomputed whole.

    `due` counts them; `on_time` were renewed at the first attempt, `renewed` by the end of grace.
    A cohort whose grace has not passed is not mature, and its rate is not yet a rate.
    """

    __tablename__ = "renewal_rate"
    __table_args__ = (
        PrimaryKeyConstraint("month_on", "offer_version_id"),
        CheckConstraint("0 <= on_time AND on_time <= renewed AND renewed <= due", "counts_nest"),
    )

    month_on: Mapped[date]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    due: Mapped[int]
    on_time: Mapped[int]
    renewed: Mapped[int]
    matures_at: Mapped[datetime]
    computed_at: Mapped[datetime]
