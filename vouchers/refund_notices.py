"""What members are told about refunds."""

from datetime import datetime
from uuid import UUID

import members
from kernel.wording import Count, Money, Unit, Words

REFUND_MADE = members.notice(
    "refund.made",
    zh=Words("{cups}已辦理退回，{money} 將退還到原付款方式。", subject="寄杯退款"),
    en=Words(
        "Given back: {cups}. {money} is on its way to where it was paid from.",
        subject="Your refund",
    ),
    facts={"cups": Count(5, "cup"), "money": Money(442, "TWD")},
)
REFUND_EMPTY = members.notice(
    "refund.empty",
    zh=Words(
        "{cups}已辦理退回；已領取的部分按定價計算，已達付款金額，因此沒有退款。",
        subject="寄杯退款",
    ),
    en=Words(
        "Given back: {cups}. What was collected cost as much at list price as was paid, so no"
        " money follows.",
        subject="Your refund",
    ),
    facts={"cups": Count(5, "cup")},
)
REFUND_OF_DAYS = members.notice(
    "refund.days",
    zh=Words("方案剩餘的期間已辦理退回，{money} 將退還到原付款方式。", subject="方案退款"),
    en=Words(
        "The rest of your plan's period was given back; {money} is on its way to where it was"
        " paid from.",
        subject="Your refund",
    ),
    facts={"money": Money(250, "TWD")},
)


def tell_refund(
    payer_id: UUID, *, cups: int, unit: Unit, payable: int, currency: str, now: datetime
) -> None:
    """Tell the payer what was given back, and how much money follows."""
    told, money = Count(cups, unit), Money(payable, currency)
    if not cups:
        members.notify(payer_id, REFUND_OF_DAYS, now=now, money=money)
    elif payable:
        members.notify(payer_id, REFUND_MADE, now=now, cups=told, money=money)
    else:
        members.notify(payer_id, REFUND_EMPTY, now=now, cups=told)
