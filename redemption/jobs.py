"""What the room does in the background: invoice what was taxed at the till."""

from datetime import datetime
from uuid import UUID

from kernel.outbox import subscriber
from redemption.service.invoice import invoice


@subscriber("redemption.taxed")
def invoice_taxed(
    *, member_id: str, redemption_id: str, vat_code: str | None, now: datetime
) -> None:
    """A drink cost a top-up, or came from a cash-value voucher."""
    invoice(
        member_id=UUID(member_id), redemption_id=UUID(redemption_id), vat_code=vat_code, now=now
    )
