"""The wallet's lock, taken by every verb that changes what a member holds."""

from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from kernel.db import db
from vouchers.models import Wallet

_CHANGE = (
    insert(Wallet)
    .values(member_id=bindparam("id"), version=1)
    .on_conflict_do_update(index_elements=[Wallet.member_id], set_={"version": Wallet.version + 1})
    .returning(Wallet)
    .execution_options(populate_existing=True)
)


def change_wallet(member_id: UUID) -> Wallet:
    """Lock a member's wallet until the transaction ends, and count its version up.

    Called first, before anything is read that the verb depends on. A wallet that is not there
    is made. Whoever decided on an older version finds out at the next write (`redemption`).
    """
    wallet: Wallet = db.session.scalars(_CHANGE, {"id": member_id}).one()
    return wallet
