"""How somebody wants to pay an order."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.db import db
from kernel.errors import NotFound
from kernel.idempotency import Key
from vouchers.errors import AlreadyPaid, OrderEnded
from vouchers.models import Order


@dataclass(frozen=True, slots=True)
class Way:
    """How an order is to be paid; one of these, or none for what costs nothing.

    With the `payment_method` of a card, with a saved card, or `by_holder`: its payer chooses how in
    the provider's own form, with a secret that they are given (cards, wallets).
    """

    payment_method: str | None = None
    card_id: UUID | None = None
    by_holder: bool = False

    def __post_init__(self) -> None:
        if self._given.count(True) > 1:
            raise ValueError("an order is paid in one way")

    @property
    def is_none(self) -> bool:
        """Whether it was not said how."""
        return True not in self._given

    @property
    def _given(self) -> tuple[bool, bool, bool]:
        return (self.payment_method is not None, self.card_id is not None, self.by_holder)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to pay which order, in which way, under which key."""

    member_id: UUID
    order_id: UUID
    way: Way
    save_card: bool
    key: Key


def own_order(wish: Wish) -> Order:
    """The order that somebody wants to pay.

    It needs no lock: racers meet at the attempts, which `payments.begin` locks, or at the wallet.

    Raises:
        NotFound: they have no such order.
    """
    order = db.session.get(Order, wish.order_id)
    if order is None or order.member_id != wish.member_id:
        raise NotFound
    return order


def refuse_unpayable(order: Order, *, now: datetime) -> None:
    """Refuse what is paid, or was to be paid earlier.

    Raises:
        AlreadyPaid, OrderEnded: it is.
    """
    if order.paid_at is not None:
        raise AlreadyPaid
    if order.status == "ended" or order.ends_at <= now:
        raise OrderEnded(ended_at=order.ends_at.isoformat())
