"""Packs for real: full terms, gifts, refunds, disputes, repayments, and what was counted."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006_sell_packs"
down_revision: str | None = "0005_issue_invoices"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The terms of an approved version are what was sold: only its sale may be ended.
_KEEP_TERMS = """
CREATE FUNCTION keeps_its_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - 'sale_ends_at') <> (to_jsonb(OLD) - 'sale_ends_at') THEN
        RAISE EXCEPTION 'the terms of an approved version never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_offer_version_terms_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keeps_its_terms BEFORE UPDATE OR DELETE ON offer_version
    FOR EACH ROW WHEN (OLD.approved_at IS NOT NULL) EXECUTE FUNCTION keeps_its_terms();
CREATE FUNCTION keeps_its_lists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM offer_version
        WHERE id = (CASE WHEN TG_OP = 'INSERT' THEN NEW.offer_version_id ELSE OLD.offer_version_id END)
          AND approved_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the terms of an approved version never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_offer_version_terms_kept';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keeps_its_lists BEFORE INSERT OR UPDATE OR DELETE ON offer_version_product
    FOR EACH ROW EXECUTE FUNCTION keeps_its_lists();
CREATE TRIGGER keeps_its_lists BEFORE INSERT OR UPDATE OR DELETE ON offer_version_store
    FOR EACH ROW EXECUTE FUNCTION keeps_its_lists();
