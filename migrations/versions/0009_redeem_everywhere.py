"""Redeem everywhere: several drinks in one scan, voids of a part, cards, offline, devices' keys."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009_redeem_everywhere"
down_revision: str | None = "0008_count_plans"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The drink moves from the redemption to its lines, and who undid it into a void of its own.
_BACKFILL = (
    """
    UPDATE redemption_line AS line SET product_id = redemption.product_id
    FROM redemption
    WHERE redemption.member_id = line.member_id AND redemption.id = line.redemption_id
    """,
    """
    UPDATE redemption_line AS line SET top_up = redemption.top_up
    FROM redemption
    WHERE redemption.member_id = line.member_id AND redemption.id = line.redemption_id
      AND redemption.top_up > 0
      AND line.lot_id = (
          SELECT max(last.lot_id::text)::uuid FROM redemption_line AS last
          WHERE last.member_id = line.member_id AND last.redemption_id = line.redemption_id
      )
    """,
    """
    UPDATE redemption_line AS line
    SET cups_voided = line.cups, amount_voided = line.amount, vat_voided = line.vat,
        top_up_voided = line.top_up
    FROM redemption
    WHERE redemption.member_id = line.member_id AND redemption.id = line.redemption_id
      AND redemption.voided_at IS NOT NULL
    """,
    "UPDATE redemption SET cups_voided = cups WHERE voided_at IS NOT NULL",
    """
    INSERT INTO redemption_void (member_id, id, redemption_id, store_id, staff_id, cups, top_up,
                                 voided_at, business_day, entry_id)
    SELECT redemption.member_id, gen_random_uuid(), redemption.id, redemption.store_id,
           redemption.voided_by_id, redemption.cups, redemption.top_up, redemption.voided_at,
           (redemption.voided_at AT TIME ZONE store.time_zone - store.day_ends_at::interval)::date,
           undoing.id
    FROM redemption JOIN store ON store.id = redemption.store_id
    LEFT JOIN entry AS undoing
           ON undoing.member_id = redemption.member_id AND undoing.reverses_id = redemption.entry_id
    WHERE redemption.voided_at IS NOT NULL
    """,
)

# What a till's log said stays as it said it; only what became of it may change.
_KEEP = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'jibei_app') THEN
        REVOKE DELETE, TRUNCATE ON offline_item, redemption_void, turned_away FROM jibei_app;
        REVOKE UPDATE ON redemption_void, turned_away FROM jibei_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON former_key FROM jibei_app;
    END IF;
END $$;
"""


_KINDS_BEFORE = (
    "'sale', 'redemption', 'void', 'refund', 'payout', 'gift', 'claim', 'gift_return', 'transfer',"
    " 'lapse', 'top_up', 'surplus', 'earning', 'dispute_opened', 'dispute_won', 'dispute_lost',"
    " 'settlement', 'adjustment', 'breakage'"
)
_KINDS = _KINDS_BEFORE.replace("'void', ", "'void', 'rest', ")

