"""E-invoices: what is owed to buyer and tax office per sale, and the numbers for it.

What an invoice says is written once: amounts, buyer and number never change, and nothing is deleted.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005_issue_invoices"
down_revision: str | None = "0004_provider_settlements"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = ("invoice", "invoice_line", "invoice_document", "invoice_range")

_PLACE = (
    "(((extract(year FROM first_on)::bigint * 12 + extract(month FROM first_on)::bigint) * 26"
    " + ascii(left(prefix, 1)) - 65) * 26 + ascii(right(prefix, 1)) - 65) * 100000000"
)
_SPAN = f"int8range({_PLACE} + first_number, {_PLACE} + last_number, '[]')"

_REFUSE = """
CREATE FUNCTION refuse_to_change_invoices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'invoices are kept as they are: % on % is refused; give back instead',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

# What may change is named; everything else of a row stays what it was.
_MAY_CHANGE = {
    "invoice": (
        (
            "ARRAY['status', 'number', 'issued_at', 'seller_tax_id', 'seller_name', 'seller_address',"
            " 'taken_back_gross', 'taken_back_net', 'taken_back_vat']"
        ),
        (
            "OLD.number IS NOT NULL AND (NEW.number, NEW.issued_at, NEW.seller_tax_id, NEW.seller_name, NEW.seller_address)"
            " IS DISTINCT FROM (OLD.number, OLD.issued_at, OLD.seller_tax_id, OLD.seller_name, OLD.seller_address)"
            " OR NEW.taken_back_gross < OLD.taken_back_gross"
            " OR OLD.status = 'void' AND NEW.status <> 'void'"
        ),
    ),
    "invoice_document": (
        "ARRAY['status', 'tries', 'due_at', 'leased_until', 'sent_at', 'last_error']",
        "OLD.sent_at IS NOT NULL",
    ),
    "invoice_range": ("ARRAY['next_number']", "NEW.next_number < OLD.next_number"),
}

_REVOKE = f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'jibei_app') THEN
        REVOKE DELETE, TRUNCATE ON {", ".join(_TABLES)} FROM jibei_app;
        REVOKE UPDATE ON invoice_line FROM jibei_app;
    END IF;
