"""Plans for real: their full terms, what happened to subscriptions, changes, sharing, clocks."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007_run_plans"
down_revision: str | None = "0006_sell_packs"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What was paid before cost what its invoice says, or what the terms of its version say.
_BACKFILL = (
    """
    UPDATE period SET offer_version_id = subscription.offer_version_id, price = offer_version.price
    FROM subscription JOIN offer_version ON offer_version.id = subscription.offer_version_id
    WHERE subscription.id = period.subscription_id
    """,
    """
    UPDATE period SET net = lot.net, vat = lot.vat
    FROM subscription JOIN lot ON lot.member_id = subscription.member_id
    WHERE subscription.id = period.subscription_id AND period.status = 'paid'
      AND lot.source = 'period' AND lot.source_id = period.id
    """,
    "UPDATE period SET net = price, vat = 0 WHERE status = 'paid' AND net IS NULL",
    """
    UPDATE lot SET subscription_id = period.subscription_id
    FROM period WHERE lot.source = 'period' AND lot.source_id = period.id
    """,
    """
    UPDATE subscription SET channel = voucher_order.channel
    FROM order_item JOIN voucher_order ON voucher_order.id = order_item.order_id
    WHERE order_item.id = subscription.order_item_id
    """,
    """
    INSERT INTO subscription_event (id, subscription_id, member_id, at, from_status, to_status,
                                    cause, facts)
    SELECT gen_random_uuid(), id, member_id, started_at, NULL, status, 'started_before', '{}'
    FROM subscription
    """,
)

# Schedules are terms: once their version is approved they stay. History is only added to.
_KEEP = """
CREATE TRIGGER keeps_its_lists BEFORE UPDATE OR DELETE ON plan_schedule
    FOR EACH ROW EXECUTE FUNCTION keeps_its_lists();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'jibei_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON subscription_event FROM jibei_app;
    END IF;
