"""What the room does in the background: invoices, notices, and the end of capsules."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.outbox import subscriber
from redemption import notices
from redemption.service.capsules import revoke_capsules
from redemption.service.invoice import invoice


@subscriber("redemption.taxed")
def invoice_taxed(*, member_id: str, redemption_id: str, now: datetime, **_: object) -> None:
    """A drink cost a top-up, or came from a cash-value voucher.

    Older news say a tax code besides: each line's is that of what it came from.
    """
    invoice(member_id=UUID(member_id), redemption_id=UUID(redemption_id), now=now)


@subscriber("redemption.done", many=True)
def tell_of_done(*, news: Sequence[dict[str, str]], now: datetime) -> None:
    """Cups were handed over."""
    handed_over = [(UUID(one["member_id"]), UUID(one["redemption_id"])) for one in news]
    notices.tell_done(handed_over, now=now)


@subscriber("redemption.shared")
def tell_of_shared(*, member_id: str, redemption_id: str, now: datetime) -> None:
    """Cups of a plan were handed over to one of those who share it, as was told before `done`."""
    notices.tell_shared(member_id=UUID(member_id), redemption_id=UUID(redemption_id), now=now)


@subscriber("cups.withdrawn", many=True)
def end_capsules(*, news: Sequence[dict[str, str]], now: datetime) -> None:
    """Cups of members went back for money, or are held back."""
    revoke_capsules({UUID(one["holder_id"]) for one in news}, now=now)
