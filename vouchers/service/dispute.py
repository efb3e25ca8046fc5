"""A bank disputes what was paid: its cups are held back, and in the end stay or are gone (E7).

What is drawn from a dispute is written beside it (`followed`), so news of it may come in any
order, doubled or late, and ends the same: `lost` that is heard first is opened, then lost. An
appeal that is won after all gives back what was lost.

Locks: wallets in the order of ids → open gifts → the dispute. Cups of the purchase may be in
anybody's wallet; all of them are frozen.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import payments
from kernel import alerts, outbox
from kernel.db import db
from ledger import policy as books
from payments import Dispute
from vouchers.service.dispute_lost import lose, restore
from vouchers.service.dispute_rows import Purchase, lock_purchase, post_event
from vouchers.withdrawn import tell_withdrawn

LOST = "purchase.lost"
"""Tells that a payment was lost to a dispute."""


def follow_dispute(*, dispute_id: UUID, now: datetime) -> None:
    """Draw the consequences of what a dispute is now, in the caller's transaction, once each."""
    seen = payments.get_dispute(dispute_id)
    purchase = lock_purchase(payments.get_payment(seen.payment_id), now=now)
    dispute = payments.lock_dispute(dispute_id)
    for step in _STEPS[dispute.followed, dispute.status]:
        step(dispute, purchase, now)
    if dispute.status == "lost" and dispute.followed != "lost":
        outbox.emit(LOST, member_id=purchase.payment.member_id, dispute_id=dispute.id, now=now)
    dispute.followed = dispute.status
    db.session.flush()


def _open(dispute: Dispute, purchase: Purchase, now: datetime) -> None:
    """Hold all cups back; the bank has taken the money."""
    purchase.freeze(now)
    tell_withdrawn([lot.member_id for lot in purchase.lots], now=now)
    pairs = books.dispute_opened(store_id=purchase.store_id, gross=dispute.amount)
    post_event(dispute, purchase, "dispute_opened", pairs, at=dispute.opened_at, now=now)
    alerts.alert(f"Dispute {dispute.id} of payment {dispute.payment_id} was opened", now=now)


def _win(dispute: Dispute, purchase: Purchase, now: datetime) -> None:
    """The money is back: so are the cups, unless another dispute holds them."""
    pairs = books.dispute_won(store_id=purchase.store_id, gross=dispute.amount)
    post_event(dispute, purchase, "dispute_won", pairs, at=dispute.closed_at or now, now=now)
    purchase.thaw()


_Step = Callable[[Dispute, Purchase, datetime], None]

_STEPS: dict[tuple[str | None, str], tuple[_Step, ...]] = {
    (None, "open"): (_open,),
    (None, "won"): (_open, _win),
    (None, "lost"): (_open, lose),
    ("open", "open"): (),
    ("open", "won"): (_win,),
    ("open", "lost"): (lose,),
    ("won", "won"): (),
    ("won", "lost"): (_open, lose),
    ("lost", "lost"): (),
    ("lost", "won"): (restore, _win),
}
