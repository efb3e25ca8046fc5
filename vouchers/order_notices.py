"""What a member is told about an order."""

import members
from kernel.wording import Money, Words

PAID_TOO_LATE = members.notice(
    "voucher_order.paid_too_late",
    zh=Words(
        "您的訂單在付款完成前已失效，我們不會發放杯數。已收到的 {amount} 將全數退回原付款方式。",
        subject="款項將退回給您",
    ),
    en=Words(
        "Your order had ended before its payment arrived, so no cups were added. The {amount} that"
        " we received goes back the way you paid, in full.",
        subject="Your money is on its way back",
    ),
    facts={"amount": Money(1000, "TWD")},
)