END $$;
"""


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of queueing every request behind it.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_constraint(op.f("ck_offer_version_sells_something"), "offer_version", type_="check")
    op.drop_constraint(op.f("ck_offer_version_bonus_is_a_part"), "offer_version", type_="check")
    op.drop_constraint(op.f("ck_voucher_order_total_positive"), "voucher_order", type_="check")
    op.drop_constraint(op.f("ck_lot_used_within_units"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_empty_is_recognised"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_open_has_cups"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_source_known"), "lot", type_="check")
    op.drop_constraint(op.f("ck_invoice_source_known"), "invoice", type_="check")
    op.drop_constraint(op.f("ck_refund_line_gives_cups_back"), "refund_line", type_="check")
    op.drop_constraint(op.f("ck_subscription_status_known"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_subscription_ended_has_time"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_period_counts_sane"), "period", type_="check")
    op.create_table(
        "plan_migration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("from_version_id", sa.Uuid(), nullable=False),
        sa.Column("to_version_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejected_by_id", sa.Uuid(), nullable=True),
        sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_to", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by_id IS NULL)",
            name=op.f("ck_plan_migration_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "(rejected_at IS NULL) = (rejected_by_id IS NULL)",
            name=op.f("ck_plan_migration_rejected_by_somebody"),
        ),
        sa.CheckConstraint(
            "announced_at IS NULL OR approved_at IS NOT NULL",
            name=op.f("ck_plan_migration_told_once_approved"),
        ),
        sa.CheckConstraint(
            "approved_at IS NULL OR rejected_at IS NULL",
            name=op.f("ck_plan_migration_approved_or_rejected"),
        ),
        sa.CheckConstraint(
            "approved_by_id <> proposed_by_id", name=op.f("ck_plan_migration_two_people_agree")
        ),
        sa.CheckConstraint(
            "from_version_id <> to_version_id", name=op.f("ck_plan_migration_goes_somewhere")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["staff.id"], name=op.f("fk_plan_migration_approved_by_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["from_version_id"],
            ["offer_version.id"],
            name=op.f("fk_plan_migration_from_version_id_offer_version"),
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["staff.id"], name=op.f("fk_plan_migration_proposed_by_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["rejected_by_id"], ["staff.id"], name=op.f("fk_plan_migration_rejected_by_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["to_version_id"],
            ["plan_schedule.offer_version_id"],
            name=op.f("fk_plan_migration_to_version_id_plan_schedule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_migration")),
    )
    op.create_index(
        "ix_plan_migration_untold",
        "plan_migration",
        ["approved_at"],
        unique=False,
        postgresql_where=sa.text("approved_at IS NOT NULL AND announced_at IS NULL"),
    )
    op.create_index(
        "uq_plan_migration_from",
        "plan_migration",
        ["from_version_id"],
        unique=True,
        postgresql_where=sa.text("rejected_at IS NULL"),
    )
    op.create_table(
        "sharer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(joined_at IS NULL) = (member_id IS NULL)", name=op.f("ck_sharer_joined_by_somebody")
        ),
        sa.CheckConstraint(
            "octet_length(token_digest) = 32", name=op.f("ck_sharer_token_is_hashed")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_sharer_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharer")),
    )
    op.create_index(
        "ix_sharer_subscription", "sharer", ["subscription_id", "invited_at"], unique=False
    )
    op.create_index(
        "ix_sharer_member",
        "sharer",
        ["member_id"],
        unique=False,
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_index(
        "uq_sharer_member",
        "sharer",
        ["subscription_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("left_at IS NULL AND member_id IS NOT NULL"),
    )
    op.create_index("uq_sharer_token", "sharer", ["token_digest"], unique=True)
    op.create_table(
        "subscription_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("cause <> ''", name=op.f("ck_subscription_event_has_a_cause")),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_subscription_event_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_event")),
    )
    op.create_index(
        "ix_subscription_event_history",
        "subscription_event",
        ["subscription_id", "id"],
        unique=False,
    )
    op.create_table(
        "plan_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("period_id", sa.Uuid(), nullable=False),
        sa.Column("from_version_id", sa.Uuid(), nullable=False),
        sa.Column("to_version_id", sa.Uuid(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("days_left", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'asked') = (settled_at IS NULL)",
            name=op.f("ck_plan_change_settled_has_time"),
        ),
        sa.CheckConstraint(
            "status IN ('asked', 'applied', 'failed')", name=op.f("ck_plan_change_status_known")
        ),
        sa.CheckConstraint("amount = net + vat", name=op.f("ck_plan_change_vat_adds_up")),
        sa.CheckConstraint(
            "days > 0 AND days_left BETWEEN 0 AND days", name=op.f("ck_plan_change_days_sane")
        ),
        sa.ForeignKeyConstraint(
            ["from_version_id"],
            ["plan_schedule.offer_version_id"],
            name=op.f("fk_plan_change_from_version_id_plan_schedule"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_plan_change_payment_id_payment")
        ),
        sa.ForeignKeyConstraint(
            ["period_id"], ["period.id"], name=op.f("fk_plan_change_period_id_period")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_plan_change_subscription_id_subscription"),
        ),
        sa.ForeignKeyConstraint(
            ["to_version_id"],
            ["plan_schedule.offer_version_id"],
            name=op.f("fk_plan_change_to_version_id_plan_schedule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_change")),
    )
    op.create_index(
        "uq_plan_change_asked",
        "plan_change",
        ["subscription_id"],
        unique=True,
        postgresql_where=sa.text("status = 'asked'"),
    )
    op.add_column("credential", sa.Column("holder_id", sa.Uuid(), nullable=True))
    op.add_column("credential", sa.Column("subscription_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_credential_holder",
        "credential",
        ["holder_id"],
        unique=False,
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.add_column("lot", sa.Column("subscription_id", sa.Uuid(), nullable=True))
    op.add_column(
        "lot",
        sa.Column("prepays_plan", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("lot", sa.Column("earns_from_on", sa.Date(), nullable=True))
    op.add_column("lot", sa.Column("earns_days", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_lot_earning",
        "lot",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("is_open AND earns_days IS NOT NULL"),
    )
    op.add_column("offer_version", sa.Column("first_price", sa.BigInteger(), nullable=True))
    op.add_column(
        "offer_version",
        sa.Column("needs_card", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "offer_version",
        sa.Column("is_unlimited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("order_item", sa.Column("gift_periods", sa.BigInteger(), nullable=True))
    op.add_column("period", sa.Column("offer_version_id", sa.Uuid(), nullable=True))
    op.add_column("period", sa.Column("price", sa.BigInteger(), nullable=True))
    op.add_column("period", sa.Column("net", sa.BigInteger(), nullable=True))
    op.add_column("period", sa.Column("vat", sa.BigInteger(), nullable=True))
    op.add_column("period", sa.Column("grant_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_period_grant",
        "period",
        ["grant_at"],
        unique=False,
        postgresql_where=sa.text("grant_at IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_period_offer_version_id_plan_schedule"),
        "period",
        "plan_schedule",
        ["offer_version_id"],
        ["offer_version_id"],
    )
    op.add_column(
        "plan_schedule",
        sa.Column(
            "benefits_in_grace", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
    )
    op.add_column(
        "plan_schedule",
        sa.Column("back_dates", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column("plan_schedule", sa.Column("trial_days", sa.BigInteger(), nullable=True))
    op.add_column(
        "plan_schedule",
        sa.Column("trial_cups", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "plan_schedule",
        sa.Column("trial_needs_card", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column("plan_schedule", sa.Column("intro_price", sa.BigInteger(), nullable=True))
    op.add_column("plan_schedule", sa.Column("intro_periods", sa.BigInteger(), nullable=True))
    op.add_column(
        "plan_schedule",
        sa.Column("carry_over", sa.Text(), server_default=sa.text("'none'"), nullable=False),
    )
    op.add_column("plan_schedule", sa.Column("carry_over_cap", sa.BigInteger(), nullable=True))
    op.add_column("plan_schedule", sa.Column("grant_count", sa.BigInteger(), nullable=True))
    op.add_column("plan_schedule", sa.Column("grant_unit", sa.Text(), nullable=True))
    op.add_column(
        "plan_schedule",
        sa.Column("sharers", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "plan_schedule",
        sa.Column("most_pause_days", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "plan_schedule",
        sa.Column("cancel_refund", sa.Text(), server_default=sa.text("'none'"), nullable=False),
    )
    op.alter_column("redemption", "entry_id", existing_type=sa.UUID(), nullable=True)
    op.add_column(
        "subscription",
        sa.Column("channel", sa.Text(), server_default=sa.text("'app'"), nullable=False),
    )
    op.add_column(
        "subscription",
        sa.Column("anchor_number", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
    op.add_column("subscription", sa.Column("cancel_reason", sa.Text(), nullable=True))
    op.add_column("subscription", sa.Column("next_version_id", sa.Uuid(), nullable=True))
    op.add_column("subscription", sa.Column("pauses_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "subscription", sa.Column("resumes_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("subscription", sa.Column("tells_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("subscription", "ordinal", existing_type=sa.BIGINT(), nullable=True)
    op.create_index(
        "ix_subscription_telling",
        "subscription",
        ["tells_at"],
        unique=False,
        postgresql_where=sa.text("tells_at IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_index(
        "ix_subscription_version",
        "subscription",
        ["offer_version_id", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_foreign_key(
        op.f("fk_subscription_next_version_id_plan_schedule"),
        "subscription",
        "plan_schedule",
        ["next_version_id"],
        ["offer_version_id"],
    )
    op.add_column("voucher_order", sa.Column("card_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_voucher_order_card_id_card"), "voucher_order", "card", ["card_id"], ["id"]
    )

    for statement in _BACKFILL:
        op.execute(statement)
    op.alter_column("period", "offer_version_id", nullable=False)
    op.alter_column("period", "price", nullable=False)
    op.create_check_constraint(
        op.f("ck_offer_version_bonus_is_a_part"),
        "offer_version",
        "bonus_cups BETWEEN 0 AND greatest(cups - 1, 0)",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_sells_something"),
        "offer_version",
        "price >= 0 AND cups >= 0 AND first_price >= 0",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_first_price_is_less"), "offer_version", "first_price < price"
    )
    op.create_check_constraint(
        op.f("ck_offer_version_card_for_what_is_free"),
        "offer_version",
        "NOT needs_card OR first_price = 0",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_unlimited_is_not_counted"),
        "offer_version",
        "NOT is_unlimited OR cups = 0",
    )
    op.create_check_constraint(
        op.f("ck_voucher_order_total_not_negative"), "voucher_order", "total >= 0"
    )
    op.create_check_constraint(
        op.f("ck_order_item_gift_periods_bounded"), "order_item", "gift_periods BETWEEN 1 AND 60"
    )
    op.create_check_constraint(op.f("ck_lot_used_within_units"), "lot", "used BETWEEN 0 AND units")
    op.create_check_constraint(
        op.f("ck_lot_cups_or_days"), "lot", "(units > 0) = (earns_days IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_lot_days_sane"),
        "lot",
        "(earns_days IS NULL) = (earns_from_on IS NULL) AND earns_days > 0",
    )
    op.create_check_constraint(
        op.f("ck_lot_empty_is_recognised"),
        "lot",
        "is_open OR (net_recognised = net AND vat_gone = vat)",
    )
    op.create_check_constraint(
        op.f("ck_lot_source_known"),
        "lot",
        "source IN ('order_item', 'period', 'gift', 'plan_change')",
    )
    op.create_check_constraint(
        op.f("ck_lot_prepaid_is_counted"), "lot", "NOT prepays_plan OR units > 0"
    )
    op.create_check_constraint(
        op.f("ck_lot_open_has_cups"), "lot", "units = 0 OR is_open = (used < units)"
    )
    op.create_check_constraint(
        op.f("ck_invoice_source_known"),
        "invoice",
        "source IN ('order', 'period', 'plan_change', 'redemption', 'top_up')",
    )
    op.create_check_constraint(
        op.f("ck_refund_line_gives_something_back"),
        "refund_line",
        "cups >= 0 AND cups + net + vat > 0",
    )
    op.create_check_constraint(
        op.f("ck_credential_shared_is_of_a_plan"),
        "credential",
        "(holder_id IS NULL) = (subscription_id IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_trial_sane"), "plan_schedule", "trial_days > 0 AND trial_cups >= 0"
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_grant_span_sane"),
        "plan_schedule",
        "(grant_count IS NULL) = (grant_unit IS NULL) AND grant_count > 0 AND grant_unit IN ('day', 'week', 'month', 'year')",
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_cancel_refund_known"),
        "plan_schedule",
        "cancel_refund IN ('none', 'prorated')",
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_intro_sane"),
        "plan_schedule",
        "(intro_price IS NULL) = (intro_periods IS NULL) AND intro_price >= 0 AND intro_periods > 0",
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_sharers_sane"), "plan_schedule", "sharers BETWEEN 0 AND 20"
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_trial_cups_in_a_trial"),
        "plan_schedule",
        "trial_days IS NOT NULL OR trial_cups = 0",
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_carry_over_known"),
        "plan_schedule",
        "carry_over IN ('none', 'capped', 'all')",
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_pause_sane"), "plan_schedule", "most_pause_days BETWEEN 0 AND 366"
    )
    op.create_check_constraint(
        op.f("ck_plan_schedule_cap_of_carry_over"),
        "plan_schedule",
        "(carry_over = 'capped') = (carry_over_cap IS NOT NULL) AND carry_over_cap > 0",
    )
    op.create_check_constraint(
        op.f("ck_subscription_pause_has_two_ends"),
        "subscription",
        "(pauses_at IS NULL) = (resumes_at IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_subscription_pause_has_length"), "subscription", "pauses_at < resumes_at"
    )
    op.create_check_constraint(
        op.f("ck_subscription_anchor_number_sane"), "subscription", "anchor_number >= 0"
    )
    op.create_check_constraint(
        op.f("ck_subscription_ended_has_time"),
        "subscription",
        "(ended_at IS NULL) = (status NOT IN ('cancelled', 'lapsed'))",
    )
    op.create_check_constraint(
        op.f("ck_subscription_paused_until_a_time"),
        "subscription",
        "status <> 'paused' OR pauses_at IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_subscription_status_known"),
        "subscription",
        "status IN ('trialing', 'active', 'past_due', 'paused', 'cancelled', 'lapsed')",
    )
    op.create_check_constraint(
        op.f("ck_subscription_channel_known"),
        "subscription",
        "channel IN ('web', 'app', 'counter')",
    )
    op.create_check_constraint(
        op.f("ck_period_counts_sane"), "period", "number >= 0 AND attempts >= 0"
    )
    op.create_check_constraint(
        op.f("ck_period_trial_is_free"), "period", "price >= 0 AND (number > 0 OR price = 0)"
    )
    op.create_check_constraint(
        op.f("ck_period_only_paid_is_granted"), "period", "grant_at IS NULL OR status = 'paid'"
    )
    op.create_check_constraint(
        op.f("ck_period_vat_adds_up"),
        "period",
        "(net IS NULL) = (vat IS NULL) AND (net IS NULL) = (status <> 'paid') AND net >= 0 AND vat >= 0 AND net + vat = price",
    )
    op.drop_index("ix_lot_due", table_name="lot")
    op.create_index(
        "ix_lot_due",
        "lot",
        ["due_at"],
        postgresql_where=sa.text("is_open AND due_at IS NOT NULL AND earns_days IS NULL"),
    )
    op.create_table(
        "member_clock",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("ahead", sa.Interval(), nullable=False),
        sa.Column("goal", sa.Interval(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ahead >= interval '0'", name=op.f("ck_member_clock_never_behind")),
        sa.CheckConstraint("ahead <= goal", name=op.f("ck_member_clock_not_past_its_goal")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_clock_member_id_member")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_clock")),
    )
    op.execute(_KEEP)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("member_clock")
    op.execute("DROP TRIGGER keeps_its_lists ON plan_schedule")
    op.drop_constraint(op.f("ck_offer_version_sells_something"), "offer_version", type_="check")
    op.drop_constraint(op.f("ck_offer_version_first_price_is_less"), "offer_version", type_="check")
    op.drop_constraint(
        op.f("ck_offer_version_card_for_what_is_free"), "offer_version", type_="check"
    )
    op.drop_constraint(
        op.f("ck_offer_version_unlimited_is_not_counted"), "offer_version", type_="check"
    )
    op.drop_constraint(op.f("ck_offer_version_bonus_is_a_part"), "offer_version", type_="check")
    op.drop_constraint(op.f("ck_voucher_order_total_not_negative"), "voucher_order", type_="check")
    op.drop_constraint(op.f("ck_order_item_gift_periods_bounded"), "order_item", type_="check")
    op.drop_constraint(op.f("ck_lot_used_within_units"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_cups_or_days"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_days_sane"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_empty_is_recognised"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_open_has_cups"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_source_known"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_prepaid_is_counted"), "lot", type_="check")
    op.drop_constraint(op.f("ck_invoice_source_known"), "invoice", type_="check")
    op.drop_constraint(op.f("ck_refund_line_gives_something_back"), "refund_line", type_="check")
    op.drop_constraint(op.f("ck_credential_shared_is_of_a_plan"), "credential", type_="check")
    op.drop_constraint(op.f("ck_plan_schedule_trial_sane"), "plan_schedule", type_="check")
    op.drop_constraint(
        op.f("ck_plan_schedule_trial_cups_in_a_trial"), "plan_schedule", type_="check"
    )
    op.drop_constraint(op.f("ck_plan_schedule_intro_sane"), "plan_schedule", type_="check")
    op.drop_constraint(op.f("ck_plan_schedule_carry_over_known"), "plan_schedule", type_="check")
    op.drop_constraint(op.f("ck_plan_schedule_cap_of_carry_over"), "plan_schedule", type_="check")
    op.drop_constraint(op.f("ck_plan_schedule_grant_span_sane"), "plan_schedule", type_="check")
    op.drop_constraint(op.f("ck_plan_schedule_sharers_sane"), "plan_schedule", type_="check")
    op.drop_constraint(op.f("ck_plan_schedule_pause_sane"), "plan_schedule", type_="check")
    op.drop_constraint(op.f("ck_plan_schedule_cancel_refund_known"), "plan_schedule", type_="check")
    op.drop_constraint(op.f("ck_subscription_status_known"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_subscription_ended_has_time"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_subscription_pause_has_two_ends"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_subscription_pause_has_length"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_subscription_paused_until_a_time"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_subscription_channel_known"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_subscription_anchor_number_sane"), "subscription", type_="check")
    op.drop_constraint(op.f("ck_period_counts_sane"), "period", type_="check")
    op.drop_constraint(op.f("ck_period_trial_is_free"), "period", type_="check")
    op.drop_constraint(op.f("ck_period_vat_adds_up"), "period", type_="check")
    op.drop_constraint(op.f("ck_period_only_paid_is_granted"), "period", type_="check")
    op.drop_index("ix_lot_due", table_name="lot")
    op.create_index(
        "ix_lot_due", "lot", ["due_at"], postgresql_where=sa.text("is_open AND due_at IS NOT NULL")
    )
    op.drop_constraint(op.f("fk_voucher_order_card_id_card"), "voucher_order", type_="foreignkey")
    op.drop_column("voucher_order", "card_id")
    op.drop_constraint(
        op.f("fk_subscription_next_version_id_plan_schedule"), "subscription", type_="foreignkey"
    )
    op.drop_index(
        "ix_subscription_version",
        table_name="subscription",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(
        "ix_subscription_telling",
        table_name="subscription",
        postgresql_where=sa.text("tells_at IS NOT NULL AND ended_at IS NULL"),
    )
    op.alter_column("subscription", "ordinal", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("subscription", "tells_at")
    op.drop_column("subscription", "resumes_at")
    op.drop_column("subscription", "pauses_at")
    op.drop_column("subscription", "next_version_id")
    op.drop_column("subscription", "cancel_reason")
    op.drop_column("subscription", "anchor_number")
    op.drop_column("subscription", "channel")
    op.alter_column("redemption", "entry_id", existing_type=sa.UUID(), nullable=False)
    op.drop_column("plan_schedule", "cancel_refund")
    op.drop_column("plan_schedule", "most_pause_days")
    op.drop_column("plan_schedule", "sharers")
    op.drop_column("plan_schedule", "grant_unit")
    op.drop_column("plan_schedule", "grant_count")
    op.drop_column("plan_schedule", "carry_over_cap")
    op.drop_column("plan_schedule", "carry_over")
    op.drop_column("plan_schedule", "intro_periods")
    op.drop_column("plan_schedule", "intro_price")
    op.drop_column("plan_schedule", "trial_needs_card")
    op.drop_column("plan_schedule", "trial_cups")
    op.drop_column("plan_schedule", "trial_days")
    op.drop_column("plan_schedule", "back_dates")
    op.drop_column("plan_schedule", "benefits_in_grace")
    op.drop_constraint(
        op.f("fk_period_offer_version_id_plan_schedule"), "period", type_="foreignkey"
    )
    op.drop_index(
        "ix_period_grant", table_name="period", postgresql_where=sa.text("grant_at IS NOT NULL")
    )
    op.drop_column("period", "grant_at")
    op.drop_column("period", "vat")
    op.drop_column("period", "net")
    op.drop_column("period", "price")
    op.drop_column("period", "offer_version_id")
    op.drop_column("order_item", "gift_periods")
    op.drop_column("offer_version", "is_unlimited")
    op.drop_column("offer_version", "needs_card")
    op.drop_column("offer_version", "first_price")
    op.drop_index(
        "ix_lot_earning",
        table_name="lot",
        postgresql_where=sa.text("is_open AND earns_days IS NOT NULL"),
    )
    op.drop_column("lot", "earns_days")
    op.drop_column("lot", "earns_from_on")
    op.drop_column("lot", "prepays_plan")
    op.drop_column("lot", "subscription_id")
    op.drop_index(
        "ix_credential_holder",
        table_name="credential",
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.drop_column("credential", "subscription_id")
    op.drop_column("credential", "holder_id")
    op.drop_index(
        "uq_plan_change_asked",
        table_name="plan_change",
        postgresql_where=sa.text("status = 'asked'"),
    )
    op.drop_table("plan_change")
    op.drop_index("ix_subscription_event_history", table_name="subscription_event")
    op.drop_table("subscription_event")
    op.drop_index("uq_sharer_token", table_name="sharer")
    op.drop_index(
        "uq_sharer_member",
        table_name="sharer",
        postgresql_where=sa.text("left_at IS NULL AND member_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_sharer_member", table_name="sharer", postgresql_where=sa.text("member_id IS NOT NULL")
    )
    op.drop_index("ix_sharer_subscription", table_name="sharer")
    op.drop_table("sharer")
    op.drop_index(
        "uq_plan_migration_from",
        table_name="plan_migration",
        postgresql_where=sa.text("rejected_at IS NULL"),
    )
    op.drop_index(
        "ix_plan_migration_untold",
        table_name="plan_migration",
        postgresql_where=sa.text("approved_at IS NOT NULL AND announced_at IS NULL"),
    )
    op.drop_table("plan_migration")
    op.create_check_constraint(
        op.f("ck_offer_version_sells_something"), "offer_version", "price > 0 AND cups > 0"
    )
    op.create_check_constraint(
        op.f("ck_offer_version_bonus_is_a_part"),
        "offer_version",
        "bonus_cups BETWEEN 0 AND cups - 1",
    )
    op.create_check_constraint(
        op.f("ck_voucher_order_total_positive"), "voucher_order", "total > 0"
    )
    op.create_check_constraint(
        op.f("ck_lot_used_within_units"), "lot", "units > 0 AND used BETWEEN 0 AND units"
    )
    op.create_check_constraint(
        op.f("ck_lot_empty_is_recognised"),
        "lot",
        "used < units OR (net_recognised = net AND vat_gone = vat)",
    )
    op.create_check_constraint(op.f("ck_lot_open_has_cups"), "lot", "is_open = (used < units)")
    op.create_check_constraint(
        op.f("ck_lot_source_known"), "lot", "source IN ('order_item', 'period', 'gift')"
    )
    op.create_check_constraint(op.f("ck_refund_line_gives_cups_back"), "refund_line", "cups > 0")
    op.create_check_constraint(
        op.f("ck_invoice_source_known"),
        "invoice",
        "source IN ('order', 'period', 'redemption', 'top_up')",
    )
    op.create_check_constraint(
        op.f("ck_subscription_status_known"),
        "subscription",
        "status IN ('active', 'past_due', 'cancelled', 'lapsed')",
    )
    op.create_check_constraint(
        op.f("ck_subscription_ended_has_time"),
        "subscription",
        "(ended_at IS NULL) = (status IN ('active', 'past_due'))",
    )
    op.create_check_constraint(
        op.f("ck_period_counts_sane"), "period", "number > 0 AND attempts >= 0"
    )