END $$
"""


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of queueing every request behind it.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_tax_id", sa.Text(), nullable=True),
        sa.Column("buyer_carrier", sa.Text(), nullable=True),
        sa.Column("buyer_donation_code", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_gross", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_net", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_vat", sa.BigInteger(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("random_code", sa.Text(), nullable=False),
        sa.Column("seller_tax_id", sa.Text(), nullable=True),
        sa.Column("seller_name", sa.Text(), nullable=True),
        sa.Column("seller_address", sa.Text(), nullable=True),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "buyer_carrier ~ '^(/[0-9A-Z.+-]{7}|[A-Z]{2}[0-9]{14})$'",
            name=op.f("ck_invoice_buyer_carrier_plain"),
        ),
        sa.CheckConstraint(
            "buyer_donation_code ~ '^[0-9]{3,7}$'",
            name=op.f("ck_invoice_buyer_donation_code_plain"),
        ),
        sa.CheckConstraint(
            "buyer_tax_id ~ '^[0-9]{8}$'", name=op.f("ck_invoice_buyer_tax_id_plain")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_invoice_currency_plain")),
        sa.CheckConstraint("number ~ '^[A-Z]{2}[0-9]{8}$'", name=op.f("ck_invoice_number_plain")),
        sa.CheckConstraint("random_code ~ '^[0-9]{4}$'", name=op.f("ck_invoice_random_code_plain")),
        sa.CheckConstraint(
            "source IN ('order', 'period', 'redemption', 'top_up')",
            name=op.f("ck_invoice_source_known"),
        ),
        sa.CheckConstraint(
            "status <> 'due' OR number IS NULL", name=op.f("ck_invoice_due_has_no_number")
        ),
        sa.CheckConstraint(
            "status <> 'issued' OR number IS NOT NULL", name=op.f("ck_invoice_issued_has_a_number")
        ),
        sa.CheckConstraint(
            "status <> 'void' OR taken_back_gross = gross",
            name=op.f("ck_invoice_void_is_all_taken_back"),
        ),
        sa.CheckConstraint(
            "status IN ('due', 'issued', 'void')", name=op.f("ck_invoice_status_known")
        ),
        sa.CheckConstraint(
            "(number IS NULL) = (issued_at IS NULL) AND (number IS NULL) = (seller_tax_id IS NULL) AND (number IS NULL) = (seller_name IS NULL) AND (number IS NULL) = (seller_address IS NULL)",
            name=op.f("ck_invoice_numbered_by_a_seller"),
        ),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1 AND extract(month FROM first_on)::int % 2 = 1",
            name=op.f("ck_invoice_period_begins_an_odd_month"),
        ),
        sa.CheckConstraint("gross = net + vat", name=op.f("ck_invoice_gross_is_net_and_vat")),
        sa.CheckConstraint(
            "gross > 0 AND net >= 0 AND vat >= 0", name=op.f("ck_invoice_amounts_positive")
        ),
        sa.CheckConstraint(
            "num_nonnulls(buyer_tax_id, buyer_carrier, buyer_donation_code) <= 1",
            name=op.f("ck_invoice_buyer_is_one"),
        ),
        sa.CheckConstraint(
            "taken_back_gross = taken_back_net + taken_back_vat",
            name=op.f("ck_invoice_taken_back_is_net_and_vat"),
        ),
        sa.CheckConstraint(
            "taken_back_gross BETWEEN 0 AND gross AND taken_back_net BETWEEN 0 AND net AND taken_back_vat BETWEEN 0 AND vat",
            name=op.f("ck_invoice_taken_back_at_most_all"),
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
            name=op.f("fk_invoice_legal_entity_id_legal_entity"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_invoice_store_id_store")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("number", "first_on", name="uq_invoice_number"),
        sa.UniqueConstraint("source", "source_id", name="uq_invoice_source"),
    )
    op.create_index("ix_invoice_member", "invoice", ["member_id", "id"], unique=False)
    op.create_index("ix_invoice_period", "invoice", ["first_on", "id"], unique=False)
    op.create_index("ix_invoice_store", "invoice", ["store_id", "id"], unique=False)
    op.create_table(
        "invoice_range",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("seller_tax_id", sa.Text(), nullable=False),
        sa.Column("seller_address", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text(_SPAN), "&&"), using="gist", name="ex_invoice_range_overlap"
        ),
        sa.CheckConstraint("prefix ~ '^[A-Z]{2}$'", name=op.f("ck_invoice_range_prefix_plain")),
        sa.CheckConstraint("seller_address <> ''", name=op.f("ck_invoice_range_has_an_address")),
        sa.CheckConstraint(
            "seller_tax_id ~ '^[0-9]{8}$'", name=op.f("ck_invoice_range_seller_tax_id_plain")
        ),
        sa.CheckConstraint(
            "0 <= first_number AND first_number <= last_number AND last_number <= 99999999",
            name=op.f("ck_invoice_range_numbers_in_order"),
        ),
        sa.CheckConstraint(
            "extract(day FROM first_on) = 1 AND extract(month FROM first_on)::int % 2 = 1",
            name=op.f("ck_invoice_range_period_begins_an_odd_month"),
        ),
        sa.CheckConstraint(
            "next_number BETWEEN first_number AND last_number + 1",
            name=op.f("ck_invoice_range_next_within_the_range"),
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
            name=op.f("fk_invoice_range_legal_entity_id_legal_entity"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_range")),
    )
    op.create_index(
        "ix_invoice_range_seller",
        "invoice_range",
        ["legal_entity_id", "first_on", "prefix", "first_number"],
        unique=False,
    )
    op.create_table(
        "invoice_shortage",
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
            name=op.f("fk_invoice_shortage_legal_entity_id_legal_entity"),
        ),
        sa.PrimaryKeyConstraint("legal_entity_id", "first_on", name=op.f("pk_invoice_shortage")),
    )
    op.create_table(
        "invoice_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=True),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'issue') = (cause_id IS NULL)",
            name=op.f("ck_invoice_document_others_have_a_cause"),
        ),
        sa.CheckConstraint(
            "(kind = 'issue') = (ordinal = 1)", name=op.f("ck_invoice_document_issue_is_first")
        ),
        sa.CheckConstraint(
            "(status = 'sent') = (sent_at IS NOT NULL)",
            name=op.f("ck_invoice_document_sent_at_a_time"),
        ),
        sa.CheckConstraint("description <> ''", name=op.f("ck_invoice_document_has_a_description")),
        sa.CheckConstraint(
            "kind IN ('issue', 'void', 'allowance')", name=op.f("ck_invoice_document_kind_known")
        ),
        sa.CheckConstraint(
            "status <> 'waiting' OR ordinal > 1",
            name=op.f("ck_invoice_document_first_waits_for_none"),
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'due', 'sent')", name=op.f("ck_invoice_document_status_known")
        ),
        sa.CheckConstraint(
            "gross = net + vat", name=op.f("ck_invoice_document_gross_is_net_and_vat")
        ),
        sa.CheckConstraint(
            "gross > 0 AND net >= 0 AND vat >= 0", name=op.f("ck_invoice_document_amounts_positive")
        ),
        sa.CheckConstraint(
            "ordinal BETWEEN 1 AND 9999", name=op.f("ck_invoice_document_ordinal_fits")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_document_invoice_id_invoice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_document")),
        sa.UniqueConstraint("invoice_id", "cause_id", name="uq_invoice_document_cause"),
        sa.UniqueConstraint("invoice_id", "ordinal", name="uq_invoice_document_ordinal"),
    )
    op.create_index(
        "ix_invoice_document_due",
        "invoice_document",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'due'"),
    )
    op.create_index(
        "ix_invoice_document_unsent",
        "invoice_document",
        ["made_at"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_index(
        "uq_invoice_document_one_due",
        "invoice_document",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("status = 'due'"),
    )
    op.create_table(
        "invoice_line",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("vat_code", sa.Text(), nullable=False),
        sa.Column("basis_points", sa.BigInteger(), nullable=False),
        sa.Column("tax_type", sa.Text(), nullable=False),
        sa.CheckConstraint("description <> ''", name=op.f("ck_invoice_line_has_a_description")),
        sa.CheckConstraint(
            "tax_type = 'taxable' OR vat = 0", name=op.f("ck_invoice_line_vat_if_taxable")
        ),
        sa.CheckConstraint(
            "tax_type IN ('taxable', 'zero', 'exempt')", name=op.f("ck_invoice_line_tax_type_known")
        ),
        sa.CheckConstraint("gross = net + vat", name=op.f("ck_invoice_line_gross_is_net_and_vat")),
        sa.CheckConstraint(
            "gross >= 0 AND net >= 0 AND vat >= 0",
            name=op.f("ck_invoice_line_amounts_not_negative"),
        ),
        sa.CheckConstraint("ordinal BETWEEN 1 AND 9999", name=op.f("ck_invoice_line_ordinal_fits")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_invoice_line_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_line_invoice_id_invoice")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "ordinal", name=op.f("pk_invoice_line")),
    )
    op.execute(_REFUSE)
    for table in _TABLES:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_invoices()"
        )
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE ON invoice_line "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_invoices()"
    )
    for table, (columns, refused) in _MAY_CHANGE.items():
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN (to_jsonb(NEW) - {columns} IS DISTINCT FROM to_jsonb(OLD) - {columns}"
            f" OR {refused}) EXECUTE FUNCTION refuse_to_change_invoices()"
        )
    op.execute(_REVOKE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("invoice_shortage")
    op.drop_table("invoice_range")
    op.drop_table("invoice_document")
    op.drop_table("invoice_line")
    op.drop_table("invoice")
    op.execute("DROP FUNCTION refuse_to_change_invoices()")
