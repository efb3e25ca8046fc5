"""Invoices, their lines, what of them is sent to the tax office, and the numbers to give them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import LegalEntity, Store
from kernel.db import Base

SOURCES = ("order", "period", "plan_change", "redemption", "top_up")
STATUSES = ("due", "issued", "void")
KINDS = ("issue", "void", "allowance")
DOCUMENT_STATUSES = ("waiting", "due", "sent")

# Where a number lies among all that there are: two-month period, letters, digits.
_PLACE = (
    "(((extract(year FROM first_on)::bigint * 12 + extract(month FROM first_on)::bigint) * 26"
    " + ascii(left(prefix, 1)) - 65) * 26 + ascii(right(prefix, 1)) - 65) * 100000000"
)
_SPAN = f"int8range({_PLACE} + first_number, {_PLACE} + last_number, '[]')"


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return "{} IN ({})".format(column, ", ".join(f"'{word}'" for word in words))


_FILING_PERIOD = "extract(day FROM first_on) = 1 AND extract(month FROM first_on)::int % 2 = 1"


class Invoice(Base):
    """What a seller owes the buyer and the tax office for one sale, once per source.

    `due` until it has its number; `first_on` is the first day of the two months that it is filed
    with. Of `gross` (`net` and `vat`) so much was given back as `taken_back_…` says.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("source", "source_id", name="uq_invoice_source"),
        UniqueConstraint("number", "first_on", name="uq_invoice_number"),
        CheckConstraint(_one_of("source", SOURCES), "source_known"),
        CheckConstraint(_one_of("status", STATUSES), "status_known"),
        CheckConstraint(
            "num_nonnulls(buyer_tax_id, buyer_carrier, buyer_donation_code) <= 1", "buyer_is_one"
        ),
        CheckConstraint("buyer_tax_id ~ '^[0-9]{8}$'", "buyer_tax_id_plain"),
        CheckConstraint(
            "buyer_carrier ~ '^(/[0-9A-Z.+-]{7}|[A-Z]{2}[0-9]{14})$'", "buyer_carrier_plain"
        ),
        CheckConstraint("buyer_donation_code ~ '^[0-9]{3,7}$'", "buyer_donation_code_plain"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency_plain"),
        CheckConstraint("gross > 0 AND net >= 0 AND vat >= 0", "amounts_positive"),
        CheckConstraint("gross = net + vat", "gross_is_net_and_vat"),
        CheckConstraint(
            "taken_back_gross BETWEEN 0 AND gross AND taken_back_net BETWEEN 0 AND net"
            " AND taken_back_vat BETWEEN 0 AND vat",
            "taken_back_at_most_all",
        ),
        CheckConstraint(
            "taken_back_gross = taken_back_net + taken_back_vat", "taken_back_is_net_and_vat"
        ),
        CheckConstraint("status <> 'void' OR taken_back_gross = gross", "void_is_all_taken_back"),
        CheckConstraint(_FILING_PERIOD, "period_begins_an_odd_month"),
        CheckConstraint("number ~ '^[A-Z]{2}[0-9]{8}$'", "number_plain"),
        CheckConstraint("random_code ~ '^[0-9]{4}$'", "random_code_plain"),
        CheckConstraint("status <> 'due' OR number IS NULL", "due_has_no_number"),
        CheckConstraint("status <> 'issued' OR number IS NOT NULL", "issued_has_a_number"),
        CheckConstraint(
            "(number IS NULL) = (issued_at IS NULL) AND (number IS NULL) = (seller_tax_id IS NULL)"
            " AND (number IS NULL) = (seller_name IS NULL)"
            " AND (number IS NULL) = (seller_address IS NULL)",
            "numbered_by_a_seller",
        ),
        Index("ix_invoice_member", "member_id", "id"),
        Index("ix_invoice_period", "first_on", "id"),
        Index("ix_invoice_store", "store_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    legal_entity_id: Mapped[UUID] = mapped_column(ForeignKey(LegalEntity.id))
    source: Mapped[str]
    source_id: Mapped[UUID]
    buyer_tax_id: Mapped[str | None]
    buyer_carrier: Mapped[str | None]
    buyer_donation_code: Mapped[str | None]
    currency: Mapped[str]
    gross: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]
    taken_back_gross: Mapped[int] = mapped_column(default=0)
    taken_back_net: Mapped[int] = mapped_column(default=0)
    taken_back_vat: Mapped[int] = mapped_column(default=0)
    first_on: Mapped[date]
    status: Mapped[str] = mapped_column(default="due")
    number: Mapped[str | None]
    random_code: Mapped[str]
    seller_tax_id: Mapped[str | None]
    seller_name: Mapped[str | None]
    seller_address: Mapped[str | None]
    sold_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]


