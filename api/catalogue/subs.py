"""Problems of subscriptions."""

from api.problems import Problem

PROBLEMS = {
    "card-in-use": Problem(
        en=(
            "Card in use",
            "A subscription is renewed with this card. Give that another card first.",
        ),
        zh=("卡片使用中", "有訂閱以這張卡片續訂，請先為該訂閱更換卡片。"),
    ),
    "subscription-ended": Problem(
        en=(
            "Subscription ended",
            "This subscription was cancelled or has lapsed. A new one can be bought.",
        ),
        zh=("訂閱已結束", "此訂閱已取消或失效，可以重新購買。"),
    ),
}
