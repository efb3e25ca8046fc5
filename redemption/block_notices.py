"""What members are told when the chain blocks their wallet, and when it lifts that."""

import members
from kernel.wording import Words

WALLET_BLOCKED = members.notice(
    "wallet.blocked",
    zh=Words("您的錢包已由本公司停用，暫時無法取杯；如有疑問請聯絡客服。", subject="錢包已停用"),
    en=Words(
        "We have blocked your wallet: no cups can be collected for now. Please contact us.",
        subject="Your wallet is blocked",
    ),
    facts={},
    is_urgent=True,
)
WALLET_FREED = members.notice(
    "wallet.freed",
    zh=Words("本公司已解除您錢包的停用。", subject="錢包已解除停用"),
    en=Words("We have lifted the block of your wallet.", subject="Your wallet is free again"),
    facts={},
)
