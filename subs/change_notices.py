"""What members are told about changes of their plans, and the words of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import members
from kernel.db import db
from kernel.ids import NOBODY
from kernel.wording import Fact, Money, Words
from subs import telling
from subs.models import Subscription
from subs.notices import Told
from vouchers.models import OfferVersion

_MOMENT: Final = datetime(2026, 3, 14, 4, tzinfo=UTC)
_AMOUNT: Final = Money(200, "TWD")
_NOW: Final[Mapping[str, Fact]] = {"plan": "每月 20 杯", "ends_at": _MOMENT}
_LATER: Final[Mapping[str, Fact]] = {
    "plan": "每月 20 杯",
    "price": Money(899, "TWD"),
    "begins_at": _MOMENT,
    "subscription_id": NOBODY,
    "version_id": NOBODY,
}


def _is_to_change(facts: members.Facts) -> bool:
    one = db.session.get_one(Subscription, facts["subscription_id"])
    return telling.is_kept(facts) and one.next_version_id == facts["version_id"]


def _is_to_stay(facts: members.Facts) -> bool:
    one = db.session.get_one(Subscription, facts["subscription_id"])
    return telling.is_kept(facts) and one.next_version_id is None


CHANGED_AND_CHARGED = members.notice(
    "subscription.changed_and_charged",
    zh=Words(
        "您的方案已更換為「{plan}」，已收取差額 {amount}，本期有效至 {ends_at}。",
        subject="方案已更換",
    ),
    en=Words(
        "Your plan is “{plan}” now: {amount} was charged for the rest of this period, which is"
        " good until {ends_at}.",
        subject="Your plan has changed",
    ),
    facts={**_NOW, "amount": _AMOUNT},
)
CHANGED_WITH_REFUND = members.notice(
    "subscription.changed_with_refund",
    zh=Words(
        "您的方案已更換為「{plan}」，差額 {amount} 將退回原付款方式，本期有效至 {ends_at}。",
        subject="方案已更換並退款",
    ),
    en=Words(
        "Your plan is “{plan}” now: {amount} goes back for the rest of this period, which is good"
        " until {ends_at}.",
        subject="Your plan has changed, with a refund",
    ),
    facts={**_NOW, "amount": _AMOUNT},
)
CHANGED = members.notice(
    "subscription.changed",
    zh=Words(
        "您的方案已更換為「{plan}」，本期有效至 {ends_at}，無須補差額。", subject="方案已更換"
    ),
    en=Words(
        "Your plan is “{plan}” now, at no cost for this period, which is good until {ends_at}.",
        subject="Your plan has changed",
    ),
    facts=_NOW,
)
CHANGE_PLANNED = members.notice(
    "subscription.change_planned",
    zh=Words(
        "您的方案將於 {begins_at} 更換為「{plan}」，屆時每期 {price}。在那之前可隨時撤回。",
        subject="已收到您的方案更換",
    ),
    en=Words(
        "Your plan changes to “{plan}” on {begins_at}, for {price} each period. You may take this"
        " back before.",
        subject="Your plan is about to change",
    ),
    facts=_LATER,
    still_wanted=_is_to_change,
)
CHANGE_WITHDRAWN = members.notice(
    "subscription.change_withdrawn",
    zh=Words("您已撤回方案更換，「{plan}」將照常續訂。", subject="方案維持不變"),
    en=Words(
        "You took the change of your plan back. “{plan}” goes on as before.",
        subject="Your plan stays as it is",
    ),
    facts={"plan": "每月 10 杯", "subscription_id": NOBODY},
    still_wanted=_is_to_stay,
)
CHANGE_NOT_PAID = members.notice(
    "subscription.change_not_paid",
    zh=Words(
        "更換為「{plan}」的差額 {amount} 付款未成功，方案維持不變，未扣款。",
        subject="方案未更換",
    ),
    en=Words(
        "The payment of {amount} to change to “{plan}” did not work. Your plan stays as it is, and"
        " nothing was charged.",
        subject="Your plan was not changed",
    ),
    facts={"plan": "每月 20 杯", "amount": _AMOUNT},
)
CHANGE_TOO_LATE = members.notice(
    "subscription.change_too_late",
    zh=Words(
        "更換為「{plan}」的付款到達時已無法更換，{amount} 將全數退回。",
        subject="方案未更換，款項退回",
    ),
    en=Words(
        "The payment of {amount} to change to “{plan}” came when the change could not be made any"
        " more. All of it goes back.",
        subject="Your plan was not changed, and the money goes back",
    ),
    facts={"plan": "每月 20 杯", "amount": _AMOUNT},
)


def changed(
    subscription: Subscription, version: OfferVersion, *, amount: int, ends_at: datetime
) -> Told:
    """The plan is another one; below zero, the amount comes back."""
    facts: dict[str, Fact] = {"plan": version.name, "ends_at": ends_at}
    if amount == 0:
        return Told(subscription.member_id, CHANGED, facts)
    facts["amount"] = Money(abs(amount), version.currency)
    notice = CHANGED_AND_CHARGED if amount > 0 else CHANGED_WITH_REFUND
    return Told(subscription.member_id, notice, facts)


def change_planned(
    subscription: Subscription, version: OfferVersion, *, begins_at: datetime
) -> Told:
    """The plan will be another one from the next period on."""
    facts: dict[str, Fact] = {
        "plan": version.name,
        "price": Money(version.price, version.currency),
        "begins_at": begins_at,
        "subscription_id": subscription.id,
        "version_id": version.id,
    }
    return Told(subscription.member_id, CHANGE_PLANNED, facts)


def change_withdrawn(subscription: Subscription, version: OfferVersion) -> Told:
    """The plan stays `version` after all."""
    facts: dict[str, Fact] = {"plan": version.name, "subscription_id": subscription.id}
    return Told(subscription.member_id, CHANGE_WITHDRAWN, facts)


def change_not_paid(subscription: Subscription, version: OfferVersion, *, amount: int) -> Told:
    """The change to `version` was not paid, and is not made."""
    return _not_made(CHANGE_NOT_PAID, subscription, version, amount)


def change_too_late(subscription: Subscription, version: OfferVersion, *, amount: int) -> Told:
    """What was paid for the change to `version` goes back."""
    return _not_made(CHANGE_TOO_LATE, subscription, version, amount)


def _not_made(
    notice: members.Notice, subscription: Subscription, version: OfferVersion, amount: int
) -> Told:
    facts: dict[str, Fact] = {"plan": version.name, "amount": Money(amount, version.currency)}
    return Told(subscription.member_id, notice, facts)