# What was kept of a refund may come back by a later one: then it is negative there.
_KEPT = (
    (
        "refund",
        "ck_refund_adds_up",
        "payable = gross - kept - fee AND payable >= 0 {}AND fee >= 0",
        "AND kept >= 0 ",
        "",
    ),
    (
        "refund_line",
        "ck_refund_line_keeps_no_more_than_it_gives",
        (
            "net >= 0 AND vat >= 0 AND {} AND fee_net >= 0 AND fee_vat >= 0"
            " AND kept_net + kept_vat + fee_net + fee_vat <= net + vat"
        ),
        "kept_net >= 0 AND kept_vat >= 0",
        "(kept_net >= 0 AND kept_vat >= 0 OR kept_net <= 0 AND kept_vat <= 0)",
    ),
)


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of queueing every request behind it.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_constraint(op.f("ck_entry_kind_known"), "entry", type_="check")
    op.create_check_constraint(op.f("ck_entry_kind_known"), "entry", f"kind IN ({_KINDS})")
    for table, name, rule, _, after in _KEPT:
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, rule.format(after))
    op.create_table(
        "late_void",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by_id IS NULL) AND (decided_at IS NULL) = (is_approved IS NULL)",
            name=op.f("ck_late_void_decision_is_whole"),
        ),
        sa.CheckConstraint(
            "NOT is_approved OR decided_by_id <> asked_by_id",
            name=op.f("ck_late_void_by_two_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_void")),
    )
    op.create_index(
        "uq_late_void_open",
        "late_void",
        ["redemption_id"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "offline_item",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signed_by", sa.LargeBinary(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.LargeBinary(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cups_borne", sa.BigInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by_id", sa.Uuid(), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'applied') = (reason IS NULL)",
            name=op.f("ck_offline_item_reason_unless_applied"),
        ),
        sa.CheckConstraint(
            "outcome IN ('applied', 'overdrawn', 'review')",
            name=op.f("ck_offline_item_outcome_known"),
        ),
        sa.CheckConstraint(
            "remedy IN ('charged', 'borne', 'dismissed')", name=op.f("ck_offline_item_remedy_known")
        ),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (remedy IS NULL) AND (resolved_at IS NULL) = (resolved_by_id IS NULL)",
            name=op.f("ck_offline_item_resolution_is_whole"),
        ),
        sa.CheckConstraint(
            "cups > 0 AND cups_borne BETWEEN 0 AND cups", name=op.f("ck_offline_item_cups_sane")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_offline_item_number_positive")),
        sa.CheckConstraint(
            "octet_length(hash) = 32", name=op.f("ck_offline_item_hash_has_32_bytes")
        ),
        sa.CheckConstraint(
            "octet_length(previous_hash) = 32",
            name=op.f("ck_offline_item_previous_hash_has_32_bytes"),
        ),
        sa.PrimaryKeyConstraint("device_id", "number", "hash", name=op.f("pk_offline_item")),
    )
    op.create_index(
        "ix_offline_item_day", "offline_item", ["store_id", "business_day"], unique=False
    )
    op.create_index(
        "ix_offline_item_open",
        "offline_item",
        ["store_id", "received_at"],
        unique=False,
        postgresql_where=sa.text("outcome <> 'applied' AND resolved_at IS NULL"),
    )
    op.create_index(
        "ix_offline_item_wallet", "offline_item", ["member_id", "served_at"], unique=False
    )
    op.create_table(
        "wallet_block",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=True),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("blocked_by_id", sa.Uuid(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "is_own = (blocked_by_id IS NULL) AND is_own = (redemption_id IS NULL)"
            " AND is_own = (store_id IS NULL) AND is_own = (reason IS NULL)",
            name=op.f("ck_wallet_block_chains_own_says_why"),
        ),
        sa.CheckConstraint(
            "lifted_at IS NOT NULL OR lifted_by_id IS NULL",
            name=op.f("ck_wallet_block_who_lifted_has_time"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_wallet_block_wallet"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_block")),
    )
    op.create_index(
        "uq_wallet_block_open",
        "wallet_block",
        ["member_id", "is_own"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "turned_away",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("turned_away_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.CheckConstraint("cups > 0", name=op.f("ck_turned_away_cups_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turned_away")),
    )
    op.create_index("ix_turned_away_day", "turned_away", ["store_id", "business_day"], unique=False)
    op.create_table(
        "redemption_void",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.Column("top_up", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "approved_by_id <> staff_id", name=op.f("ck_redemption_void_by_two_people")
        ),
        sa.CheckConstraint("cups > 0", name=op.f("ck_redemption_void_cups_positive")),
        sa.CheckConstraint("top_up >= 0", name=op.f("ck_redemption_void_top_up_not_negative")),
        sa.ForeignKeyConstraint(
            ["member_id", "redemption_id"],
            ["redemption.member_id", "redemption.id"],
            name="fk_redemption_void_redemption",
        ),
        sa.PrimaryKeyConstraint("member_id", "id", name=op.f("pk_redemption_void")),
    )
    op.create_index(
        "ix_redemption_void_day", "redemption_void", ["store_id", "business_day"], unique=False
    )
    op.create_index("ix_redemption_void_news", "redemption_void", ["store_id", "id"], unique=False)
    op.create_table(
        "capsule",
        sa.Column("serial", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.Column("store_group", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cups BETWEEN 1 AND 2", name=op.f("ck_capsule_one_or_two_cups")),
        sa.CheckConstraint("key_id BETWEEN 0 AND 255", name=op.f("ck_capsule_key_id_has_1_byte")),
        sa.CheckConstraint("octet_length(serial) = 8", name=op.f("ck_capsule_serial_has_8_bytes")),
        sa.CheckConstraint(
            "store_group BETWEEN 0 AND 65535", name=op.f("ck_capsule_store_group_has_2_bytes")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_capsule_wallet"),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_capsule")),
    )
    op.create_index("ix_capsule_member", "capsule", ["member_id", "ends_at"], unique=False)
    op.create_index(
        "ix_capsule_revoked",
        "capsule",
        ["ends_at"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.create_index(
        "ix_wallet_blocked",
        "wallet",
        ["member_id"],
        unique=False,
        postgresql_where=sa.text("blocked_at IS NOT NULL"),
    )
    op.add_column(
        "credential",
        sa.Column("kind", sa.Text(), server_default=sa.text("'phone'"), nullable=False),
    )
    op.add_column("credential", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("credential", sa.Column("approved_cups", sa.BigInteger(), nullable=True))
    op.add_column(
        "credential", sa.Column("approved_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("credential", sa.Column("phone_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_member_session_live",
        "member_session",
        ["member_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.add_column("device", sa.Column("public_key", sa.LargeBinary(), nullable=True))
    op.add_column(
        "device", sa.Column("profile", sa.Text(), server_default=sa.text("'till'"), nullable=False)
    )
    op.add_column("device", sa.Column("software_version", sa.Text(), nullable=True))
    op.add_column("device", sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("staff", sa.Column("pin_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint(op.f("uq_device_public_key"), "device", ["public_key"])
    op.create_table(
        "former_key",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "octet_length(public_key) = 32", name=op.f("ck_former_key_public_key_has_32_bytes")
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_former_key_device_id_device")
        ),
        sa.PrimaryKeyConstraint("device_id", "public_key", name=op.f("pk_former_key")),
    )
    op.add_column(
        "redemption",
        sa.Column("is_offline", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "redemption",
        sa.Column("cups_voided", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("redemption", sa.Column("disowned_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("redemption", "step", existing_type=sa.BIGINT(), nullable=True)
    op.create_index("ix_redemption_day", "redemption", ["store_id", "business_day"], unique=False)
    op.add_column("redemption_line", sa.Column("product_id", sa.Uuid(), nullable=True))
    op.add_column(
        "redemption_line",
        sa.Column("cups_voided", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "redemption_line",
        sa.Column("amount_voided", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "redemption_line",
        sa.Column("vat_voided", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "redemption_line",
        sa.Column("top_up", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "redemption_line",
        sa.Column("top_up_voided", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "store",
        sa.Column("offline_group", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
    for statement in _BACKFILL:
        op.execute(statement)
    op.alter_column("redemption_line", "product_id", nullable=False)
    op.drop_constraint(op.f("pk_redemption_line"), "redemption_line", type_="primary")
    op.create_primary_key(
        op.f("pk_redemption_line"),
        "redemption_line",
        ["member_id", "redemption_id", "lot_id", "product_id"],
    )
    op.drop_constraint(op.f("ck_redemption_void_has_author"), "redemption", type_="check")
    op.drop_column("redemption", "product_id")
    op.drop_column("redemption", "voided_by_id")
    op.create_check_constraint(
        op.f("ck_credential_kind_known"), "credential", "kind IN ('phone', 'code', 'card')"
    )
    op.create_check_constraint(
        op.f("ck_credential_approval_is_whole"),
        "credential",
        "(approved_cups IS NULL) = (approved_until IS NULL) AND approved_cups > 0",
    )
    op.create_check_constraint(
        op.f("ck_redemption_voided_within_cups"), "redemption", "cups_voided BETWEEN 0 AND cups"
    )
    op.create_check_constraint(
        op.f("ck_redemption_voided_when_all_are"),
        "redemption",
        "(voided_at IS NULL) = (cups_voided < cups)",
    )
    op.create_check_constraint(
        op.f("ck_redemption_line_voided_within_taken"),
        "redemption_line",
        "cups_voided BETWEEN 0 AND cups AND amount_voided BETWEEN 0 AND amount AND vat_voided BETWEEN 0 AND vat AND top_up_voided BETWEEN 0 AND top_up",
    )
    op.create_check_constraint(
        op.f("ck_redemption_line_voided_wholly"),
        "redemption_line",
        "cups_voided < cups OR (amount_voided = amount AND vat_voided = vat AND top_up_voided = top_up)",
    )
    op.create_check_constraint(
        op.f("ck_store_offline_group_has_2_bytes"), "store", "offline_group BETWEEN 0 AND 65535"
    )
    op.create_check_constraint(
        op.f("ck_device_public_key_has_32_bytes"), "device", "octet_length(public_key) = 32"
    )
    op.create_check_constraint(
        op.f("ck_device_profile_known"), "device", "profile IN ('till', 'scanner', 'screen')"
    )
    op.execute(_KEEP)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_constraint(op.f("ck_entry_kind_known"), "entry", type_="check")
    op.create_check_constraint(op.f("ck_entry_kind_known"), "entry", f"kind IN ({_KINDS_BEFORE})")
    for table, name, rule, before, _ in _KEPT:
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, rule.format(before))
    op.drop_constraint(op.f("ck_credential_kind_known"), "credential", type_="check")
    op.drop_constraint(op.f("ck_credential_approval_is_whole"), "credential", type_="check")
    op.drop_constraint(op.f("ck_redemption_voided_within_cups"), "redemption", type_="check")
    op.drop_constraint(
        op.f("ck_redemption_line_voided_within_taken"), "redemption_line", type_="check"
    )
    op.drop_constraint(op.f("ck_redemption_line_voided_wholly"), "redemption_line", type_="check")
    op.drop_constraint(op.f("ck_store_offline_group_has_2_bytes"), "store", type_="check")
    op.drop_constraint(op.f("ck_device_public_key_has_32_bytes"), "device", type_="check")
    op.drop_constraint(op.f("ck_device_profile_known"), "device", type_="check")
    op.drop_constraint(op.f("ck_redemption_voided_when_all_are"), "redemption", type_="check")
    op.add_column("redemption", sa.Column("voided_by_id", sa.Uuid(), nullable=True))
    op.add_column("redemption", sa.Column("product_id", sa.Uuid(), nullable=True))
    op.execute(
        """
        UPDATE redemption SET product_id = (
            SELECT min(line.product_id::text)::uuid FROM redemption_line AS line
            WHERE line.member_id = redemption.member_id AND line.redemption_id = redemption.id
        ), voided_by_id = (
            SELECT min(redemption_void.staff_id::text)::uuid FROM redemption_void
            WHERE redemption_void.member_id = redemption.member_id
              AND redemption_void.redemption_id = redemption.id
              AND redemption.voided_at IS NOT NULL
        )
        """
    )
    op.alter_column("redemption", "product_id", nullable=False)
    op.create_check_constraint(
        op.f("ck_redemption_void_has_author"),
        "redemption",
        "(voided_at IS NULL) = (voided_by_id IS NULL)",
    )
    op.drop_column("store", "offline_group")
    op.drop_column("redemption_line", "top_up_voided")
    op.drop_column("redemption_line", "top_up")
    op.drop_column("redemption_line", "vat_voided")
    op.drop_column("redemption_line", "amount_voided")
    op.drop_column("redemption_line", "cups_voided")
    op.drop_constraint(op.f("pk_redemption_line"), "redemption_line", type_="primary")
    op.create_primary_key(
        op.f("pk_redemption_line"), "redemption_line", ["member_id", "redemption_id", "lot_id"]
    )
    op.drop_column("redemption_line", "product_id")
    op.drop_index("ix_redemption_day", table_name="redemption")
    op.alter_column("redemption", "step", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("redemption", "disowned_at")
    op.drop_column("redemption", "cups_voided")
    op.drop_column("redemption", "is_offline")
    op.drop_table("former_key")
    op.drop_constraint(op.f("uq_device_public_key"), "device", type_="unique")
    op.drop_column("staff", "pin_ends_at")
    op.drop_column("device", "last_seen_at")
    op.drop_column("device", "software_version")
    op.drop_column("device", "profile")
    op.drop_column("device", "public_key")
    op.drop_index(
        "ix_wallet_blocked",
        table_name="wallet",
        postgresql_where=sa.text("blocked_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_member_session_live",
        table_name="member_session",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_column("credential", "phone_since")
    op.drop_column("credential", "approved_until")
    op.drop_column("credential", "approved_cups")
    op.drop_column("credential", "name")
    op.drop_column("credential", "kind")
    op.drop_index("ix_capsule_member", table_name="capsule")
    op.drop_table("capsule")
    op.drop_index("ix_redemption_void_news", table_name="redemption_void")
    op.drop_index("ix_redemption_void_day", table_name="redemption_void")
    op.drop_table("redemption_void")
    op.drop_index("ix_turned_away_day", table_name="turned_away")
    op.drop_table("turned_away")
    op.drop_index(
        "uq_wallet_block_open",
        table_name="wallet_block",
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.drop_table("wallet_block")
    op.drop_index("ix_offline_item_wallet", table_name="offline_item")
    op.drop_index(
        "ix_offline_item_open",
        table_name="offline_item",
        postgresql_where=sa.text("outcome <> 'applied' AND resolved_at IS NULL"),
    )
    op.drop_index("ix_offline_item_day", table_name="offline_item")
    op.drop_table("offline_item")
    op.drop_index(
        "uq_late_void_open", table_name="late_void", postgresql_where=sa.text("decided_at IS NULL")
    )
    op.drop_table("late_void")