"""

# What was sold before is on the terms that held then.
_BACKFILL = (
    "UPDATE offer_version SET proposed_at = sale_starts_at, approved_at = sale_starts_at",
    """
    UPDATE lot SET buyer_id = member_id,
                   order_item_id = CASE WHEN source = 'order_item' THEN source_id END,
                   expiry_mode = CASE WHEN ends_at IS NULL THEN 'never' ELSE 'lapse' END,
                   due_at = ends_at
    """,
    # VAT leaves a lot with its cups as its net does: cumulative, half up.
    """
    WITH taken AS (
        SELECT line.member_id, line.redemption_id, line.lot_id, lot.vat, lot.units, line.cups,
               sum(line.cups) OVER (
                   PARTITION BY line.member_id, line.lot_id ORDER BY line.redemption_id
               ) AS upto
        FROM redemption_line line
        JOIN redemption ON redemption.member_id = line.member_id
                       AND redemption.id = line.redemption_id AND redemption.voided_at IS NULL
        JOIN lot ON lot.member_id = line.member_id AND lot.id = line.lot_id
    )
    UPDATE redemption_line line
    SET vat = (2 * taken.vat * taken.upto + taken.units) / (2 * taken.units)
            - (2 * taken.vat * (taken.upto - taken.cups) + taken.units) / (2 * taken.units)
    FROM taken
    WHERE line.member_id = taken.member_id AND line.redemption_id = taken.redemption_id
      AND line.lot_id = taken.lot_id
    """,
    """
    UPDATE lot SET vat_gone = CASE WHEN used = units THEN vat
                              ELSE (2 * vat * used + units) / (2 * units) END
    """,
)


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of queueing every request behind it.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_constraint(op.f("ck_entry_kind_known"), "entry", type_="check")
    op.drop_constraint(op.f("ck_offer_version_expiry_mode_known"), "offer_version", type_="check")
    op.drop_constraint(op.f("ck_offer_version_accepted_at_known"), "offer_version", type_="check")
    op.drop_constraint(
        op.f("ck_offer_version_guarantee_at_least_a_year"), "offer_version", type_="check"
    )
    op.drop_constraint(op.f("ck_lot_empty_is_recognised"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_source_known"), "lot", type_="check")
    op.drop_constraint(op.f("ck_payment_asked_names_method"), "payment", type_="check")
    op.drop_constraint(op.f("ck_redemption_line_takes_cups"), "redemption_line", type_="check")
    op.create_table(
        "gift_block",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("blocked_id", sa.Uuid(), nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("member_id <> blocked_id", name=op.f("ck_gift_block_blocks_another")),
        sa.PrimaryKeyConstraint("member_id", "blocked_id", name=op.f("pk_gift_block")),
    )
    op.create_table(
        "provider_look",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("looked_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_look")),
    )
    op.create_table(
        "gift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("giver_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.Column("message_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(due_at IS NULL) = (status <> 'open')", name=op.f("ck_gift_open_is_due")
        ),
        sa.CheckConstraint(
            "(status = 'claimed') = (claimed_by_id IS NOT NULL)",
            name=op.f("ck_gift_claimed_by_somebody"),
        ),
        sa.CheckConstraint(
            "(status = 'open') = (closed_at IS NULL)", name=op.f("ck_gift_closed_has_time")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'claimed', 'withdrawn', 'returned', 'refunded', 'lost')",
            name=op.f("ck_gift_status_known"),
        ),
        sa.CheckConstraint("claimed_by_id <> giver_id", name=op.f("ck_gift_claimed_by_another")),
        sa.CheckConstraint("cups > 0", name=op.f("ck_gift_gives_cups")),
        sa.ForeignKeyConstraint(["giver_id"], ["wallet.member_id"], name="fk_gift_wallet"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift")),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payer_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("payable", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payout_entry_id", sa.Uuid(), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.Column("settled_reference", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(settled_by_id IS NULL) = (settled_reference IS NULL)"
            " AND (settled_by_id IS NULL OR status = 'paid')",
            name=op.f("ck_refund_settled_by_somebody"),
        ),
        sa.CheckConstraint(
            "(status = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_refund_paid_has_time")
        ),
        sa.CheckConstraint(
            "basis IN ('allocated', 'list_price')", name=op.f("ck_refund_basis_known")
        ),
        sa.CheckConstraint(
            "reason IN ('withdrawal', 'request', 'expiry', 'gift_unclaimed', 'goodwill')",
            name=op.f("ck_refund_reason_known"),
        ),
        sa.CheckConstraint(
            "status IN ('owed', 'paid', 'failed')", name=op.f("ck_refund_status_known")
        ),
        sa.CheckConstraint(
            "payable = gross - kept - fee AND payable >= 0 AND kept >= 0 AND fee >= 0",
            name=op.f("ck_refund_adds_up"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_refund_store_id_store")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
    )
    op.create_table(
        "gift_item",
        sa.Column("gift_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "cups > 0 AND net >= 0 AND vat >= 0", name=op.f("ck_gift_item_gives_cups")
        ),
        sa.ForeignKeyConstraint(["gift_id"], ["gift.id"], name=op.f("fk_gift_item_gift_id_gift")),
        sa.ForeignKeyConstraint(
            ["member_id", "lot_id"], ["lot.member_id", "lot.id"], name="fk_gift_item_lot"
        ),
        sa.PrimaryKeyConstraint("gift_id", "ordinal", name=op.f("pk_gift_item")),
    )
    op.create_table(
        "refund_line",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("gift_id", sa.Uuid(), nullable=True),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("kept_net", sa.BigInteger(), nullable=False),
        sa.Column("kept_vat", sa.BigInteger(), nullable=False),
        sa.Column("fee_net", sa.BigInteger(), nullable=False),
        sa.Column("fee_vat", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("cups > 0", name=op.f("ck_refund_line_gives_cups_back")),
        sa.CheckConstraint(
            "net >= 0 AND vat >= 0 AND kept_net >= 0 AND kept_vat >= 0 AND fee_net >= 0 AND fee_vat >= 0 AND kept_net + kept_vat + fee_net + fee_vat <= net + vat",
            name=op.f("ck_refund_line_keeps_no_more_than_it_gives"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id", "lot_id"], ["lot.member_id", "lot.id"], name="fk_refund_line_lot"
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refund.id"], name=op.f("fk_refund_line_refund_id_refund")
        ),
        sa.PrimaryKeyConstraint("refund_id", "ordinal", name=op.f("pk_refund_line")),
    )
    op.create_table(
        "shift_total",
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cash", sa.BigInteger(), nullable=False),
        sa.Column("terminal", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["staff.id"], name=op.f("fk_shift_total_closed_by_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_shift_total_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("shift_id", "currency", name=op.f("pk_shift_total")),
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("followed", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'open') = (closed_at IS NULL)", name=op.f("ck_dispute_closed_has_time")
        ),
        sa.CheckConstraint(
            "followed IN ('open', 'won', 'lost')", name=op.f("ck_dispute_followed_known")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'won', 'lost')", name=op.f("ck_dispute_status_known")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_dispute_amount_positive")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_dispute_payment_id_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_dispute_provider_ref")),
    )
    op.create_table(
        "repayment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (status IN ('intent', 'processing'))",
            name=op.f("ck_repayment_settled_has_time"),
        ),
        sa.CheckConstraint(
            "purpose IN ('refund', 'surplus')", name=op.f("ck_repayment_purpose_known")
        ),
        sa.CheckConstraint(
            "provider <> 'cash' OR status <> 'succeeded' OR shift_id IS NOT NULL",
            name=op.f("ck_repayment_cash_has_shift"),
        ),
        sa.CheckConstraint(
            "status IN ('intent', 'processing', 'succeeded', 'failed')",
            name=op.f("ck_repayment_status_known"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_repayment_amount_positive")),
        sa.CheckConstraint(
            "settled_at IS NULL OR due_at IS NULL", name=op.f("ck_repayment_settled_is_never_due")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_repayment_payment_id_payment")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_repayment_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repayment")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_repayment_provider_ref")),
        sa.UniqueConstraint("purpose", "purpose_id", "attempt", name="uq_repayment_attempt"),
    )
    op.create_table(
        "payment_difference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("repayment_id", sa.Uuid(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('unknown_to_us', 'unknown_to_provider', 'amount_differs', 'status_differs', 'repayment_unknown_to_us', 'repayment_unknown_to_provider', 'repayment_differs', 'dispute_unknown_to_us')",
            name=op.f("ck_payment_difference_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_payment_difference_payment_id_payment")
        ),
        sa.ForeignKeyConstraint(
            ["repayment_id"],
            ["repayment.id"],
            name=op.f("fk_payment_difference_repayment_id_repayment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_difference")),
    )
    op.add_column(
        "device",
        sa.Column("channel", sa.Text(), server_default=sa.text("'counter'"), nullable=False),
    )
    op.add_column(
        "legal_entity",
        sa.Column("jurisdiction", sa.Text(), server_default=sa.text("'TW'"), nullable=False),
    )
    op.add_column("lot", sa.Column("buyer_id", sa.Uuid(), nullable=True))
    op.add_column("lot", sa.Column("order_item_id", sa.Uuid(), nullable=True))
    op.add_column(
        "lot", sa.Column("is_bonus", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "lot", sa.Column("vat_gone", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "lot",
        sa.Column("expiry_mode", sa.Text(), server_default=sa.text("'never'"), nullable=False),
    )
    op.add_column("lot", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("offer_version", sa.Column("note", sa.Text(), nullable=True))
    op.add_column(
        "offer_version",
        sa.Column("jurisdiction", sa.Text(), server_default=sa.text("'TW'"), nullable=False),
    )
    op.add_column(
        "offer_version",
        sa.Column("vat_timing", sa.Text(), server_default=sa.text("'sale'"), nullable=False),
    )
    op.add_column(
        "offer_version",
        sa.Column("unit", sa.Text(), server_default=sa.text("'cup'"), nullable=False),
    )
    op.add_column("offer_version", sa.Column("list_price", sa.BigInteger(), nullable=True))
    op.add_column("offer_version", sa.Column("bonus_after_count", sa.BigInteger(), nullable=True))
    op.add_column("offer_version", sa.Column("bonus_after_unit", sa.Text(), nullable=True))
    op.add_column("offer_version", sa.Column("bonus_use_bp", sa.BigInteger(), nullable=True))
    op.add_column("offer_version", sa.Column("expires_after_count", sa.BigInteger(), nullable=True))
    op.add_column("offer_version", sa.Column("expires_after_unit", sa.Text(), nullable=True))
    op.add_column(
        "offer_version",
        sa.Column(
            "accepted_regions",
            postgresql.ARRAY(sa.TEXT()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "offer_version", sa.Column("redeem_channels", postgresql.ARRAY(sa.TEXT()), nullable=True)
    )
    op.add_column("offer_version", sa.Column("covers_up_to", sa.BigInteger(), nullable=True))
    op.add_column(
        "offer_version",
        sa.Column("allows_top_up", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("offer_version", sa.Column("member_limit", sa.BigInteger(), nullable=True))
    op.add_column(
        "offer_version",
        sa.Column(
            "sale_channels",
            postgresql.ARRAY(sa.TEXT()),
            server_default=sa.text("'{web,app,counter}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "offer_version",
        sa.Column("is_giftable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column(
        "offer_version",
        sa.Column("gift_unclaimed", sa.Text(), server_default=sa.text("'return'"), nullable=False),
    )
    op.add_column(
        "offer_version",
        sa.Column("refund_basis", sa.Text(), server_default=sa.text("'allocated'"), nullable=False),
    )
    op.add_column(
        "offer_version",
        sa.Column("refund_fee_bp", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "offer_version",
        sa.Column("withdrawal_days", sa.BigInteger(), server_default=sa.text("7"), nullable=False),
    )
    op.add_column("offer_version", sa.Column("proposed_by_id", sa.Uuid(), nullable=True))
    op.add_column(
        "offer_version", sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("offer_version", sa.Column("approved_by_id", sa.Uuid(), nullable=True))
    op.add_column(
        "offer_version", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("offer_version", sa.Column("rejected_by_id", sa.Uuid(), nullable=True))
    op.add_column(
        "offer_version", sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_foreign_key(
        op.f("fk_offer_version_rejected_by_id_staff"),
        "offer_version",
        "staff",
        ["rejected_by_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_offer_version_rejected_by_somebody"),
        "offer_version",
        "(rejected_at IS NULL) = (rejected_by_id IS NULL)",
    )
    op.add_column(
        "payment",
        sa.Column("provider", sa.Text(), server_default=sa.text("'stripe'"), nullable=False),
    )
    op.add_column("payment", sa.Column("shift_id", sa.Uuid(), nullable=True))
    op.add_column(
        "payment", sa.Column("repaid", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "payment",
        sa.Column("by_holder", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "redemption",
        sa.Column("top_up", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "redemption",
        sa.Column("top_up_vat", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "redemption_line",
        sa.Column("vat", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("store", sa.Column("region", sa.Text(), nullable=True))
    op.add_column(
        "voucher_order",
        sa.Column("channel", sa.Text(), server_default=sa.text("'app'"), nullable=False),
    )
    op.add_column("voucher_order", sa.Column("shift_id", sa.Uuid(), nullable=True))
    op.add_column("voucher_order", sa.Column("buyer_tax_id", sa.Text(), nullable=True))
    op.add_column("voucher_order", sa.Column("carrier", sa.Text(), nullable=True))
    op.add_column("voucher_order", sa.Column("donation_code", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_offer_version_approved_by_id_staff"),
        "offer_version",
        "staff",
        ["approved_by_id"],
        ["id"],
    )
    op.create_foreign_key(
        op.f("fk_offer_version_proposed_by_id_staff"),
        "offer_version",
        "staff",
        ["proposed_by_id"],
        ["id"],
    )
    op.create_foreign_key(
        op.f("fk_payment_shift_id_shift"), "payment", "shift", ["shift_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_voucher_order_shift_id_shift"), "voucher_order", "shift", ["shift_id"], ["id"]
    )
    for statement in _BACKFILL:
        op.execute(statement)
    op.alter_column("lot", "buyer_id", nullable=False)
    op.add_column(
        "outbox",
        sa.Column("is_notice", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.drop_index("ix_outbox_undone", table_name="outbox")
    op.create_index(
        "ix_outbox_undone",
        "outbox",
        ["due_at"],
        postgresql_where=sa.text("is_open AND NOT is_notice"),
    )
    op.create_index(
        "ix_outbox_notice", "outbox", ["due_at"], postgresql_where=sa.text("is_open AND is_notice")
    )
    op.create_index(
        "ix_gift_claimed",
        "gift",
        ["claimed_by_id"],
        unique=False,
        postgresql_where=sa.text("status = 'claimed'"),
    )
    op.create_index(
        "ix_gift_due", "gift", ["due_at"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index("ix_gift_giver", "gift", ["giver_id", "id"], unique=False)
    op.create_index("ix_refund_payer", "refund", ["payer_id", "id"], unique=False)
    op.create_index(
        "ix_refund_unpaid",
        "refund",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status <> 'paid'"),
    )
    op.create_index("ix_gift_item_lot", "gift_item", ["member_id", "lot_id"], unique=False)
    op.create_index("ix_refund_line_lot", "refund_line", ["member_id", "lot_id"], unique=False)
    op.create_index("ix_dispute_payment", "dispute", ["payment_id"], unique=False)
    op.create_index(
        "ix_repayment_due",
        "repayment",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_repayment_payment", "repayment", ["payment_id"], unique=False)
    op.create_index(
        "ix_repayment_shift",
        "repayment",
        ["shift_id"],
        unique=False,
        postgresql_where=sa.text("shift_id IS NOT NULL"),
    )
    op.create_index(
        "uq_repayment_live_once",
        "repayment",
        ["purpose", "purpose_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'failed'"),
    )
    op.create_index("ix_payment_difference_found", "payment_difference", ["found_at"], unique=False)
    op.create_index(
        "uq_payment_difference_open",
        "payment_difference",
        ["provider", "ref", "kind"],
        unique=True,
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.drop_index(
        op.f("ix_lot_due"), table_name="lot", postgresql_where="(is_open AND (ends_at IS NOT NULL))"
    )
    op.create_index(
        "ix_lot_due",
        "lot",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("is_open AND due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_lot_order_item",
        "lot",
        ["order_item_id"],
        unique=False,
        postgresql_where=sa.text("order_item_id IS NOT NULL"),
    )
    op.create_index("ix_payment_member", "payment", ["member_id", "id"], unique=False)
    op.create_index(
        "ix_payment_shift",
        "payment",
        ["shift_id"],
        unique=False,
        postgresql_where=sa.text("shift_id IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_entry_kind_known"),
        "entry",
        "kind IN ('sale', 'redemption', 'void', 'refund', 'payout', 'gift', 'claim', 'gift_return', 'transfer', 'lapse', 'top_up', 'surplus', 'earning', 'dispute_opened', 'dispute_won', 'dispute_lost', 'settlement', 'adjustment', 'breakage')",
    )
    op.create_check_constraint(
        op.f("ck_device_channel_known"),
        "device",
        "channel IN ('counter', 'kiosk', 'drive-through', 'delivery')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_accepted_at_known"),
        "offer_version",
        "accepted_at IN ('all', 'selling', 'listed', 'regions')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_guarantee_not_negative"), "offer_version", "guarantee_months >= 0"
    )
    op.create_check_constraint(
        op.f("ck_offer_version_never_has_no_span"),
        "offer_version",
        "expires_after_count IS NULL OR expiry_mode <> 'never'",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_list_basis_has_price"),
        "offer_version",
        "refund_basis <> 'list_price' OR list_price IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_redeem_channels_named"),
        "offer_version",
        "cardinality(redeem_channels) > 0",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_approved_or_rejected"),
        "offer_version",
        "approved_at IS NULL OR rejected_at IS NULL",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_gift_unclaimed_known"),
        "offer_version",
        "gift_unclaimed IN ('return', 'refund')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_bonus_span_sane"),
        "offer_version",
        "(bonus_after_count IS NULL) = (bonus_after_unit IS NULL) AND (bonus_after_count IS NULL) = (bonus_use_bp IS NULL) AND bonus_after_count > 0 AND bonus_use_bp BETWEEN 0 AND 10000 AND bonus_after_unit IN ('day', 'week', 'month', 'year')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_covers_something"), "offer_version", "covers_up_to > 0"
    )
    op.create_check_constraint(
        op.f("ck_offer_version_regions_are_named"),
        "offer_version",
        "(accepted_at = 'regions') = (cardinality(accepted_regions) > 0)",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_two_people_agree"),
        "offer_version",
        "approved_by_id <> proposed_by_id",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_refund_fee_sane"),
        "offer_version",
        "refund_fee_bp BETWEEN 0 AND 10000",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_expiry_mode_known"),
        "offer_version",
        "expiry_mode IN ('never', 'lapse', 'top_up', 'refund')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_vat_timing_known"),
        "offer_version",
        "vat_timing IN ('sale', 'redemption')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_own_bonus_has_price"),
        "offer_version",
        "bonus_after_count IS NULL OR (bonus_cups > 0 AND list_price IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_refund_basis_known"),
        "offer_version",
        "refund_basis IN ('allocated', 'list_price', 'none')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_sale_channels_known"),
        "offer_version",
        "cardinality(sale_channels) > 0 AND sale_channels <@ ARRAY['web', 'app', 'counter']",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_proposed_is_approved_by_somebody"),
        "offer_version",
        "approved_at IS NULL OR (proposed_by_id IS NULL) = (approved_by_id IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_expiry_span_sane"),
        "offer_version",
        "(expires_after_count IS NULL) = (expires_after_unit IS NULL) AND expires_after_count > 0 AND expires_after_unit IN ('day', 'week', 'month', 'year')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_withdrawal_days_sane"),
        "offer_version",
        "withdrawal_days BETWEEN 0 AND 365",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_member_limit_positive"), "offer_version", "member_limit > 0"
    )
    op.create_check_constraint(
        op.f("ck_offer_version_list_price_positive"), "offer_version", "list_price > 0"
    )
    op.create_check_constraint(
        op.f("ck_voucher_order_one_way_of_invoice"),
        "voucher_order",
        "num_nonnulls(buyer_tax_id, carrier, donation_code) <= 1",
    )
    op.create_check_constraint(
        op.f("ck_voucher_order_channel_known"),
        "voucher_order",
        "channel IN ('web', 'app', 'counter')",
    )
    op.create_check_constraint(
        op.f("ck_voucher_order_counter_has_shift"),
        "voucher_order",
        "(channel = 'counter') = (shift_id IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_lot_vat_gone_within_vat"), "lot", "vat_gone BETWEEN 0 AND vat"
    )
    op.create_check_constraint(
        op.f("ck_lot_empty_is_recognised"),
        "lot",
        "used < units OR (net_recognised = net AND vat_gone = vat)",
    )
    op.create_check_constraint(
        op.f("ck_lot_expiry_mode_known"),
        "lot",
        "expiry_mode IN ('never', 'lapse', 'top_up', 'refund')",
    )
    op.create_check_constraint(op.f("ck_lot_due_by_its_end"), "lot", "due_at <= ends_at")
    op.create_check_constraint(
        op.f("ck_lot_end_has_a_mode"), "lot", "(expiry_mode = 'never') = (ends_at IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_lot_source_known"), "lot", "source IN ('order_item', 'period', 'gift')"
    )
    op.create_check_constraint(
        op.f("ck_payment_cash_has_shift"), "payment", "provider <> 'cash' OR shift_id IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_payment_only_paid_is_repaid"),
        "payment",
        "repaid = 0 OR status IN ('succeeded', 'surplus')",
    )
    op.create_check_constraint(
        op.f("ck_payment_asked_names_method"),
        "payment",
        "asked_at IS NULL OR method_ref IS NOT NULL OR by_holder",
    )
    op.create_check_constraint(
        op.f("ck_payment_repaid_within_amount"), "payment", "repaid BETWEEN 0 AND amount"
    )
    op.create_check_constraint(
        op.f("ck_redemption_top_up_sane"), "redemption", "top_up_vat BETWEEN 0 AND top_up"
    )
    op.create_check_constraint(
        op.f("ck_redemption_line_takes_cups"),
        "redemption_line",
        "cups > 0 AND amount >= 0 AND vat >= 0",
    )
    op.execute(_KEEP_TERMS)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TRIGGER keeps_its_lists ON offer_version_store")
    op.execute("DROP TRIGGER keeps_its_lists ON offer_version_product")
    op.execute("DROP TRIGGER keeps_its_terms ON offer_version")
    op.execute("DROP FUNCTION keeps_its_lists()")
    op.execute("DROP FUNCTION keeps_its_terms()")
    op.drop_index("ix_outbox_notice", table_name="outbox")
    op.drop_index("ix_outbox_undone", table_name="outbox")
    op.create_index("ix_outbox_undone", "outbox", ["due_at"], postgresql_where=sa.text("is_open"))
    op.drop_column("outbox", "is_notice")
    op.drop_constraint(op.f("ck_entry_kind_known"), "entry", type_="check")
    op.drop_constraint(op.f("ck_offer_version_expiry_mode_known"), "offer_version", type_="check")
    op.drop_constraint(op.f("ck_offer_version_accepted_at_known"), "offer_version", type_="check")
    op.drop_constraint(
        op.f("ck_offer_version_guarantee_not_negative"), "offer_version", type_="check"
    )
    op.drop_constraint(op.f("ck_lot_empty_is_recognised"), "lot", type_="check")
    op.drop_constraint(op.f("ck_lot_source_known"), "lot", type_="check")
    op.drop_constraint(op.f("ck_payment_asked_names_method"), "payment", type_="check")
    op.drop_constraint(op.f("ck_redemption_line_takes_cups"), "redemption_line", type_="check")
    op.drop_constraint(op.f("fk_voucher_order_shift_id_shift"), "voucher_order", type_="foreignkey")
    op.drop_column("voucher_order", "donation_code")
    op.drop_column("voucher_order", "carrier")
    op.drop_column("voucher_order", "buyer_tax_id")
    op.drop_column("voucher_order", "shift_id")
    op.drop_column("voucher_order", "channel")
    op.drop_column("store", "region")
    op.drop_column("redemption_line", "vat")
    op.drop_column("redemption", "top_up_vat")
    op.drop_column("redemption", "top_up")
    op.drop_constraint(op.f("fk_payment_shift_id_shift"), "payment", type_="foreignkey")
    op.drop_index(
        "ix_payment_shift", table_name="payment", postgresql_where=sa.text("shift_id IS NOT NULL")
    )
    op.drop_index("ix_payment_member", table_name="payment")
    op.drop_column("payment", "by_holder")
    op.drop_column("payment", "repaid")
    op.drop_column("payment", "shift_id")
    op.drop_column("payment", "provider")
    op.drop_constraint(
        op.f("fk_offer_version_proposed_by_id_staff"), "offer_version", type_="foreignkey"
    )
    op.drop_constraint(
        op.f("fk_offer_version_approved_by_id_staff"), "offer_version", type_="foreignkey"
    )
    op.drop_column("offer_version", "rejected_at")
    op.drop_column("offer_version", "rejected_by_id")
    op.drop_column("offer_version", "approved_at")
    op.drop_column("offer_version", "approved_by_id")
    op.drop_column("offer_version", "proposed_at")
    op.drop_column("offer_version", "proposed_by_id")
    op.drop_column("offer_version", "withdrawal_days")
    op.drop_column("offer_version", "refund_fee_bp")
    op.drop_column("offer_version", "refund_basis")
    op.drop_column("offer_version", "gift_unclaimed")
    op.drop_column("offer_version", "is_giftable")
    op.drop_column("offer_version", "sale_channels")
    op.drop_column("offer_version", "member_limit")
    op.drop_column("offer_version", "allows_top_up")
    op.drop_column("offer_version", "covers_up_to")
    op.drop_column("offer_version", "redeem_channels")
    op.drop_column("offer_version", "accepted_regions")
    op.drop_column("offer_version", "expires_after_unit")
    op.drop_column("offer_version", "expires_after_count")
    op.drop_column("offer_version", "bonus_use_bp")
    op.drop_column("offer_version", "bonus_after_unit")
    op.drop_column("offer_version", "bonus_after_count")
    op.drop_column("offer_version", "list_price")
    op.drop_column("offer_version", "unit")
    op.drop_column("offer_version", "vat_timing")
    op.drop_column("offer_version", "jurisdiction")
    op.drop_column("offer_version", "note")
    op.drop_index(
        "ix_lot_order_item", table_name="lot", postgresql_where=sa.text("order_item_id IS NOT NULL")
    )
    op.drop_index(
        "ix_lot_due", table_name="lot", postgresql_where=sa.text("is_open AND due_at IS NOT NULL")
    )
    op.create_index(
        op.f("ix_lot_due"),
        "lot",
        ["ends_at"],
        unique=False,
        postgresql_where="(is_open AND (ends_at IS NOT NULL))",
    )
    op.drop_column("lot", "due_at")
    op.drop_column("lot", "expiry_mode")
    op.drop_column("lot", "vat_gone")
    op.drop_column("lot", "is_bonus")
    op.drop_column("lot", "order_item_id")
    op.drop_column("lot", "buyer_id")
    op.drop_column("legal_entity", "jurisdiction")
    op.drop_column("device", "channel")
    op.drop_index(
        "uq_payment_difference_open",
        table_name="payment_difference",
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.drop_index("ix_payment_difference_found", table_name="payment_difference")
    op.drop_table("payment_difference")
    op.drop_index(
        "uq_repayment_live_once",
        table_name="repayment",
        postgresql_where=sa.text("status <> 'failed'"),
    )
    op.drop_index(
        "ix_repayment_shift",
        table_name="repayment",
        postgresql_where=sa.text("shift_id IS NOT NULL"),
    )
    op.drop_index("ix_repayment_payment", table_name="repayment")
    op.drop_index(
        "ix_repayment_due", table_name="repayment", postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.drop_table("repayment")
    op.drop_index("ix_dispute_payment", table_name="dispute")
    op.drop_table("dispute")
    op.drop_table("shift_total")
    op.drop_index("ix_refund_line_lot", table_name="refund_line")
    op.drop_table("refund_line")
    op.drop_index("ix_gift_item_lot", table_name="gift_item")
    op.drop_table("gift_item")
    op.drop_index(
        "ix_refund_unpaid", table_name="refund", postgresql_where=sa.text("status <> 'paid'")
    )
    op.drop_index("ix_refund_payer", table_name="refund")
    op.drop_table("refund")
    op.drop_index("ix_gift_giver", table_name="gift")
    op.drop_index("ix_gift_due", table_name="gift", postgresql_where=sa.text("status = 'open'"))
    op.drop_index(
        "ix_gift_claimed", table_name="gift", postgresql_where=sa.text("status = 'claimed'")
    )
    op.drop_table("gift")
    op.drop_table("provider_look")
    op.drop_table("gift_block")
    op.create_check_constraint(
        op.f("ck_entry_kind_known"),
        "entry",
        "kind IN ('sale', 'redemption', 'void', 'refund', 'payout', 'gift', 'claim', 'gift_return', 'transfer', 'lapse', 'top_up', 'earning', 'dispute_opened', 'dispute_won', 'dispute_lost', 'settlement', 'adjustment', 'breakage')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_expiry_mode_known"),
        "offer_version",
        "expiry_mode IN ('never', 'lapse')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_accepted_at_known"),
        "offer_version",
        "accepted_at IN ('all', 'selling', 'listed')",
    )
    op.create_check_constraint(
        op.f("ck_offer_version_guarantee_at_least_a_year"),
        "offer_version",
        "guarantee_months >= 12",
    )
    op.create_check_constraint(
        op.f("ck_lot_empty_is_recognised"), "lot", "used < units OR net_recognised = net"
    )
    op.create_check_constraint(
        op.f("ck_lot_source_known"), "lot", "source IN ('order_item', 'period')"
    )
    op.create_check_constraint(
        op.f("ck_payment_asked_names_method"),
        "payment",
        "asked_at IS NULL OR method_ref IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_redemption_line_takes_cups"), "redemption_line", "cups > 0 AND amount >= 0"
    )
