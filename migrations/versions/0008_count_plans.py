"""Statistics of plans: renewals, revenue, trials, dunning, endings and cohorts, by month."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008_count_plans"
down_revision: str | None = "0007_run_plans"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_CELL = ("month_on", "offer_version_id", "store_id", "channel")
_COUNTED = (
    "plan_renewal",
    "plan_report",
    "plan_revenue",
    "plan_trial",
    "plan_dunning",
    "plan_ending",
    "plan_cohort",
    "plan_count",
)


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of queueing every request behind it.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "plan_count",
        sa.Column("reach", sa.Text(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reach IN ('all', 'open')", name=op.f("ck_plan_count_reach_known")),
        sa.PrimaryKeyConstraint("reach", name=op.f("pk_plan_count")),
    )
    _create(
        "plan_renewal",
        *_whole("due", "on_time", "renewed"),
        sa.Column("matures_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= on_time AND on_time <= renewed AND renewed <= due",
            name=op.f("ck_plan_renewal_counts_nest"),
        ),
    )
    _create(
        "plan_report",
        *_whole("due", "renewed"),
        sa.CheckConstraint(
            "0 <= renewed AND renewed <= due", name=op.f("ck_plan_report_counts_nest")
        ),
    )
    _create(
        "plan_revenue",
        sa.Column("currency", sa.Text(), nullable=False),
        *_whole("opening", "new", "reactivation", "expansion", "contraction", "churn", "moved"),
        *_whole("closing", "opening_count", "new_count", "reactivated_count", "churned_count"),
        *_whole("moved_count", "closing_count"),
        sa.CheckConstraint(
            "opening + new + reactivation + expansion - contraction - churn + moved = closing",
            name=op.f("ck_plan_revenue_movements_add_up"),
        ),
        sa.CheckConstraint(
            "opening_count + new_count + reactivated_count - churned_count + moved_count = closing_count",
            name=op.f("ck_plan_revenue_counts_add_up"),
        ),
    )
    _create(
        "plan_trial",
        *_whole("started", "converted", "undecided"),
        sa.CheckConstraint(
            "converted >= 0 AND undecided >= 0 AND converted + undecided <= started",
            name=op.f("ck_plan_trial_counts_nest"),
        ),
    )
    _create(
        "plan_dunning",
        *_whole("begun", "recovered", "undecided"),
        sa.CheckConstraint(
            "recovered >= 0 AND undecided >= 0 AND recovered + undecided <= begun",
            name=op.f("ck_plan_dunning_counts_nest"),
        ),
    )
    _create(
        "plan_ending",
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *_whole("ended"),
        key=(*_CELL, "cause", "reason"),
    )
    _create(
        "plan_cohort",
        sa.Column("cohort_on", sa.Date(), nullable=False),
        *_whole("age", "subscriptions"),
        sa.CheckConstraint(
            "age >= 0 AND (age > 0 OR cohort_on = month_on)", name=op.f("ck_plan_cohort_age_sane")
        ),
        key=(*_CELL, "cohort_on", "age"),
    )
    op.create_index(
        "ix_subscription_event_at", "subscription_event", ["at"], postgresql_using="brin"
    )
    op.drop_table("renewal_rate")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "renewal_rate",
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("offer_version_id", sa.Uuid(), nullable=False),
        *_whole("due", "on_time", "renewed"),
        sa.Column("matures_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= on_time AND on_time <= renewed AND renewed <= due",
            name=op.f("ck_renewal_rate_counts_nest"),
        ),
        sa.ForeignKeyConstraint(
            ["offer_version_id"],
            ["offer_version.id"],
            name=op.f("fk_renewal_rate_offer_version_id_offer_version"),
        ),
        sa.PrimaryKeyConstraint("month_on", "offer_version_id", name=op.f("pk_renewal_rate")),
    )
    op.drop_index("ix_subscription_event_at", table_name="subscription_event")
    for table in _COUNTED:
        op.drop_table(table)


def _create(table: str, *columns: sa.schema.SchemaItem, key: tuple[str, ...] = _CELL) -> None:
    """Make a table of figures by month, version of a plan, store and channel."""
    op.create_table(
        table,
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("offer_version_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["offer_version_id"],
            ["offer_version.id"],
            name=op.f(f"fk_{table}_offer_version_id_offer_version"),
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.id"], name=op.f(f"fk_{table}_store_id_store")
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    )


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]
