"""What a member is told about a subscription, in their language."""

from typing import NamedTuple
from uuid import UUID

import members
from kernel.db import db
from subs.models import Period, Subscription
from subs.service.rows import plan_of

_AUTHENTICATION_WANTED = {
    "zh-TW": "您的「{plan}」續訂需要銀行驗證，請開啟寄杯完成付款。"
    "完成前不會扣款，也不會發放新的杯數。",
    "en": "Your bank wants you to confirm the renewal of “{plan}”. Open Jibei to do so; until"
    " then nothing is charged and no cups are added.",
}


class Letter(NamedTuple):
    """A text, and the phone (E.164) it goes to."""

    to: str
    text: str


def authentication_wanted(period_id: UUID) -> Letter | None:
    """Ask for the authentication of a period's payment; None once it is not wanted any more."""
    period = db.session.get_one(Period, period_id)
    if period.asked_at is None:
        return None
    subscription = db.session.get_one(Subscription, period.subscription_id)
    plan = plan_of(subscription.offer_version_id).version.name
    wording = _AUTHENTICATION_WANTED[members.locale_of(subscription.member_id)]
    return Letter(members.phone_of(subscription.member_id), wording.format(plan=plan))
