"""Periods, roll-ups, estimates, adjustments, checks and seals; entries get both dates and a hash."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003_deepen_the_books"
down_revision: str | None = "0002_protect_the_books"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = (
    "'sale', 'redemption', 'void', 'refund', 'payout', 'gift', 'claim', 'gift_return', 'transfer', "
    "'lapse', 'top_up', 'earning', 'dispute_opened', 'dispute_won', 'dispute_lost', 'settlement', "
    "'adjustment', 'breakage'"
)
_KINDS_BEFORE = "'sale', 'redemption', 'void', 'lapse'"

_LOCK = """
CREATE FUNCTION books_lock() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 1818584167;
CREATE FUNCTION month_number(day date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (extract(year FROM day) * 12 + extract(month FROM day))::integer;
"""

# Every statement in the function sees what was committed before it: after the lock, a month that
# its closer has just closed. Finance passes by a door of its own (a month's number, negative), see
# `ledger.service.dating`.
# Sums of bigint that stay bigint: sum() makes numerics, which cost a large report half its time.
_TOTAL = """
CREATE AGGREGATE total(bigint) (
    SFUNC = int8pl, STYPE = bigint, INITCOND = '0', COMBINEFUNC = int8pl, PARALLEL = SAFE)
"""

_ENTERS = """
CREATE FUNCTION enters_the_books() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(books_lock(), month)
    FROM (
        SELECT DISTINCT CASE WHEN kind IN ('adjustment', 'breakage')
                             THEN -month_number(book_date) ELSE month_number(book_date) END AS month
        FROM fresh ORDER BY 1
    ) months;
    IF EXISTS (
        SELECT FROM fresh
        CROSS JOIN (
            SELECT max(first_on) AS first_on,
                   max(first_on) FILTER (WHERE state = 'closed') AS closed_on
            FROM book_month
        ) latest
        WHERE date_trunc('month', book_date)::date <= latest.closed_on
           OR (date_trunc('month', book_date)::date <= latest.first_on
               AND kind NOT IN ('adjustment', 'breakage'))
    ) THEN
        RAISE EXCEPTION 'the month is closed to this entry: book it in the first open one'
            USING ERRCODE = 'check_violation', TABLE = 'entry',
                  CONSTRAINT = 'ck_entry_period_open';
    END IF;
    INSERT INTO unfolded (entry_id, member_id, book_date)
    SELECT id, member_id, book_date FROM fresh;
    RETURN NULL;
END $$
"""

# What `ledger.content` had computed for the entries that are there already.
_CONTENT_HASH = """
sha256(convert_to(
    concat_ws('|', entry.member_id, entry.id, entry.kind, entry.source_id,
              (extract(epoch FROM entry.event_at) * 1000000)::bigint,
              to_char(entry.occurred_on, 'YYYY-MM-DD'), to_char(entry.book_date, 'YYYY-MM-DD'),
              entry.currency, coalesce(entry.reverses_id::text, ''))
    || coalesce((
        SELECT string_agg(
            E'\\n' || concat_ws('|', line.ordinal, line.store_id, line.debit, line.credit,
                               line.amount, line.qty,
                               coalesce(line.counterpart_store_id::text, ''),
                               coalesce(line.offer_id::text, ''), coalesce(line.lot_id::text, '')),
            '' ORDER BY line.ordinal)
        FROM line
        WHERE line.member_id = entry.member_id AND line.book_date = entry.book_date
          AND line.entry_id = entry.id), ''),
    'UTF8'))
"""

# What is written once: beside the seals, what a month was closed with, and what finance booked by.
_WRITTEN_ONCE = (
    "seal",
    "book_month_step",
    "month_balance",
    "breakage_estimate",
    "breakage_run",
    "adjustment_line",
    "settlement_payment",
)
_REVOKE = f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'jibei_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON {", ".join(_WRITTEN_ONCE)} FROM jibei_app;
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "adjustment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejected_by_id", sa.Uuid(), nullable=True),
        sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_adjustment_currency_plain")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_adjustment_has_a_reason")),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by_id IS NULL) AND (approved_at IS NULL) = (entry_id IS NULL)",
            name=op.f("ck_adjustment_approved_is_booked"),
        ),
        sa.CheckConstraint(
            "(rejected_at IS NULL) = (rejected_by_id IS NULL)",
            name=op.f("ck_adjustment_rejected_by_somebody"),
        ),
        sa.CheckConstraint(
            "approved_by_id <> proposed_by_id", name=op.f("ck_adjustment_two_people")
        ),
        sa.CheckConstraint(
            "rejected_at IS NULL OR approved_at IS NULL", name=op.f("ck_adjustment_one_end")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
    )
    op.create_table(
        "book_month",
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("closing_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closing_asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL AND digest IS NOT NULL)",
            name=op.f("ck_book_month_closed_has_digest"),
        ),
        sa.CheckConstraint(
            "state = 'soft' OR closing_asked_at IS NULL",
            name=op.f("ck_book_month_closed_is_not_closing"),
        ),
        sa.CheckConstraint("state IN ('soft', 'closed')", name=op.f("ck_book_month_state_known")),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1", name=op.f("ck_book_month_starts_on_the_first")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_book_month_version_positive")),
        sa.PrimaryKeyConstraint("first_on", name=op.f("pk_book_month")),
    )
    op.create_table(
        "book_month_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "step IN ('soft_closed', 'opened', 'closed', 'reopened')",
            name=op.f("ck_book_month_step_step_known"),
        ),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1", name=op.f("ck_book_month_step_starts_on_the_first")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_month_step")),
    )
    op.create_table(
        "books_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "findings >= 0 AND checked >= 0", name=op.f("ck_books_check_counts_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books_check")),
    )
    op.create_table(
        "breakage_estimate",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("basis_points", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "method = 'proportional' OR basis_points = 0",
            name=op.f("ck_breakage_estimate_rate_is_proportional"),
        ),
        sa.CheckConstraint(
            "method IN ('off', 'proportional', 'remote')",
            name=op.f("ck_breakage_estimate_method_known"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_breakage_estimate_has_a_reason")),
        sa.CheckConstraint(
            "basis_points BETWEEN 0 AND 9999", name=op.f("ck_breakage_estimate_rate_sane")
        ),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1", name=op.f("ck_breakage_estimate_starts_on_the_first")
        ),
        sa.PrimaryKeyConstraint(
            "offer_id", "first_on", "version", name=op.f("pk_breakage_estimate")
        ),
    )
    op.create_table(
        "breakage_run",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("estimate_version", sa.BigInteger(), nullable=False),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("cups_sold", sa.BigInteger(), nullable=False),
        sa.Column("redeemed", sa.BigInteger(), nullable=False),
        sa.Column("cups_redeemed", sa.BigInteger(), nullable=False),
        sa.Column("recognised", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "first_on", "offer_id", "store_id", "account", "run", name=op.f("pk_breakage_run")
        ),
    )
    op.create_table(
        "month_balance",
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("counterpart_store_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1", name=op.f("ck_month_balance_starts_on_the_first")
        ),
        sa.PrimaryKeyConstraint(
            "first_on",
            "version",
            "account",
            "store_id",
            "offer_id",
            "counterpart_store_id",
            "currency",
            name=op.f("pk_month_balance"),
        ),
    )
    op.create_table(
        "rollup_day",
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "book_date", "account", "store_id", "kind", "currency", name=op.f("pk_rollup_day")
        ),
    )
    op.create_table(
        "rollup_forward",
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("redeemed", sa.BigInteger(), nullable=False),
        sa.Column("voided", sa.BigInteger(), nullable=False),
        sa.Column("lapsed", sa.BigInteger(), nullable=False),
        sa.Column("breakage", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("charged_back", sa.BigInteger(), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("transferred", sa.BigInteger(), nullable=False),
        sa.Column("adjusted", sa.BigInteger(), nullable=False),
        sa.Column("cups_sold", sa.BigInteger(), nullable=False),
        sa.Column("cups_redeemed", sa.BigInteger(), nullable=False),
        sa.Column("cups_voided", sa.BigInteger(), nullable=False),
        sa.Column("cups_lapsed", sa.BigInteger(), nullable=False),
        sa.Column("cups_breakage", sa.BigInteger(), nullable=False),
        sa.Column("cups_refunded", sa.BigInteger(), nullable=False),
        sa.Column("cups_charged_back", sa.BigInteger(), nullable=False),
        sa.Column("cups_earned", sa.BigInteger(), nullable=False),
        sa.Column("cups_transferred", sa.BigInteger(), nullable=False),
        sa.Column("cups_adjusted", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1", name=op.f("ck_rollup_forward_starts_on_the_first")
        ),
        sa.PrimaryKeyConstraint(
            "first_on",
            "store_id",
            "offer_id",
            "account",
            "currency",
            name=op.f("pk_rollup_forward"),
        ),
    )
    op.create_table(
        "rollup_month",
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("counterpart_store_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("cups", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1", name=op.f("ck_rollup_month_starts_on_the_first")
        ),
        sa.PrimaryKeyConstraint(
            "first_on",
            "account",
            "store_id",
            "offer_id",
            "counterpart_store_id",
            "kind",
            "currency",
            name=op.f("pk_rollup_month"),
        ),
    )
    op.create_table(
        "seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_seal_number_positive")),
        sa.CheckConstraint("octet_length(chain) = 32", name=op.f("ck_seal_chain_has_32_bytes")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal")),
        sa.UniqueConstraint("entry_id", "member_id", name="uq_seal_entry_once"),
    )
    op.create_table(
        "seal_head",
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_to", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "octet_length(chain) = 32", name=op.f("ck_seal_head_chain_has_32_bytes")
        ),
        sa.PrimaryKeyConstraint("on_date", name=op.f("pk_seal_head")),
    )
    op.create_table(
        "unfolded",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("book_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "member_id", name=op.f("pk_unfolded")),
    )
    op.create_table(
        "vat_rate",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("basis_points", sa.BigInteger(), nullable=False),
        sa.Column("rounding", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "rounding IN ('half_up', 'half_even', 'down', 'up')",
            name=op.f("ck_vat_rate_rounding_known"),
        ),
        sa.CheckConstraint("basis_points BETWEEN 0 AND 9999", name=op.f("ck_vat_rate_rate_sane")),
        sa.PrimaryKeyConstraint("code", "starts_on", name=op.f("pk_vat_rate")),
    )
    op.create_table(
        "account_label",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("external_code", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "external_code <> ''", name=op.f("ck_account_label_external_code_given")
        ),
        sa.ForeignKeyConstraint(
            ["code"], ["account.code"], name=op.f("fk_account_label_code_account")
        ),
        sa.PrimaryKeyConstraint("code", "starts_on", name=op.f("pk_account_label")),
    )
    op.create_table(
        "adjustment_line",
        sa.Column("adjustment_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("counterpart_store_id", sa.Uuid(), nullable=True),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_adjustment_line_amount_positive")),
        sa.CheckConstraint(
            "counterpart_store_id <> store_id",
            name=op.f("ck_adjustment_line_counterpart_is_another"),
        ),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_adjustment_line_two_accounts")),
        sa.ForeignKeyConstraint(
            ["adjustment_id"],
            ["adjustment.id"],
            name=op.f("fk_adjustment_line_adjustment_id_adjustment"),
        ),
        sa.ForeignKeyConstraint(
            ["credit"], ["account.code"], name=op.f("fk_adjustment_line_credit_account")
        ),
        sa.ForeignKeyConstraint(
            ["debit"], ["account.code"], name=op.f("fk_adjustment_line_debit_account")
        ),
        sa.PrimaryKeyConstraint("adjustment_id", "ordinal", name=op.f("pk_adjustment_line")),
    )
    op.create_table(
        "books_finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("invariant", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["books_check.id"], name=op.f("fk_books_finding_check_id_books_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books_finding")),
    )
    op.create_table(
        "reopening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_reopening_has_a_reason")),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by_id IS NULL)",
            name=op.f("ck_reopening_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "approved_by_id <> proposed_by_id", name=op.f("ck_reopening_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["first_on"], ["book_month.first_on"], name=op.f("fk_reopening_first_on_book_month")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reopening")),
        sa.UniqueConstraint("first_on", "version", name="uq_reopening_once_a_version"),
    )
    op.create_table(
        "store_owner",
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "extract(day FROM starts_on) = 1", name=op.f("ck_store_owner_starts_on_the_first")
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
            name=op.f("fk_store_owner_legal_entity_id_legal_entity"),
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.id"], name=op.f("fk_store_owner_store_id_store")
        ),
        sa.PrimaryKeyConstraint("store_id", "starts_on", name=op.f("pk_store_owner")),
    )
    op.create_table(
        "settlement_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payer_id", sa.Uuid(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_settlement_payment_amount_positive")),
        sa.CheckConstraint(
            "currency ~ '^[A-Z]{3}$'", name=op.f("ck_settlement_payment_currency_plain")
        ),
        sa.CheckConstraint("payer_id <> payee_id", name=op.f("ck_settlement_payment_two_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_payment")),
    )
    _widen_the_entry()
    _version_the_chart()
    _version_the_owners()
    _name_the_rates()
    op.execute(_LOCK)
    op.execute(_TOTAL)
    op.execute(_ENTERS)
    op.execute(
        "CREATE TRIGGER enters_the_books AFTER INSERT ON entry REFERENCING NEW TABLE AS fresh "
        "FOR EACH STATEMENT EXECUTE FUNCTION enters_the_books()"
    )
    op.execute("INSERT INTO unfolded SELECT id, member_id, book_date FROM entry")
    for table in _WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_books()"
        )
    op.execute(_REVOKE)


def _widen_the_entry() -> None:
    """More kinds, both dates, and the hash: of what was there, as it stands."""
    op.drop_constraint("ck_entry_kind_known", "entry")
    op.create_check_constraint("kind_known", "entry", f"kind IN ({_KINDS})")
    op.add_column("entry", sa.Column("occurred_on", sa.Date()))
    op.add_column("entry", sa.Column("content_hash", sa.LargeBinary()))
    op.execute("ALTER TABLE entry DISABLE TRIGGER append_only")
    op.execute("UPDATE entry SET occurred_on = book_date")
    op.execute(f"UPDATE entry SET content_hash = {_CONTENT_HASH}")
    op.execute("ALTER TABLE entry ENABLE TRIGGER append_only")
    op.alter_column("entry", "occurred_on", nullable=False)
    op.alter_column("entry", "content_hash", nullable=False)
    op.create_check_constraint("booked_late_never_early", "entry", "book_date >= occurred_on")
    op.create_check_constraint("currency_plain", "entry", "currency ~ '^[A-Z]{3}$'")
    op.create_check_constraint(
        "content_hash_has_32_bytes", "entry", "octet_length(content_hash) = 32"
    )
    op.create_index(
        "ix_entry_late",
        "entry",
        ["book_date"],
        postgresql_where=sa.text("book_date <> occurred_on"),
    )


def _version_the_chart() -> None:
    op.add_column("account", sa.Column("is_built_in", sa.Boolean(), server_default="true"))
    op.alter_column("account", "is_built_in", server_default=None, nullable=False)
    op.create_check_constraint("code_plain", "account", "code ~ '^[A-Za-z0-9][A-Za-z0-9.-]{0,19}$'")
    op.execute(
        "INSERT INTO account_label (code, starts_on, name, external_code) "
        "SELECT code, '1970-01-01', name, code FROM account"
    )
    op.drop_column("account", "name")


def _version_the_owners() -> None:
    op.execute(
        "INSERT INTO store_owner (store_id, starts_on, legal_entity_id) "
        "SELECT id, '1970-01-01', legal_entity_id FROM store"
    )
    op.drop_column("store", "legal_entity_id")


def _name_the_rates() -> None:
    """5 % was Taiwan's standard rate; others are named for their percentage."""
    name = (
        "CASE vat_percent WHEN 5 THEN 'standard' WHEN 0 THEN 'zero' ELSE 'vat-' || vat_percent END"
    )
    op.add_column("offer_version", sa.Column("vat_code", sa.Text()))
    op.execute(f"UPDATE offer_version SET vat_code = {name}")
    op.execute(
        "INSERT INTO vat_rate (code, starts_on, basis_points, rounding) "
        "SELECT DISTINCT vat_code, date '1970-01-01', vat_percent * 100, 'half_up' "
        "FROM offer_version"
    )
    op.alter_column("offer_version", "vat_code", nullable=False)
    op.drop_column("offer_version", "vat_percent")
    op.add_column(
        "offer_version", sa.Column("guarantee_months", sa.BigInteger(), server_default="12")
    )
    op.alter_column("offer_version", "guarantee_months", server_default=None, nullable=False)
    op.create_check_constraint(
        "guarantee_at_least_a_year", "offer_version", "guarantee_months >= 12"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TRIGGER enters_the_books ON entry")
    op.execute("DROP FUNCTION enters_the_books()")
    op.execute("DROP AGGREGATE total(bigint)")
    op.execute("DROP FUNCTION month_number(date)")
    op.execute("DROP FUNCTION books_lock()")
    op.add_column("offer_version", sa.Column("vat_percent", sa.BigInteger()))
    op.execute(
        "UPDATE offer_version SET vat_percent = (SELECT basis_points / 100 FROM vat_rate "
        "WHERE code = vat_code ORDER BY starts_on DESC LIMIT 1)"
    )
    op.alter_column("offer_version", "vat_percent", nullable=False)
    op.create_check_constraint("vat_percent_sane", "offer_version", "vat_percent BETWEEN 0 AND 99")
    op.drop_column("offer_version", "guarantee_months")
    op.drop_column("offer_version", "vat_code")
    op.add_column("store", sa.Column("legal_entity_id", sa.Uuid()))
    op.execute(
        "UPDATE store SET legal_entity_id = (SELECT legal_entity_id FROM store_owner "
        "WHERE store_id = store.id ORDER BY starts_on DESC LIMIT 1)"
    )
    op.alter_column("store", "legal_entity_id", nullable=False)
    op.create_foreign_key(
        "fk_store_legal_entity_id_legal_entity",
        "store",
        "legal_entity",
        ["legal_entity_id"],
        ["id"],
    )
    op.drop_constraint("ck_entry_booked_late_never_early", "entry")
    op.drop_constraint("ck_entry_currency_plain", "entry")
    op.drop_index("ix_entry_late", table_name="entry")
    op.drop_column("entry", "content_hash")
    op.drop_column("entry", "occurred_on")
    op.drop_constraint("ck_entry_kind_known", "entry")
    op.create_check_constraint("kind_known", "entry", f"kind IN ({_KINDS_BEFORE})")
    op.add_column("account", sa.Column("name", sa.Text()))
    op.execute(
        "UPDATE account SET name = (SELECT name FROM account_label "
        "WHERE code = account.code ORDER BY starts_on DESC LIMIT 1)"
    )
    op.alter_column("account", "name", nullable=False)
    op.drop_constraint("ck_account_code_plain", "account")
    op.drop_column("account", "is_built_in")
    op.drop_table("settlement_payment")
    op.drop_table("store_owner")
    op.drop_table("reopening")
    op.drop_table("books_finding")
    op.drop_table("adjustment_line")
    op.drop_table("account_label")
    op.drop_table("vat_rate")
    op.drop_table("unfolded")
    op.drop_table("seal_head")
    op.drop_table("seal")
    op.drop_table("rollup_month")
    op.drop_table("rollup_forward")
    op.drop_table("rollup_day")
    op.drop_table("month_balance")
    op.drop_table("breakage_run")
    op.drop_table("breakage_estimate")
    op.drop_table("books_check")
    op.drop_table("book_month_step")
    op.drop_table("book_month")
    op.drop_table("adjustment")
