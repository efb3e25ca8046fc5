"""What members are told about cups that were handed over: those of a plan that several share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from sqlalchemy import and_, select

import members
from chain.models import Store
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Count, Fact, Unit, Words
from redemption.models import Credential, Redemption, RedemptionLine
from redemption.queries import find_by_id
from vouchers.models import Lot, OfferVersion


def tell_shared(*, member_id: UUID, redemption_id: UUID, now: datetime) -> None:
    """Tell the owner of a shared plan, and who collected from it, unless it was undone already."""
    row = db.session.execute(
        select(
            Credential.holder_id,
            OfferVersion.name,
            OfferVersion.unit,
            Store.name.label("store"),
            Redemption.cups,
        )
        .join(Credential, Credential.id == Redemption.credential_id)
        .join(Store, Store.id == Redemption.store_id)
        .join(
            RedemptionLine,
            and_(
                RedemptionLine.member_id == Redemption.member_id,
                RedemptionLine.redemption_id == Redemption.id,
            ),
        )
        .join(Lot, and_(Lot.member_id == RedemptionLine.member_id, Lot.id == RedemptionLine.lot_id))
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(
            Redemption.member_id == member_id,
            Redemption.id == redemption_id,
            Redemption.voided_at.is_(None),
        )
        .order_by(Lot.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return
    facts: dict[str, Fact] = {
        "plan": row.name,
        "store": row.store,
        "cups": Count(row.cups, cast("Unit", row.unit)),
        "redemption_id": redemption_id,
    }
    members.notify(member_id, BY_SHARER, now=now, **facts)
    members.notify(row.holder_id, FROM_SHARED, now=now, **facts)


def _is_done_still(facts: members.Facts) -> bool:
    """It was not undone."""
    found = find_by_id(facts["redemption_id"])
    return found is not None and found.voided_at is None


_FACTS: Final[Mapping[str, Fact]] = {
    "plan": "每月 10 杯",
    "store": "台北車站店",
    "cups": Count(1, "cup"),
    "redemption_id": NOBODY,
}

BY_SHARER = members.notice(
    "redemption.by_sharer",
    zh=Words("有人從您共享的「{plan}」在{store}取用了{cups}。", subject="共享的訂閱有人取用"),
    en=Words(
        "Somebody collected {cups} of the “{plan}” that you share, at {store}.",
        subject="Collected from your shared plan",
    ),
    facts=_FACTS,
    still_wanted=_is_done_still,
)
FROM_SHARED = members.notice(
    "redemption.from_shared",
    zh=Words("您從共享的「{plan}」在{store}取用了{cups}。", subject="您取用了共享的訂閱"),
    en=Words(
        "You collected {cups} of the “{plan}” that is shared with you, at {store}.",
        subject="Collected from a shared plan",
    ),
    facts=_FACTS,
    still_wanted=_is_done_still,
)
