"""What was counted of the plans, by month, version of a plan, store and channel of the sign-up.

Every row follows from subscriptions, their history and their periods, and is thrown away and
counted anew; nothing refers to one.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Store
from kernel.db import Base
from vouchers.models import OfferVersion

CELL = ("month_on", "offer_version_id", "store_id", "channel")
"""The key of a cell: with these every table begins."""


class PlanCount(Base):
    """When all months were counted last (`all`), and when those that can still change (`open`)."""

    __tablename__ = "plan_count"
    __table_args__ = (CheckConstraint("reach IN ('all', 'open')", "reach_known"),)

    reach: Mapped[str] = mapped_column(primary_key=True)
    counted_at: Mapped[datetime]


class _Cell:
    """Where a figure belongs."""

    month_on: Mapped[date]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    channel: Mapped[str]


class PlanRenewal(_Cell, Base):
    """The periods whose renewal fell due in a month, and what became of them.

    `on_time` were renewed without dunning, `renewed` by the end of grace. Before `matures_at`
    this is not yet a rate.
    """

    __tablename__ = "plan_renewal"
    __table_args__ = (
        PrimaryKeyConstraint(*CELL),
        CheckConstraint("0 <= on_time AND on_time <= renewed AND renewed <= due", "counts_nest"),
    )

    due: Mapped[int]
    on_time: Mapped[int]
    renewed: Mapped[int]
    matures_at: Mapped[datetime]


class PlanReport(_Cell, Base):
    """Yearly plans due 7 to 18 months before the end of a month, and those renewed by that end."""

    __tablename__ = "plan_report"
    __table_args__ = (
        PrimaryKeyConstraint(*CELL),
        CheckConstraint("0 <= renewed AND renewed <= due", "counts_nest"),
    )

    due: Mapped[int]
    renewed: Mapped[int]


class PlanRevenue(_Cell, Base):
    """Monthly recurring revenue at both ends of a month, and every movement between them.

    In minor units without VAT. `moved` came from (or, below zero, went to) another plan or version:
    over all of them it adds up to nothing.
    """

    __tablename__ = "plan_revenue"
    __table_args__ = (
        PrimaryKeyConstraint(*CELL),
        CheckConstraint(
            "opening + new + reactivation + expansion - contraction - churn + moved = closing",
            "movements_add_up",
        ),
        CheckConstraint(
            "opening_count + new_count + reactivated_count - churned_count + moved_count"
            " = closing_count",
            "counts_add_up",
        ),
    )

    currency: Mapped[str]
    opening: Mapped[int]
    new: Mapped[int]
    reactivation: Mapped[int]
    expansion: Mapped[int]
    contraction: Mapped[int]
    churn: Mapped[int]
    moved: Mapped[int]
    closing: Mapped[int]
    opening_count: Mapped[int]
    new_count: Mapped[int]
    reactivated_count: Mapped[int]
    churned_count: Mapped[int]
    moved_count: Mapped[int]
    closing_count: Mapped[int]


class PlanTrial(_Cell, Base):
    """The trials that began in a month: those that were paid for, and those not decided yet."""

    __tablename__ = "plan_trial"
    __table_args__ = (
        PrimaryKeyConstraint(*CELL),
        CheckConstraint(
            "converted >= 0 AND undecided >= 0 AND converted + undecided <= started", "counts_nest"
        ),
    )

    started: Mapped[int]
    converted: Mapped[int]
    undecided: Mapped[int]


class PlanDunning(_Cell, Base):
    """The subscriptions that became past due in a month: recovered, or not decided yet."""

    __tablename__ = "plan_dunning"
    __table_args__ = (
        PrimaryKeyConstraint(*CELL),
        CheckConstraint(
            "recovered >= 0 AND undecided >= 0 AND recovered + undecided <= begun", "counts_nest"
        ),
    )

    begun: Mapped[int]
    recovered: Mapped[int]
    undecided: Mapped[int]


class PlanEnding(_Cell, Base):
    """The subscriptions that ended in a month, by the cause and the reason that was given."""

    __tablename__ = "plan_ending"
    __table_args__ = (PrimaryKeyConstraint(*CELL, "cause", "reason"),)

    cause: Mapped[str]
    reason: Mapped[str]
    ended: Mapped[int]


class PlanCohort(_Cell, Base):
    """Who signed up in a month (`cohort_on`), and at which age they ended.

    Age 0 counts the sign-ups, in the month of them. Another counts who ended in `month_on` within
    so many months of their sign-up, and not within one less.
    """

    __tablename__ = "plan_cohort"
    __table_args__ = (
        PrimaryKeyConstraint(*CELL, "cohort_on", "age"),
        CheckConstraint("age >= 0 AND (age > 0 OR cohort_on = month_on)", "age_sane"),
    )

    cohort_on: Mapped[date]
    age: Mapped[int]
    subscriptions: Mapped[int]
