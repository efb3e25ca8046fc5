"""The wallet's lock, taken by every verb that changes what a member holds."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from kernel.db import db
from vouchers.models import Wallet


def change_wallet(member_id: UUID) -> Wallet:
    """Lock a member's wallet until the transaction ends, and count its version up.

    Called first, before anything is read that the verb depends on. A wallet that is not there
    is made. Whoever decided on an older version finds out at the next write (`redemption`).
    """
    row = insert(Wallet).values(member_id=member_id, version=1)
    changed = row.on_conflict_do_update(
        index_elements=[Wallet.member_id], set_={"version": Wallet.version + 1}
    ).returning(Wallet)
    wallet: Wallet = db.session.scalars(
        changed, execution_options={"populate_existing": True}
    ).one()
    return wallet
