"""An order that costs nothing now: a trial, or a membership that is free."""

from datetime import datetime
from uuid import UUID

import payments
from kernel.db import db
from kernel.errors import TryAgain
from kernel.idempotency import find_answer, keep_answer
from kernel.transaction import again, transaction
from vouchers.introduction import is_introduced, refuse_second
from vouchers.order_errors import CardWanted, NothingToPay
from vouchers.queries import Ordered, items_of, lock_ordered
from vouchers.service.fulfil import fulfil
from vouchers.service.pay_wish import Wish, own_order, refuse_unpayable
from vouchers.wallet import change_wallet


def leave_card(wish: Wish, *, now: datetime) -> bool:
    """Get what costs nothing, and leave a card for what it costs later, where one is wanted.

    Opens its own transactions; nobody may hold one. 1. See whether it can be had; 2. have the
    provider save the card, which charges nothing; 3. fulfil the order, and bind the key to that.
    Answers whether the key had asked before.

    Raises:
        NotFound: the member has no such order, or no such saved card.
        AlreadyPaid, OrderEnded: it was had, or was to be had earlier.
        CardWanted: a trial in it is only for who leaves a card.
        NothingToPay: there is nothing to do in the provider's form.
        IntroductionUsed: the member has had the plan meanwhile.
        CardDeclined: the issuer refuses the card.
        CardNeedsAuthentication: its holder must authenticate it first; then it is a saved one.
        Unavailable: the provider is silent; ask again.
    """
    if again(lambda: _is_done(wish, now)):
        return True
    card_id = wish.way.card_id
    if wish.way.payment_method is not None:
        card_id = payments.save_card(
            member_id=wish.member_id, payment_method=wish.way.payment_method, now=now
        ).id
    return again(lambda: _fulfil(wish, card_id, now))


def _is_done(wish: Wish, now: datetime) -> bool:
    """Whether the key has asked before; else the order can be had in the way that is wished."""
    with transaction():
        if find_answer(wish.key) is not None:
            return True
        order = own_order(wish)
        refuse_unpayable(order, now=now)
        ordered = Ordered(order, items_of(order.id))
        if wish.way.by_holder:
            raise NothingToPay
        if wish.way.is_none and _wants_card(ordered):
            raise CardWanted
        if wish.way.card_id is not None:
            payments.get_card(member_id=wish.member_id, card_id=wish.way.card_id)
        return False


def _fulfil(wish: Wish, card_id: UUID | None, now: datetime) -> bool:
    with transaction():
        if find_answer(wish.key) is not None:
            return True
        change_wallet(wish.member_id)
        (ordered,) = lock_ordered([wish.order_id])
        refuse_unpayable(ordered.order, now=now)
        refuse_second(ordered)
        ordered.order.card_id = card_id
        db.session.flush()
        fulfil(order_id=wish.order_id, paid_at=now, now=now)
        if not keep_answer(wish.key, {"order_id": str(wish.order_id)}, now=now):
            raise TryAgain  # the same key, at the same moment: look again, and find it
        return False


def _wants_card(ordered: Ordered) -> bool:
    return any(
        line.version.needs_card and is_introduced(line.item, line.version) for line in ordered.items
    )
