"""What rooms below tell of money that goes back: repayments of refunds, and disputes."""

from datetime import datetime
from uuid import UUID

from kernel.outbox import subscriber
from vouchers.policy import PURPOSE
from vouchers.service import payout
from vouchers.service.dispute import follow_dispute


@subscriber("refund.repaid")
def on_repaid(*, purpose_id: str, now: datetime, **_: object) -> None:
    """The payer has the money of a refund."""
    payout.follow(refund_id=UUID(purpose_id), now=now)


@subscriber("refund.repayment_failed")
def on_repayment_failed(*, purpose_id: str, now: datetime, **_: object) -> None:
    """The provider could not bring the money of a refund, or a bank sent it back."""
    payout.follow(refund_id=UUID(purpose_id), now=now)


@subscriber(f"{PURPOSE}.dispute")
def on_dispute(*, dispute_id: str, now: datetime, **_: object) -> None:
    """A bank disputes the payment of an order, or has decided."""
    follow_dispute(dispute_id=UUID(dispute_id), now=now)
