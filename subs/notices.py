"""What a member is told about a subscription."""

from datetime import datetime
from uuid import UUID

import members
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Words
from subs.models import Period, Subscription
from subs.service.rows import plan_of


def ask_to_authenticate(*, period_id: UUID, now: datetime) -> None:
    """Ask for the authentication of a period's payment, if it is wanted still."""
    period = db.session.get_one(Period, period_id)
    if period.asked_at is None:
        return
    subscription = db.session.get_one(Subscription, period.subscription_id)
    plan = plan_of(subscription.offer_version_id).version.name
    members.notify(
        subscription.member_id, AUTHENTICATION_WANTED, now=now, plan=plan, period_id=period_id
    )


def _is_asked_still(facts: members.Facts) -> bool:
    return db.session.get_one(Period, facts["period_id"]).asked_at is not None


AUTHENTICATION_WANTED = members.notice(
    "subscription_period.authentication_wanted",
    zh=Words(
        "您的「{plan}」續訂需要銀行驗證，請開啟寄杯完成付款。完成前不會扣款，也不會發放新的杯數。"
    ),
    en=Words(
        "Your bank wants you to confirm the renewal of “{plan}”. Open Jibei to do so; until"
        " then nothing is charged and no cups are added."
    ),
    facts={"plan": "每月 10 杯", "period_id": NOBODY},
    is_urgent=True,
    still_wanted=_is_asked_still,
)
