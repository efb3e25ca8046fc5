"""What a subscription's periods gave ends with it, however long it might have been carried."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from kernel.db import db
from subs.models import Subscription
from vouchers.models import Lot
from vouchers.wallet import change_wallets

_IDS = ARRAY(Uuid)
_OPEN = (
    select(Lot)
    .where(
        Lot.member_id == any_(bindparam("members", type_=_IDS)),
        Lot.is_open,
        Lot.prepays_plan.is_(False),
        Lot.subscription_id == any_(bindparam("subscriptions", type_=_IDS)),
    )
    .execution_options(populate_existing=True)
)


def close_all(ended: Mapping[Subscription, datetime]) -> None:
    """Let what subscriptions have given be good no longer than they are, each until its moment.

    Unused cups lapse then, and what days have not earned is earned, unless it was given back
    before. In the caller's transaction; locks the wallets by their ids. Prepaid periods stay.
    """
    if not ended:
        return
    members = [subscription.member_id for subscription in ended]
    change_wallets(members)
    until = {subscription.id: at for subscription, at in ended.items()}
    for lot in db.session.scalars(_OPEN, {"members": members, "subscriptions": list(until)}):
        assert lot.subscription_id is not None  # it was asked for by it
        assert lot.ends_at is not None  # what a plan gives has an end
        lot.ends_at = min(lot.ends_at, max(until[lot.subscription_id], lot.sold_at))
        lot.due_at = min(lot.due_at or lot.ends_at, lot.ends_at)