class InvoicedLine(Base):
    """One line of an invoice, as it was sold. Never changed.

    `basis_points` is the rate that `vat_code` had; `tax_type` what the tax office calls it.
    """

    __tablename__ = "invoice_line"
    __table_args__ = (
        PrimaryKeyConstraint("invoice_id", "ordinal"),
        CheckConstraint("ordinal BETWEEN 1 AND 9999", "ordinal_fits"),
        CheckConstraint("description <> ''", "has_a_description"),
        CheckConstraint("quantity > 0", "quantity_positive"),
        CheckConstraint("gross >= 0 AND net >= 0 AND vat >= 0", "amounts_not_negative"),
        CheckConstraint("gross = net + vat", "gross_is_net_and_vat"),
        CheckConstraint("tax_type IN ('taxable', 'zero', 'exempt')", "tax_type_known"),
        CheckConstraint("tax_type = 'taxable' OR vat = 0", "vat_if_taxable"),
    )

    invoice_id: Mapped[UUID] = mapped_column(ForeignKey(Invoice.id))
    ordinal: Mapped[int]
    description: Mapped[str]
    quantity: Mapped[int]
    gross: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]
    vat_code: Mapped[str]
    basis_points: Mapped[int]
    tax_type: Mapped[str]


class InvoiceDocument(Base):
    """One thing that the tax office is told of an invoice, in order: first that it was issued.

    `waiting` while the one before it has not been sent; then `due`, and tried until it is `sent`.
    `cause_id` is what made it necessary (a refund), once per invoice; the issue has none. Amounts
    are those of the invoice, or what of it is given back.
    """

    __tablename__ = "invoice_document"
    __table_args__ = (
        UniqueConstraint("invoice_id", "ordinal", name="uq_invoice_document_ordinal"),
        UniqueConstraint("invoice_id", "cause_id", name="uq_invoice_document_cause"),
        CheckConstraint(_one_of("kind", KINDS), "kind_known"),
        CheckConstraint(_one_of("status", DOCUMENT_STATUSES), "status_known"),
        CheckConstraint("(kind = 'issue') = (ordinal = 1)", "issue_is_first"),
        CheckConstraint("(kind = 'issue') = (cause_id IS NULL)", "others_have_a_cause"),
        CheckConstraint("ordinal BETWEEN 1 AND 9999", "ordinal_fits"),
        CheckConstraint("description <> ''", "has_a_description"),
        CheckConstraint("gross > 0 AND net >= 0 AND vat >= 0", "amounts_positive"),
        CheckConstraint("gross = net + vat", "gross_is_net_and_vat"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", "sent_at_a_time"),
        CheckConstraint("status <> 'waiting' OR ordinal > 1", "first_waits_for_none"),
        Index(
            "uq_invoice_document_one_due",
            "invoice_id",
            unique=True,
            postgresql_where=text("status = 'due'"),
        ),
        Index("ix_invoice_document_due", "due_at", postgresql_where=text("status = 'due'")),
        Index("ix_invoice_document_unsent", "made_at", postgresql_where=text("sent_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey(Invoice.id))
    ordinal: Mapped[int]
    kind: Mapped[str]
    cause_id: Mapped[UUID | None]
    gross: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]
    description: Mapped[str]
    made_at: Mapped[datetime]
    status: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class InvoiceRange(Base):
    """Numbers that the tax office has assigned to a seller for two months (字軌).

    `first_number` to `last_number` behind the letters of `prefix`; `next_number` is given next, and
    is one past the last when all are given. No number is in two ranges of a period.
    """

    __tablename__ = "invoice_range"
    __table_args__ = (
        CheckConstraint("prefix ~ '^[A-Z]{2}$'", "prefix_plain"),
        CheckConstraint("seller_tax_id ~ '^[0-9]{8}$'", "seller_tax_id_plain"),
        CheckConstraint("seller_address <> ''", "has_an_address"),
        CheckConstraint(
            "0 <= first_number AND first_number <= last_number AND last_number <= 99999999",
            "numbers_in_order",
        ),
        CheckConstraint(
            "next_number BETWEEN first_number AND last_number + 1", "next_within_the_range"
        ),
        CheckConstraint(_FILING_PERIOD, "period_begins_an_odd_month"),
        ExcludeConstraint((text(_SPAN), "&&"), using="gist", name="ex_invoice_range_overlap"),
        Index("ix_invoice_range_seller", "legal_entity_id", "first_on", "prefix", "first_number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[UUID] = mapped_column(ForeignKey(LegalEntity.id))
    seller_tax_id: Mapped[str]
    seller_address: Mapped[str]
    first_on: Mapped[date]
    prefix: Mapped[str]
    first_number: Mapped[int]
    last_number: Mapped[int]
    next_number: Mapped[int]
    added_by_id: Mapped[UUID]
    added_at: Mapped[datetime]


class InvoiceShortage(Base):
    """A seller has no number left for a period, and somebody was told; gone when there are more."""

    __tablename__ = "invoice_shortage"
    __table_args__ = (PrimaryKeyConstraint("legal_entity_id", "first_on"),)

    legal_entity_id: Mapped[UUID] = mapped_column(ForeignKey(LegalEntity.id))
    first_on: Mapped[date]
    told_at: Mapped[datetime]
