"""Problems of changes from one plan to another."""

from api.problems import Problem

PROBLEMS = {
    "same-plan": Problem(
        en=("The same plan", "This subscription is on that plan already."),
        zh=("已是此方案", "您的訂閱目前就是這個方案。"),
    ),
    "plan-ends": Problem(
        en=("Plan ends", "This plan was cancelled and is about to end. Keep it first."),
        zh=("訂閱即將結束", "此訂閱已取消，即將結束，請先撤回取消。"),
    ),
    "change-not-offered": Problem(
        en=("No such change", "Nobody changes between these plans. Buy the other one instead."),
        zh=("無法更換為此方案", "這兩個方案之間無法更換，請直接購買另一個方案。"),
    ),
    "change-not-now": Problem(
        en=("Cannot be changed now", "This subscription is {state}, so it is not changed now."),
        zh=("目前無法更換", "此訂閱目前{state}，暫時無法更換方案。"),
        words={
            "state": {
                "trialing": ("in its trial", "試用中"),
                "active": ("active", "使用中"),
                "past_due": ("past due", "待付款"),
                "paused": ("paused", "暫停中"),
            }
        },
    ),
    "change-only-at-end": Problem(
        en=("At its end only", "This change takes effect at the end of the period: {why}."),
        zh=("僅能於期末更換", "此更換於本期結束時生效：{why}。"),
        words={
            "why": {
                "interval": ("the plans renew at other intervals", "兩個方案的週期不同"),
                "tax": ("the plans are taxed in other ways", "兩個方案的課稅方式不同"),
                "grants": (
                    "its cups come several times in a period",
                    "方案於同一期內分次發放杯數",
                ),
                "prepaid": ("the period was paid for before", "本期為預付期數"),
                "disputed": ("its payment is disputed", "本期款項有付款爭議"),
                "no_cups": (
                    "no cup would be left of it for its money",
                    "更換後本期將沒有可領取的杯數",
                ),
                "last_day": ("this is its last day", "今天是本期最後一天"),
            }
        },
    ),
    "change-needs-card": Problem(
        en=("Card wanted", "This change costs something now. Give the subscription a card first."),
        zh=("請先設定卡片", "此更換需立即付款，請先為訂閱設定付款卡片。"),
    ),
    "no-change-asked": Problem(
        en=("Nothing to withdraw", "There is no change of plan that could be taken back."),
        zh=("沒有可撤回的更換", "目前沒有待生效的方案更換。"),
    ),
}
