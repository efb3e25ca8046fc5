"""What members bought and must pay for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chain.models import Shift, Store
from kernel.db import Base
from payments.models import Card
from vouchers.models.offer import OfferVersion


class Order(Base):
    """What a member bought and must pay for: pending → fulfilled, or ended.

    `channel` is where it was placed; at the counter a clerk placed it in a `shift`. Its invoice
    goes to the company with `buyer_tax_id`, to a `carrier`, to whom `donation_code` names, or to
    nobody in particular. `card_id` is left for renewals where the order itself costs nothing.
    """

    __tablename__ = "voucher_order"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'fulfilled', 'ended')", "status_known"),
        CheckConstraint("channel IN ('web', 'app', 'counter')", "channel_known"),
        CheckConstraint("(channel = 'counter') = (shift_id IS NOT NULL)", "counter_has_shift"),
        CheckConstraint(
            "num_nonnulls(buyer_tax_id, carrier, donation_code) <= 1", "one_way_of_invoice"
        ),
        CheckConstraint("total >= 0", "total_not_negative"),
        CheckConstraint("(status = 'fulfilled') = (paid_at IS NOT NULL)", "paid_has_time"),
        CheckConstraint("(paid_at IS NULL) = (fulfilled_at IS NULL)", "paid_is_fulfilled"),
        Index("ix_voucher_order_member", "member_id", "id"),
        Index("ix_voucher_order_unpaid", "ends_at", postgresql_where=text("status = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    channel: Mapped[str] = mapped_column(default="app")
    shift_id: Mapped[UUID | None] = mapped_column(ForeignKey(Shift.id))
    status: Mapped[str] = mapped_column(default="pending")
    total: Mapped[int]
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey(Card.id))
    currency: Mapped[str]
    buyer_tax_id: Mapped[str | None]
    carrier: Mapped[str | None]
    donation_code: Mapped[str | None]
    ordered_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]


class OrderItem(Base):
    """One offer in an order, so many times. `gross = net + vat`, for all of them together.

    With `gift_periods` it is so many periods of a plan, to be given to somebody.
    """

    __tablename__ = "order_item"
    __table_args__ = (
        UniqueConstraint("order_id", "position", name="uq_order_item_position"),
        CheckConstraint("quantity BETWEEN 1 AND 99", "quantity_bounded"),
        CheckConstraint("gift_periods BETWEEN 1 AND 60", "gift_periods_bounded"),
        CheckConstraint("gross = net + vat AND net >= 0 AND vat >= 0", "vat_adds_up"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey(Order.id))
    position: Mapped[int]
    offer_version_id: Mapped[UUID] = mapped_column(ForeignKey(OfferVersion.id))
    quantity: Mapped[int]
    gift_periods: Mapped[int | None]
    gross: Mapped[int]
    net: Mapped[int]
    vat: Mapped[int]
