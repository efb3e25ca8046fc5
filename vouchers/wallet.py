"""The wallet's lock, taken by every verb that changes what a member holds."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert

from kernel import arrays
from kernel.db import db, table_of
from vouchers.models import Wallet

_ROW = table_of(Wallet)
_CHANGED = (
    insert(_ROW)
    .from_select(
        [_ROW.c.member_id, _ROW.c.version],
        select(func.unnest(bindparam("ids", type_=ARRAY(Uuid))), literal(1)),
    )
    .on_conflict_do_update(index_elements=[_ROW.c.member_id], set_={"version": _ROW.c.version + 1})
    .returning(_ROW)
)
_TOUCH = text("""
    INSERT INTO wallet (member_id, version)
    SELECT member_id, 1 FROM unnest(CAST(:ids AS uuid[])) AS changed (member_id)
    ON CONFLICT (member_id) DO UPDATE SET version = wallet.version + 1
""")
_CHANGE = select(Wallet).from_statement(_CHANGED).execution_options(populate_existing=True)


def change_wallet(member_id: UUID) -> Wallet:
    """Lock a member's wallet until the transaction ends, and count its version up.

    Called first, before anything is read that the verb depends on. A wallet that is not there
    is made. Whoever decided on an older version finds out at the next write (`redemption`).
    """
    (wallet,) = change_wallets([member_id])
    return wallet


def change_wallets(member_ids: Collection[UUID]) -> list[Wallet]:
    """Lock wallets as `change_wallet` does, each once, in the order of their ids.

    All who hold more than one keep to that order, so that no two wait for each other.
    """
    if not member_ids:
        return []
    return list(db.session.scalars(_CHANGE, {"ids": sorted(set(member_ids))}))


def touch_wallets(member_ids: Collection[str]) -> None:
    """Lock wallets as `change_wallets` does, for who does not look at them.

    Their ids are text as PostgreSQL writes it, which sorts as they do.
    """
    if member_ids:
        db.session.execute(_TOUCH, {"ids": arrays.of_read(sorted(set(member_ids)))})
