"""What the room does in the background: invoices, and notices of plans that are shared."""

from datetime import datetime
from uuid import UUID

from kernel.outbox import subscriber
from redemption import notices
from redemption.service.invoice import invoice


@subscriber("redemption.taxed")
def invoice_taxed(
    *, member_id: str, redemption_id: str, vat_code: str | None, now: datetime
) -> None:
    """A drink cost a top-up, or came from a cash-value voucher."""
    invoice(
        member_id=UUID(member_id), redemption_id=UUID(redemption_id), vat_code=vat_code, now=now
    )


@subscriber("redemption.shared")
def tell_of_shared(*, member_id: str, redemption_id: str, now: datetime) -> None:
    """Cups of a plan were handed over to one of those who share it."""
    notices.tell_shared(member_id=UUID(member_id), redemption_id=UUID(redemption_id), now=now)
