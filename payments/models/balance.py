"""What the provider keeps for the chain: each movement of its balance, and what went to the bank.

All amounts here are in the provider's minor units, which are not ours: it counts New Taiwan
dollars in hundredths, and its fees need not be whole dollars. The names end in `_minor`.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class Payout(Base):
    """Money on its way from the provider to the chain's bank.

    `is_itemised` where the provider can say which movements went out with it (not for payouts
    made by hand). They have all been kept when `items_kept_at` is set; until then `items_after`
    is the last one of the pages that were.
    """

    __tablename__ = "payout"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'in_transit', 'paid', 'failed', 'cancelled')", "status_known"
        ),
        CheckConstraint("items_kept_at IS NULL OR is_itemised", "only_itemised_has_items"),
        Index("ix_payout_created_at", "created_at"),
        Index(
            "ix_payout_unkept",
            "created_at",
            postgresql_where=text("is_itemised AND items_kept_at IS NULL"),
        ),
    )

    provider_ref: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    is_automatic: Mapped[bool]
    is_itemised: Mapped[bool]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    arrives_at: Mapped[datetime]
    items_after: Mapped[str | None]
    items_kept_at: Mapped[datetime | None]


class BalanceTransaction(Base):
    """One movement of the chain's balance at the provider. Written once: they never change.

    `kind` is our word, `type` the provider's. `amount_minor − fee_minor = net_minor`, in the
    currency of the balance; `charged_minor` is what the card was charged (negative: given back),
    in the currency that the shopper saw. `payment_ref` is the payment that the movement belongs
    to, `source_ref` the charge, refund or payout that caused it. `payout_ref` is the payout that
    it went out with.
    """

    __tablename__ = "balance_transaction"
    __table_args__ = (
        CheckConstraint("net_minor = amount_minor - fee_minor", "net_is_amount_less_fee"),
        CheckConstraint(
            "kind IN ('charge', 'refund', 'dispute', 'fee', 'payout', 'other')", "kind_known"
        ),
        Index("ix_balance_transaction_created_at", "created_at"),
        Index(
            "ix_balance_transaction_payment",
            "payment_ref",
            postgresql_where=text("payment_ref IS NOT NULL"),
        ),
        Index(
            "ix_balance_transaction_payout",
            "payout_ref",
            postgresql_where=text("payout_ref IS NOT NULL"),
        ),
    )

    provider_ref: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    type: Mapped[str]
    source_ref: Mapped[str | None]
    payment_ref: Mapped[str | None]
    amount_minor: Mapped[int]
    fee_minor: Mapped[int]
    net_minor: Mapped[int]
    currency: Mapped[str]
    charged_minor: Mapped[int]
    charged_currency: Mapped[str]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    payout_ref: Mapped[str | None] = mapped_column(ForeignKey(Payout.provider_ref))


class ProviderDay(Base):
    """By how much the balance at the provider moved on one local day, payouts included.

    Kept with every movement, in its transaction, so that the balance at the beginning of any
    month costs a row a day and not a row a payment.
    """

    __tablename__ = "provider_day"
    __table_args__ = (PrimaryKeyConstraint("day_on", "currency"),)

    day_on: Mapped[date]
    currency: Mapped[str]
    net_minor: Mapped[int]


class ProviderFetch(Base):
    """How far one kind of news was fetched from the provider; the work that `due_at` asks for.

    While a walk through pages is under way, `[walk_since, walk_until)` is its span and
    `walk_after` the last object that was kept, so that whoever comes after a crash goes on there.
    Only a walk that came to its end moves `fetched_until`.
    """

    __tablename__ = "provider_fetch"
    __table_args__ = (
        CheckConstraint("stream IN ('transactions', 'payouts', 'items')", "stream_known"),
        CheckConstraint("(walk_since IS NULL) = (walk_until IS NULL)", "walk_has_both_ends"),
        CheckConstraint("walk_after IS NULL OR walk_until IS NOT NULL", "place_is_in_a_walk"),
    )

    stream: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    fetched_until: Mapped[datetime | None]
    walk_since: Mapped[datetime | None]
    walk_until: Mapped[datetime | None]
    walk_after: Mapped[str | None]
