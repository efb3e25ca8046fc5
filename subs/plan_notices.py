"""What members are told about the terms of their plans, and day by day about what is left of them.

Sets are told by `subs.service.migration` and `subs.service.daily`.
"""

from datetime import date

import members
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Count, Words
from subs import telling
from subs.models import Subscription

MIGRATES = members.notice(
    "subscription.migrates",
    zh=Words(
        "您的「{plan}」條款將更新，適用於 {from_on} 起開始的期間。{changes_zh}"
        "在此之前您可以隨時取消，不另收費。",
        subject="您的訂閱方案條款將更新",
    ),
    en=Words(
        "The terms of your “{plan}” change with the first period that begins on {from_on} or later."
        " {changes_en} Until then you can cancel at any time, at no cost.",
        subject="The terms of your plan change",
    ),
    facts={
        "plan": "每月 10 杯",
        "from_on": date(2026, 12, 22),
        "changes_zh": "新條款：每月 NT$549。原條款：每月 NT$499。",
        "changes_en": "New: NT$549 every month. Until now: NT$499 every month.",
        "subscription_id": NOBODY,
    },
    still_wanted=telling.is_live,
)


def _is_asked_for(facts: members.Facts) -> bool:
    """Nobody gets it who does not want it any more, or whose plan is over."""
    one = db.session.get_one(Subscription, facts["subscription_id"])
    return one.ended_at is None and one.tells_at is not None


DAILY = members.notice(
    "subscription.daily",
    zh=Words(
        "早安！您的「{plan}」還有 {left}，可使用至 {last_on}（含當日）。",
        subject="今天也來一杯",
    ),
    en=Words(
        "Good morning! You have {left} of “{plan}”, until {last_on}.",
        subject="Your cups of today",
    ),
    facts={
        "plan": "每月 10 杯",
        "left": Count(3, "cup"),
        "last_on": date(2026, 12, 22),
        "subscription_id": NOBODY,
    },
    still_wanted=_is_asked_for,
)
DAILY_UNCOUNTED = members.notice(
    "subscription.daily_uncounted",
    zh=Words(
        "早安！您的「{plan}」可使用至 {last_on}（含當日）。",
        subject="今天也別忘了您的方案",
    ),
    en=Words(
        "Good morning! Your “{plan}” is good until {last_on}.",
        subject="Your plan today",
    ),
    facts={"plan": "無限暢飲", "last_on": date(2026, 12, 22), "subscription_id": NOBODY},
    still_wanted=_is_asked_for,
)
