"""The accountants' side: accounts, what their own system calls them, and rates of VAT."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class Account(Base):
    """One account of the chart. The codes that rules book on are in `ledger.policy`.

    `is_built_in` accounts are those; a chain may add its own for adjustments.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind IN ('asset', 'liability', 'income', 'expense')", "kind_known"),
        CheckConstraint("code ~ '^[A-Za-z0-9][A-Za-z0-9.-]{0,19}$'", "code_plain"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    is_built_in: Mapped[bool] = mapped_column(default=False)


class AccountLabel(Base):
    """What an account is called, from a day on: by name, and by its code in the chain's own system.

    Exports write `external_code`. A change adds a row; what was exported keeps its own.
    """

    __tablename__ = "account_label"
    __table_args__ = (
        PrimaryKeyConstraint("code", "starts_on"),
        CheckConstraint("external_code <> ''", "external_code_given"),
    )

    code: Mapped[str] = mapped_column(ForeignKey(Account.code))
    starts_on: Mapped[date]
    name: Mapped[str]
    external_code: Mapped[str]


class VatRate(Base):
    """A rate of VAT from a day on, and how the net is rounded. A change adds a row.

    `basis_points` are hundredths of a percent: Taiwan's 5 % are 500.
    """

    __tablename__ = "vat_rate"
    __table_args__ = (
        PrimaryKeyConstraint("code", "starts_on"),
        CheckConstraint("basis_points BETWEEN 0 AND 9999", "rate_sane"),
        CheckConstraint("rounding IN ('half_up', 'half_even', 'down', 'up')", "rounding_known"),
    )

    code: Mapped[str]
    starts_on: Mapped[date]
    basis_points: Mapped[int]
    rounding: Mapped[str]
