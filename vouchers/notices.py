"""What members are told about the end of their cups. Sets are told by `expiry_statements`."""

from datetime import date

from sqlalchemy import exists, select

import members
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Count, Fact, Words
from vouchers.models import Gift, Lot


def _is_held(facts: members.Facts) -> bool:
    """Nobody is reminded of cups that they have collected or given away since."""
    held = exists().where(
        Lot.member_id == facts["member_id"],
        Lot.offer_version_id == facts["version_id"],
        Lot.is_open,
        Lot.frozen_at.is_(None),
        Lot.ends_at.is_not(None),
    )
    return bool(db.session.scalar(select(held)))


def _is_left_of_gifts(facts: members.Facts) -> bool:
    """Nor the giver of gifts of which nothing is left."""
    left = exists().where(
        Gift.giver_id == facts["giver_id"],
        Gift.status == "claimed",
        Lot.member_id == Gift.claimed_by_id,
        Lot.source == "gift",
        Lot.source_id == Gift.id,
        Lot.offer_version_id == facts["version_id"],
        Lot.is_open,
    )
    return bool(db.session.scalar(select(left)))


_FACTS: dict[str, Fact] = {"offer": "拿鐵 11 杯", "cups": Count(3, "cup")}
_STILL: dict[str, Fact] = {
    **_FACTS,
    "ends_on": date(2026, 12, 22),
    "member_id": NOBODY,
    "version_id": NOBODY,
}

LOT_ENDING = members.notice(
    "lot.ending",
    zh=Words(
        "您的「{offer}」還有 {cups}，請在 {ends_on} 前（含當日）使用，逾期失效。",
        subject="寄杯即將到期",
    ),
    en=Words(
        "You have {cups} of “{offer}” left. They end after {ends_on}.",
        subject="Your cups end soon",
    ),
    facts=_STILL,
    still_wanted=_is_held,
)
LOT_ENDING_TOP_UP = members.notice(
    "lot.ending_top_up",
    zh=Words(
        "您的「{offer}」還有 {cups}，{ends_on} 前（含當日）可直接領取，之後仍可補差價領取。",
        subject="寄杯優惠即將到期",
    ),
    en=Words(
        "You have {cups} of “{offer}” left. Until {ends_on} they cost nothing more; after that you"
        " pay the difference to the price of the day.",
        subject="Your cups cost more soon",
    ),
    facts=_STILL,
    still_wanted=_is_held,
)
LOT_ENDING_REFUND = members.notice(
    "lot.ending_refund",
    zh=Words(
        "您的「{offer}」還有 {cups}，請在 {ends_on} 前（含當日）使用，逾期將退款給原付款人。",
        subject="寄杯即將到期",
    ),
    en=Words(
        "You have {cups} of “{offer}” left. Collect them on {ends_on} at the latest; after that"
        " their money goes back to whoever paid for them.",
        subject="Your cups end soon",
    ),
    facts=_STILL,
    still_wanted=_is_held,
)
GIFT_ENDING = members.notice(
    "lot.gift_ending",
    zh=Words(
        "您送出的「{offer}」還有未領取的杯數，可使用至 {ends_on}（含當日）。",
        subject="您送出的寄杯即將到期",
    ),
    en=Words(
        "Not everything of the “{offer}” that you gave has been collected. It can be until"
        " {ends_on}.",
        subject="Cups that you gave end soon",
    ),
    facts={
        "offer": "拿鐵 11 杯",
        "ends_on": date(2026, 12, 22),
        "giver_id": NOBODY,
        "version_id": NOBODY,
    },
    still_wanted=_is_left_of_gifts,
)
LOT_LAPSED = members.notice(
    "lot.lapsed",
    zh=Words("您的「{offer}」{cups}已於 {ended_on} 到期失效。", subject="寄杯已到期"),
    en=Words("{cups} of your “{offer}” ended on {ended_on}.", subject="Cups of yours have ended"),
    facts={**_FACTS, "ended_on": date(2026, 12, 22)},
)
LOT_TOP_UP = members.notice(
    "lot.top_up",
    zh=Words(
        "您的「{offer}」還有 {cups}，優惠已於 {ended_on} 到期，之後領取每杯需補差價。",
        subject="寄杯領取需補差價",
    ),
    en=Words(
        "You have {cups} of “{offer}” left. Since their terms ended on {ended_on}, each costs the"
        " difference to the price of the day.",
        subject="Your cups cost the difference now",
    ),
    facts={**_FACTS, "ended_on": date(2026, 12, 22)},
)

ENDING = {"lapse": LOT_ENDING, "top_up": LOT_ENDING_TOP_UP, "refund": LOT_ENDING_REFUND}
"""How the end of a lot is announced, by what will happen then."""
