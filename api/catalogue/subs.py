"""Problems of subscriptions."""

from api.problems import Problem

_STATES = {
    "trialing": ("in its trial", "試用中"),
    "active": ("active", "使用中"),
    "past_due": ("past due", "待付款"),
    "paused": ("paused", "暫停中"),
}

PROBLEMS = {
    "card-in-use": Problem(
        en=(
            "Card in use",
            "A subscription is renewed with this card. Give that another card first.",
        ),
        zh=("卡片使用中", "有訂閱以這張卡片續訂，請先為該訂閱更換卡片。"),
    ),
    "not-paused": Problem(
        en=("Not paused", "This subscription is {state}: there is no pause to end."),
        zh=("訂閱未暫停", "此訂閱目前{state}，沒有可結束的暫停。"),
        words={"state": _STATES},
    ),
    "pause-begun": Problem(
        en=("Pause begun", "The pause has begun. Resume the subscription instead."),
        zh=("暫停已開始", "暫停已開始，請改為恢復訂閱。"),
    ),
    "pause-days": Problem(
        en=("Day not offered", "It may go on from {first_on} to {last_on}."),
        zh=("恢復日期不可選", "恢復日期須在 {first_on} 至 {last_on} 之間。"),
    ),
    "pause-not-now": Problem(
        en=("Cannot be paused now", "Only an active subscription is paused; this is {state}."),
        zh=("目前無法暫停", "只有使用中的訂閱可以暫停，此訂閱目前{state}。"),
        words={"state": _STATES},
    ),
    "pause-not-offered": Problem(
        en=("No pause", "This plan cannot be paused."),
        zh=("不提供暫停", "此方案不提供暫停。"),
    ),
    "renewal-under-way": Problem(
        en=("Being renewed", "The next period is being charged at this moment. Try again soon."),
        zh=("續訂處理中", "下一期正在扣款，請稍後再試。"),
    ),
    "subscription-ended": Problem(
        en=(
            "Subscription ended",
            "This subscription was cancelled or has lapsed. A new one can be bought.",
        ),
        zh=("訂閱已結束", "此訂閱已取消或失效，可以重新購買。"),
    ),
}
