"""What tills' logs say about a member."""

from uuid import UUID

from sqlalchemy import func, select

from chain.models import Product, Store
from members.holding import Rows, holds, rows_of
from redemption.models import OfflineItem


@holds("offline_items", tables=("offline_item",))
def offline_items(member_id: UUID) -> Rows:
    """What was served to them without a network: where and when, and what became of it.

    Not the log itself, which holds the code that was shown, and who of the staff it was.
    """
    return rows_of(
        select(
            Store.name.label("store"),
            func.concat_ws(" ", Product.name, Product.size).label("drink"),
            OfflineItem.cups,
            OfflineItem.served_at,
            OfflineItem.received_at,
            OfflineItem.outcome,
            OfflineItem.cups_borne,
            OfflineItem.remedy,
            OfflineItem.redemption_id,
        )
        .join(Store, Store.id == OfflineItem.store_id)
        .outerjoin(Product, Product.id == OfflineItem.product_id)
        .where(OfflineItem.member_id == member_id)
        .order_by(OfflineItem.served_at, OfflineItem.device_id, OfflineItem.number)
    )
