"""What the provider keeps for the chain: movements of its balance, payouts, how far they are known."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004_provider_settlements"
down_revision: str | None = "0003_deepen_the_books"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of queueing every request behind it.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "payout",
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("is_itemised", sa.Boolean(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("items_after", sa.Text(), nullable=True),
        sa.Column("items_kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "items_kept_at IS NULL OR is_itemised", name=op.f("ck_payout_only_itemised_has_items")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'in_transit', 'paid', 'failed', 'cancelled')",
            name=op.f("ck_payout_status_known"),
        ),
        sa.PrimaryKeyConstraint("provider_ref", name=op.f("pk_payout")),
    )
    op.create_index("ix_payout_created_at", "payout", ["created_at"], unique=False)
    op.create_index(
        "ix_payout_unkept",
        "payout",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("is_itemised AND items_kept_at IS NULL"),
    )
    op.create_table(
        "balance_transaction",
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column("payment_ref", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("charged_minor", sa.BigInteger(), nullable=False),
        sa.Column("charged_currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payout_ref", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('charge', 'refund', 'dispute', 'fee', 'payout', 'other')",
            name=op.f("ck_balance_transaction_kind_known"),
        ),
        sa.CheckConstraint(
            "net_minor = amount_minor - fee_minor",
            name=op.f("ck_balance_transaction_net_is_amount_less_fee"),
        ),
        sa.ForeignKeyConstraint(
            ["payout_ref"],
            ["payout.provider_ref"],
            name=op.f("fk_balance_transaction_payout_ref_payout"),
        ),
        sa.PrimaryKeyConstraint("provider_ref", name=op.f("pk_balance_transaction")),
    )
    op.create_index(
        "ix_balance_transaction_created_at", "balance_transaction", ["created_at"], unique=False
    )
    op.create_index(
        "ix_balance_transaction_payment",
        "balance_transaction",
        ["payment_ref"],
        unique=False,
        postgresql_where=sa.text("payment_ref IS NOT NULL"),
    )
    op.create_index(
        "ix_balance_transaction_payout",
        "balance_transaction",
        ["payout_ref"],
        unique=False,
        postgresql_where=sa.text("payout_ref IS NOT NULL"),
    )
    op.create_table(
        "provider_day",
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day_on", "currency", name=op.f("pk_provider_day")),
    )
    op.create_table(
        "provider_fetch",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walk_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walk_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walk_after", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(walk_since IS NULL) = (walk_until IS NULL)",
            name=op.f("ck_provider_fetch_walk_has_both_ends"),
        ),
        sa.CheckConstraint(
            "stream IN ('transactions', 'payouts', 'items')",
            name=op.f("ck_provider_fetch_stream_known"),
        ),
        sa.CheckConstraint(
            "walk_after IS NULL OR walk_until IS NOT NULL",
            name=op.f("ck_provider_fetch_place_is_in_a_walk"),
        ),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_provider_fetch")),
    )
    op.create_index(
        "ix_payment_paid",
        "payment",
        ["settled_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('succeeded', 'surplus')"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_index("ix_payment_paid", table_name="payment")
    op.drop_table("provider_fetch")
    op.drop_table("provider_day")
    op.drop_table("balance_transaction")
    op.drop_table("payout")
