"""What members are told about cups that were handed over: each time, with a “not me”."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Row, Uuid, and_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

import members
from chain.models import Store
from kernel.config import config
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Count, Fact, Unit, Words
from redemption import disown_token
from redemption.models import Credential, Redemption, RedemptionLine
from redemption.queries import find_by_id
from vouchers.models import Lot, OfferVersion


def tell_done(handed_over: Sequence[tuple[UUID, UUID]], *, now: datetime) -> None:
    """Tell members what was collected of theirs, given (member, redemption), as one set.

    Where it was of a plan that is shared, its owner and who collected are told, each their own. Who
    holds nothing but a plan whose cups nobody counts is not told that none is left.
    What was undone already is not told.
    """
    for row in _read(handed_over, now):
        if row.holder_id is not None:
            tell_shared(member_id=row.member_id, redemption_id=row.id, now=now)
            continue
        facts: dict[str, Fact] = {
            "store": row.store,
            "at": row.redeemed_at,
            "drinks": row.drinks,
            "redemption_id": row.id,
        }
        if row.is_uncounted and not row.left:
            members.notify(row.member_id, DONE_UNCOUNTED, now=now, **facts)
        else:
            left = Count(row.left, "cup")
            members.notify(row.member_id, DONE, now=now, **facts, left=left)


def tell_shared(*, member_id: UUID, redemption_id: UUID, now: datetime) -> None:
    """Tell the owner of a shared plan, and who collected from it, unless it was undone already."""
    row = db.session.execute(
        select(
            Credential.holder_id,
            OfferVersion.name,
            OfferVersion.unit,
            Store.name.label("store"),
            (Redemption.cups - Redemption.cups_voided).label("cups"),
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


_DONE = text(
    """
    SELECT redemption.member_id, redemption.id, redemption.redeemed_at, store.name AS store,
           credential.holder_id, handed.drinks, held.cups AS left, taken.is_uncounted
    FROM unnest(:member_ids, :redemption_ids) AS told (member_id, id)
    JOIN redemption ON redemption.member_id = told.member_id AND redemption.id = told.id
    JOIN store ON store.id = redemption.store_id
    LEFT JOIN credential ON credential.id = redemption.credential_id
    CROSS JOIN LATERAL (
        SELECT string_agg(product.name || ' ' || product.size || ' ×' || drink.cups, ' + '
                          ORDER BY product.name, product.size) AS drinks
        FROM (
            SELECT line.product_id, sum(line.cups - line.cups_voided) AS cups
            FROM redemption_line AS line
            WHERE line.member_id = redemption.member_id AND line.redemption_id = redemption.id
            GROUP BY line.product_id
            HAVING sum(line.cups - line.cups_voided) > 0
        ) AS drink
        JOIN product ON product.id = drink.product_id
    ) AS handed
    CROSS JOIN LATERAL (
        SELECT bool_and(lot.units = 0) AS is_uncounted
        FROM redemption_line AS line
        JOIN lot ON lot.member_id = line.member_id AND lot.id = line.lot_id
        WHERE line.member_id = redemption.member_id AND line.redemption_id = redemption.id
          AND line.cups_voided < line.cups
    ) AS taken
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(lot.units - lot.used), 0)::bigint AS cups
        FROM lot
        WHERE lot.member_id = redemption.member_id AND lot.is_open AND lot.frozen_at IS NULL
          AND NOT lot.prepays_plan
          AND (lot.ends_at IS NULL OR lot.ends_at > :now OR lot.expiry_mode = 'top_up')
    ) AS held
    WHERE redemption.voided_at IS NULL
    ORDER BY redemption.member_id, redemption.id
    """
).bindparams(
    bindparam("member_ids", type_=ARRAY(Uuid)), bindparam("redemption_ids", type_=ARRAY(Uuid))
)


def _read(handed_over: Sequence[tuple[UUID, UUID]], now: datetime) -> Sequence[Row[Any]]:
    asked = {
        "member_ids": [member_id for member_id, _ in handed_over],
        "redemption_ids": [redemption_id for _, redemption_id in handed_over],
        "now": now,
    }
    return db.session.execute(_DONE, asked).all()


def _is_done_still(facts: members.Facts) -> bool:
    """It was not undone."""
    found = find_by_id(facts["redemption_id"])
    return found is not None and found.voided_at is None


def _link(facts: members.Facts) -> str:
    """Where whoever did not collect says so."""
    return f"{config().public_origin}/n/{disown_token.make(facts['redemption_id'])}"


_LINK: Final = {"link": _link}
_EXAMPLE: Final = "https://jibei.example/n/AbCd"

_DONE_FACTS: Final[Mapping[str, Fact]] = {
    "store": "台北車站店",
    "at": datetime(2026, 1, 14, 4, 0, tzinfo=UTC),
    "drinks": "拿鐵 M ×2",
    "redemption_id": NOBODY,
    "link": _EXAMPLE,
}

DONE = members.notice(
    "redemption.done",
    zh=Words(
        "您於 {at} 在{store}取用了 {drinks}，錢包剩餘 {left}。"
        "不是您本人？請由此停用所有取杯碼：{link}",
        subject="取杯通知",
    ),
    en=Words(
        "Collected at {store} on {at}: {drinks}. Left in your wallet: {left}. Was it not you? End"
        " all your codes here: {link}",
        subject="Cups collected",
    ),
    facts={**_DONE_FACTS, "left": Count(7, "cup")},
    still_wanted=_is_done_still,
    adds=_LINK,
)
DONE_UNCOUNTED = members.notice(
    "redemption.done_uncounted",
    zh=Words(
        "您於 {at} 在{store}取用了 {drinks}（不限杯數方案）。"
        "不是您本人？請由此停用所有取杯碼：{link}",
        subject="取杯通知",
    ),
    en=Words(
        "Collected at {store} on {at}, of a plan without a count: {drinks}. Was it not you? End"
        " all your codes here: {link}",
        subject="Cups collected",
    ),
    facts=_DONE_FACTS,
    still_wanted=_is_done_still,
    adds=_LINK,
)

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
    zh=Words(
        "您從共享的「{plan}」在{store}取用了{cups}。不是您本人？請由此停用所有取杯碼：{link}",
        subject="您取用了共享的訂閱",
    ),
    en=Words(
        "You collected {cups} of the “{plan}” that is shared with you, at {store}. Was it not you?"
        " End all your codes here: {link}",
        subject="Collected from a shared plan",
    ),
    facts={**_FACTS, "link": _EXAMPLE},
    still_wanted=_is_done_still,
    adds=_LINK,
)
