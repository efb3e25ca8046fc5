"""Changes of plan: of one subscription, or of everybody who is on an old version."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Staff
from kernel.db import Base
from payments.models import Payment
from subs.models.plan import PlanSchedule
from subs.models.subscription import Period, Subscription
from vouchers.models import OfferVersion


class PlanChange(Base):
    """A member changes to another plan within a period that is paid, at once (E6).

    `amount` is what it costs, prorated, VAT included: charged where it is above zero, given back
    where it is below. asked → applied, or failed where the card was refused; while it is asked,
    `payment_id` is the attempt whose outcome is not known.
    """

    __tablename__ = "plan_change"
    __table_args__ = (
        CheckConstraint("status IN ('asked', 'applied', 'failed')", "status_known"),
        CheckConstraint("(status = 'asked') = (settled_at IS NULL)", "settled_has_time"),
        CheckConstraint("days > 0 AND days_left BETWEEN 0 AND days", "days_sane"),
        CheckConstraint("amount = net + vat", "vat_adds_up"),
        Index(
            "uq_plan_change_asked",
            "subscription_id",
            unique=True,
            postgresql_where=text("status = 'asked'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey(Subscription.id))
    member_id: Mapped[UUID]
    period_id: Mapped[UUID] = mapped_column(ForeignKey(Period.id))
    from_version_id: Mapped[UUID] = mapped_column(ForeignKey(PlanSchedule.offer_version_id))
    to_version_id: Mapped[UUID] = mapped_column(ForeignKey(PlanSchedule.offer_version_id))
    days: Mapped[int]
    days_left: Mapped[int]
    amount: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default="asked")
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey(Payment.id))
    asked_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class PlanMigration(Base):
    """Everybody on an old version of a plan gets a newer one, with the first period from `from_at`.

    Where there is none, who bought an old version keeps it (grandfathering). One person proposes
    it and another approves it; then members are told (`announced_at`), and may cancel before. They
    are told in sets, in the order of subscriptions, up to `told_to` so far.
    """

    __tablename__ = "plan_migration"
    __table_args__ = (
        Index(
            "uq_plan_migration_from",
            "from_version_id",
            unique=True,
            postgresql_where=text("rejected_at IS NULL"),
        ),
        CheckConstraint("(rejected_at IS NULL) = (rejected_by_id IS NULL)", "rejected_by_somebody"),
        CheckConstraint("approved_at IS NULL OR rejected_at IS NULL", "approved_or_rejected"),
        CheckConstraint("from_version_id <> to_version_id", "goes_somewhere"),
        CheckConstraint("approved_by_id <> proposed_by_id", "two_people_agree"),
        CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", "approved_by_somebody"),
        CheckConstraint("announced_at IS NULL OR approved_at IS NOT NULL", "told_once_approved"),
        Index(
            "ix_plan_migration_untold",
            "approved_at",
            postgresql_where=text("approved_at IS NOT NULL AND announced_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    from_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    to_version_id: Mapped[UUID] = mapped_column(ForeignKey(PlanSchedule.offer_version_id))
    from_at: Mapped[datetime]
    proposed_by_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id))
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    approved_at: Mapped[datetime | None]
    rejected_by_id: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    rejected_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    told_to: Mapped[UUID | None]
