"""What members are told about their plans, word by word, and until when it is true.

One notice for each thing that happens. Those that speak of what is to come are looked at again
before they are sent; what has happened for good (a plan has ended, money was taken) is told anyway.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import members
from kernel.ids import NOBODY
from kernel.wording import Count, Fact, Money, Words
from subs import telling

_PLAN: Final[Mapping[str, Fact]] = {"plan": "每月 10 杯"}
_PRICE: Final = Money(499, "TWD")
_MOMENT: Final = datetime(2026, 3, 14, 4, tzinfo=UTC)
_OF_ONE: Final[Mapping[str, Fact]] = {**_PLAN, "subscription_id": NOBODY}
_OF_PERIOD: Final[Mapping[str, Fact]] = {**_PLAN, "period_id": NOBODY, "attempts": 1}
_CHARGED: Final[Mapping[str, Fact]] = {**_PLAN, "price": _PRICE, "ends_at": _MOMENT}
_OVER: Final[Mapping[str, Fact]] = {**_PLAN, "ended_at": _MOMENT}
_TRIAL: Final[Mapping[str, Fact]] = {**_OF_ONE, "ends_at": _MOMENT, "price": _PRICE}

RENEWED = members.notice(
    "subscription.renewed",
    zh=Words("您的「{plan}」已續訂並扣款 {price}，有效至 {ends_at}。", subject="訂閱已續訂"),
    en=Words(
        "Your “{plan}” was renewed for {price} and is good until {ends_at}.",
        subject="Your plan was renewed",
    ),
    facts=_CHARGED,
)
CONVERTED = members.notice(
    "subscription.converted",
    zh=Words(
        "您的「{plan}」試用已結束，正式訂閱開始，已扣款 {price}，有效至 {ends_at}。",
        subject="訂閱已開始",
    ),
    en=Words(
        "The trial of your “{plan}” is over and the plan has begun: {price} was charged, and it is"
        " good until {ends_at}.",
        subject="Your plan has begun",
    ),
    facts=_CHARGED,
)
RECOVERED = members.notice(
    "subscription.recovered",
    zh=Words(
        "扣款成功：您的「{plan}」已續訂，金額 {price}，有效至 {ends_at}。", subject="訂閱扣款成功"
    ),
    en=Words(
        "The payment worked: your “{plan}” was renewed for {price} and is good until {ends_at}.",
        subject="The payment for your plan worked",
    ),
    facts=_CHARGED,
)
RESUMED = members.notice(
    "subscription.resumed",
    zh=Words("您暫停的「{plan}」已恢復並扣款 {price}，有效至 {ends_at}。", subject="訂閱已恢復"),
    en=Words(
        "Your “{plan}” goes on after its pause: {price} was charged, and it is good until"
        " {ends_at}.",
        subject="Your plan goes on",
    ),
    facts=_CHARGED,
)
GOES_ON = members.notice(
    "subscription.goes_on",
    zh=Words("您的「{plan}」已續期，未扣款，有效至 {ends_at}。", subject="訂閱已續期"),
    en=Words(
        "Your “{plan}” goes on until {ends_at}. Nothing was charged.", subject="Your plan goes on"
    ),
    facts={**_OF_ONE, "ends_at": _MOMENT},
    still_wanted=telling.is_live,
)
RENEWAL_FAILED = members.notice(
    "subscription.renewal_failed",
    zh=Words(
        "您的「{plan}」續訂扣款未成功，將於 {retry_at} 再試；改用其他卡片會立即重試。"
        "成功前不會發放新的權益。"
    ),
    en=Words(
        "The payment to renew your “{plan}” did not work. It is tried again on {retry_at}, or at"
        " once with another card. Until it works, nothing new is added."
    ),
    facts={**_OF_PERIOD, "retry_at": _MOMENT},
    is_urgent=True,
    still_wanted=telling.is_unpaid_still,
)
CARD_WANTED = members.notice(
    "subscription.card_wanted",
    zh=Words(
        "您的「{plan}」續訂扣款未成功，不會再以現有方式重試。請於 {lapses_at} 前改用其他卡片，"
        "否則訂閱將結束。"
    ),
    en=Words(
        "The payment to renew your “{plan}” did not work and is not tried again as it is. Name"
        " another card before {lapses_at}, or the plan ends."
    ),
    facts={**_OF_PERIOD, "lapses_at": _MOMENT},
    is_urgent=True,
    still_wanted=telling.is_unpaid_still,
)
AUTHENTICATION_WANTED = members.notice(
    "subscription_period.authentication_wanted",
    zh=Words(
        "您的「{plan}」續訂需要銀行驗證，請開啟連結完成付款：{link} 。完成前不會扣款，"
        "也不會發放新的權益。"
    ),
    en=Words(
        "Your bank wants you to confirm the renewal of “{plan}”: {link} . Until you do, nothing is"
        " charged and nothing new is added."
    ),
    facts={**_OF_PERIOD, "link": "https://example.org/s/1"},
    is_urgent=True,
    still_wanted=telling.is_asked_still,
)
LAPSED = members.notice(
    "subscription.lapsed",
    zh=Words(
        "您的「{plan}」因續訂未付款，已於 {ended_at} 結束，不會再扣款。想再使用請重新訂閱。",
        subject="訂閱已結束",
    ),
    en=Words(
        "Your “{plan}” ended on {ended_at}, since its renewal was not paid. Nothing more is"
        " charged. To have it again, subscribe anew.",
        subject="Your plan has ended",
    ),
    facts=_OVER,
)
TRIAL_NOT_CONTINUED = members.notice(
    "subscription.trial_not_continued",
    zh=Words(
        "您的「{plan}」試用已於 {ended_at} 結束，未登錄付款卡片，因此不會扣款。",
        subject="試用已結束",
    ),
    en=Words(
        "The trial of your “{plan}” ended on {ended_at}. You left no card, so nothing is charged.",
        subject="Your trial has ended",
    ),
    facts=_OVER,
)
GIFT_USED_UP = members.notice(
    "subscription.gift_used_up",
    zh=Words(
        "您的「{plan}」預付的期數已用完，訂閱已於 {ended_at} 結束。未登錄付款卡片，因此不會扣款。",
        subject="預付的訂閱已結束",
    ),
    en=Words(
        "The prepaid periods of your “{plan}” are used up, and it ended on {ended_at}. You left no"
        " card, so nothing is charged.",
        subject="Your prepaid plan has ended",
    ),
    facts=_OVER,
)
CANCEL_ASKED = members.notice(
    "subscription.cancel_asked",
    zh=Words(
        "您已取消「{plan}」：可使用至 {ends_at}，之後不再扣款。在那之前可隨時改回續訂。",
        subject="已收到您的取消",
    ),
    en=Words(
        "You cancelled your “{plan}”. It is good until {ends_at} and is not charged after that. You"
        " may take this back before.",
        subject="You cancelled your plan",
    ),
    facts={**_OF_ONE, "ends_at": _MOMENT},
    still_wanted=telling.is_to_end,
)
KEPT = members.notice(
    "subscription.kept",
    zh=Words("您已撤回取消，「{plan}」將照常續訂。", subject="訂閱將照常續訂"),
    en=Words(
        "You took your cancelling back. “{plan}” is renewed as before.", subject="You keep it"
    ),
    facts=_OF_ONE,
    still_wanted=telling.is_kept,
)
ENDED = members.notice(
    "subscription.ended",
    zh=Words("您取消的「{plan}」已於 {ended_at} 結束，不會再扣款。", subject="訂閱已結束"),
    en=Words(
        "Your “{plan}”, which you cancelled, ended on {ended_at}. Nothing more is charged.",
        subject="Your plan has ended",
    ),
    facts=_OVER,
)
ENDED_WITH_REFUND = members.notice(
    "subscription.ended_with_refund",
    zh=Words(
        "您取消的「{plan}」已於 {ended_at} 結束，不會再扣款；剩餘期間退款 {amount}。",
        subject="訂閱已結束並退款",
    ),
    en=Words(
        "Your “{plan}”, which you cancelled, ended on {ended_at}. Nothing more is charged, and"
        " {amount} goes back for what was left of it.",
        subject="Your plan has ended, with a refund",
    ),
    facts={**_OVER, "amount": _PRICE},
)
DISPUTED = members.notice(
    "subscription.disputed",
    zh=Words(
        "您的「{plan}」有一筆款項已由發卡銀行退回給您，因此訂閱已於 {ended_at} 結束，不會再扣款。"
        "想再使用請重新訂閱。",
        subject="訂閱已結束",
    ),
    en=Words(
        "Your bank gave you a payment for “{plan}” back, so the plan ended on {ended_at}. Nothing"
        " more is charged. To have it again, subscribe anew.",
        subject="Your plan has ended",
    ),
    facts=_OVER,
)
PAUSE_ASKED = members.notice(
    "subscription.pause_asked",
    zh=Words("您的「{plan}」將自 {pauses_at} 暫停，{resumes_at} 恢復續訂。", subject="訂閱將暫停"),
    en=Words(
        "Your “{plan}” pauses from {pauses_at} until {resumes_at}, when it is renewed.",
        subject="Your plan will pause",
    ),
    facts={**_OF_ONE, "pauses_at": _MOMENT, "resumes_at": _MOMENT},
    still_wanted=telling.is_to_pause,
)
PAUSE_WITHDRAWN = members.notice(
    "subscription.pause_withdrawn",
    zh=Words("您已撤回暫停，「{plan}」將照常續訂。", subject="訂閱不暫停"),
    en=Words("You took your pause back. “{plan}” is renewed as before.", subject="No pause"),
    facts=_OF_ONE,
    still_wanted=telling.is_not_to_pause,
)
PAUSED = members.notice(
    "subscription.paused",
    zh=Words(
        "您的「{plan}」已暫停，暫停期間不會扣款，{resumes_at} 恢復續訂。您可隨時提前恢復。",
        subject="訂閱已暫停",
    ),
    en=Words(
        "Your “{plan}” is paused and not charged. It is renewed on {resumes_at}, or sooner if"
        " you wish.",
        subject="Your plan is paused",
    ),
    facts={**_OF_ONE, "resumes_at": _MOMENT},
    still_wanted=telling.is_paused_still,
)
CARD_CHANGED = members.notice(
    "subscription.card_changed",
    zh=Words(
        "您的「{plan}」今後改以另一張卡片扣款。若非您本人操作，請立即聯絡我們。",
        subject="訂閱的付款卡片已變更",
    ),
    en=Words(
        "From now on another card is charged for your “{plan}”. If that was not you, tell us at"
        " once.",
        subject="Another card for your plan",
    ),
    facts=_PLAN,
)
LATE_PAYMENT_RETURNED = members.notice(
    "subscription.late_payment_returned",
    zh=Words(
        "您的「{plan}」結束後才收到 {amount} 的付款，訂閱不會恢復，款項將全數退回。",
        subject="款項退回",
    ),
    en=Words(
        "{amount} came for your “{plan}” after it had ended. The plan stays ended, and all of it"
        " goes back to you.",
        subject="A late payment goes back",
    ),
    facts={**_PLAN, "amount": _PRICE},
)
TRIAL_ENDS_PAID = members.notice(
    "subscription.trial_ends_paid",
    zh=Words(
        "您的「{plan}」試用將於 {ends_at} 結束，屆時扣款 {price}。不想續用請在那之前取消。",
        subject="試用即將結束",
    ),
    en=Words(
        "The trial of your “{plan}” ends on {ends_at}. Then {price} is charged, unless you cancel"
        " before.",
        subject="Your trial ends soon",
    ),
    facts=_TRIAL,
    still_wanted=telling.is_trial_to_be_charged,
)
TRIAL_ENDS_WITHOUT_CARD = members.notice(
    "subscription.trial_ends_without_card",
    zh=Words(
        "您的「{plan}」試用將於 {ends_at} 結束。想續用（{price}）請在那之前登錄卡片，"
        "否則訂閱結束，不會扣款。",
        subject="試用即將結束",
    ),
    en=Words(
        "The trial of your “{plan}” ends on {ends_at}. To go on for {price}, name a card before;"
        " else the plan ends and nothing is charged.",
        subject="Your trial ends soon",
    ),
    facts=_TRIAL,
    still_wanted=telling.is_trial_without_card,
)


def _less(paid: members.Notice) -> members.Notice:
    zh, en = paid.words["zh-TW"], paid.words["en"]
    return members.notice(
        f"{paid.name}_less",
        zh=Words(
            f"{zh.text}上期未兌換者最多留用 {{most}}，其餘 {{ended}}已隨上期失效。",
            subject=zh.subject,
        ),
        en=Words(
            f"{en.text} Of what was left, {{ended}} ended with the old period, since at most"
            " {most} go along.",
            subject=en.subject,
        ),
        facts={**paid.facts, "ended": Count(2, "cup"), "most": Count(5, "cup")},
        still_wanted=paid.still_wanted,
    )


LESS: Final[Mapping[str, members.Notice]] = {
    one.name: _less(one) for one in (RENEWED, CONVERTED, RECOVERED, RESUMED, GOES_ON)
}
"""By the name of what tells that a period is paid: the same, where cups ended over a cap."""
PREPAID_ENDS_PAID = members.notice(
    "subscription.prepaid_ends_paid",
    zh=Words(
        "您的「{plan}」預付的期數將於 {ends_at} 用完，屆時改由您的卡片扣款 {price}。"
        "不想續用請在那之前取消。",
        subject="預付的訂閱即將用完",
    ),
    en=Words(
        "The prepaid periods of your “{plan}” run out on {ends_at}. Then {price} is charged to your"
        " card, unless you cancel before.",
        subject="Your prepaid plan runs out soon",
    ),
    facts={**_OF_ONE, "period_id": NOBODY, "ends_at": _MOMENT, "price": _PRICE},
    still_wanted=telling.is_prepaid_to_be_charged,
)
PREPAID_ENDS = members.notice(
    "subscription.prepaid_ends",
    zh=Words(
        "您的「{plan}」預付的期數將於 {ends_at} 用完，訂閱隨之結束，不會扣款。"
        "想續用請在那之前登錄卡片。",
        subject="預付的訂閱即將用完",
    ),
    en=Words(
        "The prepaid periods of your “{plan}” run out on {ends_at}. The plan ends then and nothing"
        " is charged. To go on, name a card before.",
        subject="Your prepaid plan runs out soon",
    ),
    facts={**_OF_ONE, "period_id": NOBODY, "ends_at": _MOMENT},
    still_wanted=telling.is_prepaid_without_card,
)
