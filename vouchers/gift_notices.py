"""What members are told about gifts. What is still open is asked again when it is told."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import members
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Count, Fact, Words
from vouchers.expiry_policy import last_day
from vouchers.models import Gift
from vouchers.naming import unit_of
from vouchers.service.gift_rows import Wrapped


def remind(gift: Gift, first: Wrapped, *, is_refunded: bool, now: datetime) -> None:
    """Tell the giver a day ahead that nobody has claimed the gift, and where it will go."""
    notice = UNCLAIMED_REFUNDS if is_refunded else UNCLAIMED
    members.notify(
        gift.giver_id,
        notice,
        now=now,
        offer=first.version.name,
        cups=_count(gift.cups, first),
        ends_at=gift.ends_at,
        gift_id=gift.id,
    )


def tell_claimed(gift: Gift, wrapped: Sequence[Wrapped], *, now: datetime) -> None:
    """Tell the giver that the gift was claimed, and the claimer what there is to collect."""
    assert gift.claimed_by_id is not None  # it was just claimed
    first = wrapped[0]
    facts: dict[str, Fact] = {"offer": first.version.name, "cups": _count(gift.cups, first)}
    members.notify(gift.giver_id, CLAIMED, now=now, **facts)
    ends_on = _first_end(wrapped)
    if ends_on is None:
        members.notify(gift.claimed_by_id, RECEIVED, now=now, **facts)
    else:
        members.notify(gift.claimed_by_id, RECEIVED_ENDING, now=now, **facts, ends_on=ends_on)


def tell_declined(gift: Gift, wrapped: Sequence[Wrapped], *, now: datetime) -> None:
    """Tell the giver that the gift was declined. By whom is not told."""
    _tell_giver(DECLINED, gift, wrapped, now)


def tell_returned(gift: Gift, wrapped: Sequence[Wrapped], *, now: datetime) -> None:
    """Tell the giver that nobody claimed these cups, and that they are back."""
    _tell_giver(RETURNED, gift, wrapped, now)


def tell_refunded(gift: Gift, wrapped: Sequence[Wrapped], *, now: datetime) -> None:
    """Tell the giver that nobody claimed these cups, and that their money goes to its payer."""
    _tell_giver(REFUNDED, gift, wrapped, now)


def _tell_giver(
    notice: members.Notice, gift: Gift, wrapped: Sequence[Wrapped], now: datetime
) -> None:
    name, cups = wrapped[0].version.name, sum(one.item.cups for one in wrapped)
    members.notify(gift.giver_id, notice, now=now, offer=name, cups=_count(cups, wrapped[0]))


def _first_end(wrapped: Sequence[Wrapped]) -> date | None:
    """The last day on which all of the cups can be collected, if any of them end."""
    days = [
        last_day(one.lot.ends_at, time_zone=one.time_zone)
        for one in wrapped
        if one.lot.ends_at is not None
    ]
    return min(days, default=None)


def _count(cups: int, first: Wrapped) -> Count:
    return Count(cups, unit_of(first.lot, first.version))


def _is_open(facts: members.Facts) -> bool:
    return db.session.get_one(Gift, facts["gift_id"]).status == "open"


_FACTS: dict[str, Fact] = {"offer": "拿鐵 11 杯", "cups": Count(3, "cup")}
_OPEN: dict[str, Fact] = {
    **_FACTS,
    "ends_at": datetime(2026, 1, 21, 4, tzinfo=UTC),
    "gift_id": NOBODY,
}

UNCLAIMED = members.notice(
    "gift.unclaimed",
    zh=Words(
        "您送出的「{offer}」{cups}還沒有人領取。連結有效至 {ends_at}，逾期會退回您的錢包。",
        subject="您的禮物還沒有人領取",
    ),
    en=Words(
        "Nobody has claimed your gift of {cups} of “{offer}” yet. Its link is good until"
        " {ends_at}; after that the gift comes back to your wallet.",
        subject="Your gift is not claimed yet",
    ),
    facts=_OPEN,
    still_wanted=_is_open,
)
UNCLAIMED_REFUNDS = members.notice(
    "gift.unclaimed_refunds",
    zh=Words(
        "您送出的「{offer}」{cups}還沒有人領取。連結有效至 {ends_at}，逾期將退款給原付款人。",
        subject="您的禮物還沒有人領取",
    ),
    en=Words(
        "Nobody has claimed your gift of {cups} of “{offer}” yet. Its link is good until"
        " {ends_at}; after that its money goes back to whoever paid for it.",
        subject="Your gift is not claimed yet",
    ),
    facts=_OPEN,
    still_wanted=_is_open,
)
CLAIMED = members.notice(
    "gift.claimed",
    zh=Words("您送出的「{offer}」{cups}已經有人領取。", subject="您的禮物已被領取"),
    en=Words("Your gift of {cups} of “{offer}” was claimed.", subject="Your gift was claimed"),
    facts=_FACTS,
)
RECEIVED = members.notice(
    "gift.received",
    zh=Words("您領取了「{offer}」{cups}，沒有使用期限。", subject="您領取了一份禮物"),
    en=Words(
        "You have claimed {cups} of “{offer}”. There is no date by which to collect them.",
        subject="You have claimed a gift",
    ),
    facts=_FACTS,
)
RECEIVED_ENDING = members.notice(
    "gift.received_ending",
    zh=Words(
        "您領取了「{offer}」{cups}，請在 {ends_on} 前（含當日）使用。", subject="您領取了一份禮物"
    ),
    en=Words(
        "You have claimed {cups} of “{offer}”. Collect them on {ends_on} at the latest.",
        subject="You have claimed a gift",
    ),
    facts={**_FACTS, "ends_on": date(2026, 12, 22)},
)
DECLINED = members.notice(
    "gift.declined",
    zh=Words("您送出的「{offer}」{cups}被婉拒，已退回您的錢包。", subject="您的禮物已退回"),
    en=Words(
        "Your gift of {cups} of “{offer}” was declined. It is back in your wallet.",
        subject="Your gift came back",
    ),
    facts=_FACTS,
)
RETURNED = members.notice(
    "gift.returned",
    zh=Words("您送出的「{offer}」{cups}無人領取，已退回您的錢包。", subject="您的禮物已退回"),
    en=Words(
        "Nobody claimed your gift of {cups} of “{offer}”. It is back in your wallet.",
        subject="Your gift came back",
    ),
    facts=_FACTS,
)
REFUNDED = members.notice(
    "gift.refunded",
    zh=Words("您送出的「{offer}」{cups}無人領取，款項將退還原付款人。", subject="您的禮物已退款"),
    en=Words(
        "Nobody claimed your gift of {cups} of “{offer}”. Its money goes back to whoever paid"
        " for it.",
        subject="Your gift is refunded",
    ),
    facts=_FACTS,
)
