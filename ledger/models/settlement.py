"""What stores have paid one another."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base


class SettlementPayment(Base):
    """One payment from a store to another for cups made there; in the books as `entry_id`."""

    __tablename__ = "settlement_payment"
    __table_args__ = (
        CheckConstraint("payer_id <> payee_id", "two_stores"),
        CheckConstraint("amount > 0", "amount_positive"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency_plain"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payer_id: Mapped[UUID]
    payee_id: Mapped[UUID]
    amount: Mapped[int]
    currency: Mapped[str]
    paid_on: Mapped[date]
    reference: Mapped[str]
    recorded_by_id: Mapped[UUID]
    recorded_at: Mapped[datetime]
    entry_id: Mapped[UUID]
