"""What makes an offer a plan."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base
from vouchers.models import OfferVersion


class PlanSchedule(Base):
    """The terms of a plan that a pack does not have. Like all terms they never change once sold.

    It renews `every_*`. An unpaid period is tried again after the waits of `dunning_days`
    ({2,5,7,7} makes five attempts in all), until `grace_days` after it began; with
    `benefits_in_grace` the last paid one stays good meanwhile. A period that is paid late keeps its
    dates, or (not `back_dates`) begins when it is paid, and the following ones with it.

    A trial of `trial_days` comes before the first period, costs nothing and gives `trial_cups`;
    with `trial_needs_card` only to who leaves a card. The first `intro_periods` periods cost
    `intro_price` each.

    Of unused cups `carry_over` moves into the next period none, as many as `carry_over_cap`, or
    all. Cups of a plan that costs nothing may be granted several times in a period, `grant_*`.
    `sharers` other members may collect from it. It may be paused for `most_pause_days` at a time
    (0: not at all). Who cancels at once gets back nothing, or (`prorated`) the part of the period
    that is left.
    """

    __tablename__ = "plan_schedule"
    __table_args__ = (
        CheckConstraint("every_count > 0", "every_count_positive"),
        CheckConstraint("every_unit IN ('day', 'week', 'month', 'year')", "every_unit_known"),
        CheckConstraint("grace_days >= 0", "grace_not_negative"),
        CheckConstraint("trial_days > 0 AND trial_cups >= 0", "trial_sane"),
        CheckConstraint("trial_days IS NOT NULL OR trial_cups = 0", "trial_cups_in_a_trial"),
        CheckConstraint(
            "(intro_price IS NULL) = (intro_periods IS NULL)"
            " AND intro_price >= 0 AND intro_periods > 0",
            "intro_sane",
        ),
        CheckConstraint("carry_over IN ('none', 'capped', 'all')", "carry_over_known"),
        CheckConstraint(
            "(carry_over = 'capped') = (carry_over_cap IS NOT NULL) AND carry_over_cap > 0",
            "cap_of_carry_over",
        ),
        CheckConstraint(
            "(grant_count IS NULL) = (grant_unit IS NULL) AND grant_count > 0"
            " AND grant_unit IN ('day', 'week', 'month', 'year')",
            "grant_span_sane",
        ),
        CheckConstraint("sharers BETWEEN 0 AND 20", "sharers_sane"),
        CheckConstraint("most_pause_days BETWEEN 0 AND 366", "pause_sane"),
        CheckConstraint("cancel_refund IN ('none', 'prorated')", "cancel_refund_known"),
    )

    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id), primary_key=True)
    every_count: Mapped[int]
    every_unit: Mapped[str]
    grace_days: Mapped[int]
    dunning_days: Mapped[list[int]] = mapped_column(ARRAY(INTEGER))
    benefits_in_grace: Mapped[bool] = mapped_column(default=False)
    back_dates: Mapped[bool] = mapped_column(default=True)
    trial_days: Mapped[int | None]
    trial_cups: Mapped[int] = mapped_column(default=0)
    trial_needs_card: Mapped[bool] = mapped_column(default=True)
    intro_price: Mapped[int | None]
    intro_periods: Mapped[int | None]
    carry_over: Mapped[str] = mapped_column(default="none")
    carry_over_cap: Mapped[int | None]
    grant_count: Mapped[int | None]
    grant_unit: Mapped[str | None]
    sharers: Mapped[int] = mapped_column(default=0)
    most_pause_days: Mapped[int] = mapped_column(default=0)
    cancel_refund: Mapped[str] = mapped_column(default="none")
