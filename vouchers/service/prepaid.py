"""A period of a plan leaves the lot in which somebody has paid for it before."""

from uuid import UUID

from sqlalchemy import bindparam, select

from kernel.db import db
from vouchers.models import Lot
from vouchers.slices import Prepaid, take_out
from vouchers.wallet import change_wallet

_OLDEST = (
    select(Lot)
    .where(
        Lot.member_id == bindparam("member_id"),
        Lot.offer_id == bindparam("offer_id"),
        Lot.is_open,
        Lot.prepays_plan,
        Lot.frozen_at.is_(None),
    )
    .order_by(Lot.sold_at, Lot.id)
    .limit(1)
    .execution_options(populate_existing=True)
)


def take_prepaid(*, member_id: UUID, offer_id: UUID) -> Prepaid | None:
    """Take one period of a plan out of a member's wallet, of what was sold first; None: none is.

    In the caller's transaction, under the wallet's lock. Nothing is booked: whoever grants the
    period books where its money goes, in the same transaction. Frozen periods stay.
    """
    change_wallet(member_id)
    lot = db.session.scalar(_OLDEST, {"member_id": member_id, "offer_id": offer_id})
    return None if lot is None else Prepaid(lot, take_out(lot, 1))
