"""Problems of subscriptions."""

from api.problems import Problem

PROBLEMS = {
    "subscription-ended": Problem(
        en=(
            "Subscription ended",
            "This subscription was cancelled or has lapsed. A new one can be bought.",
        ),
        zh=("訂閱已結束", "此訂閱已取消或失效，可以重新購買。"),
    ),
}
