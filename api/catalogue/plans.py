"""Problems of making plans, and of what costs nothing at first."""

from api.problems import Problem

PROBLEMS = {
    "nothing-sold": Problem(
        en=(
            "Nothing sold",
            "A pack has a price, and cups that are counted. A plan may not.",
        ),
        zh=("沒有販售內容", "寄杯商品須有價格與杯數，否則請改設為訂閱方案。"),
    ),
    "schedule-unsound": Problem(
        en=("Unsound terms", "Some terms of this plan contradict one another; see terms."),
        zh=("方案條款矛盾", "方案的條款互相矛盾，請看 terms。"),
    ),
    "introduction-used": Problem(
        en=(
            "Had before",
            "A trial or a first price is given once, and you have had it. Place the order again.",
        ),
        zh=("已使用過優惠", "試用或首購優惠每人限一次，您已使用過，請重新下單。"),
    ),
    "card-wanted": Problem(
        en=("Card wanted", "This costs nothing now. Leave a card for when it does."),
        zh=("請留下卡片", "目前不收費，請留下卡片供日後扣款。"),
    ),
    "nothing-to-pay": Problem(
        en=(
            "Nothing to pay",
            "This costs nothing now. Leave a card where one is wanted, else pay with nothing.",
        ),
        zh=("無須付款", "這筆訂單不用付款，請留下卡片，或直接完成訂單。"),
    ),
    "way-of-paying-missing": Problem(
        en=("How to pay?", "Give one of payment_method, card_id and by_holder."),
        zh=("未指定付款方式", "請提供 payment_method、card_id、by_holder 其中之一。"),
    ),
    "not-for-giving": Problem(
        en=("Not for giving", "No periods of this offer can be given to somebody: {why}."),
        zh=("無法贈送期數", "這項商品無法以期數贈送：{why}。"),
        words={
            "why": {
                "no_plan": ("it is no plan", "這不是方案"),
                "free": ("it costs nothing", "此方案免費"),
                "terms": ("its terms do not allow it", "方案條款不允許轉贈"),
            }
        },
    ),
    "not-a-newer-version": Problem(
        en=("Not a newer version", "Members move to a later version of the same plan only."),
        zh=("不是較新的版本", "會員只能移轉至同一方案的較新版本。"),
    ),
    "migration-too-soon": Problem(
        en=("Too soon", "Members are told at least {days} days before."),
        zh=("通知期不足", "須於至少 {days} 天前通知會員。"),
    ),
    "migration-exists": Problem(
        en=("Proposed already", "It is proposed or agreed already where that version leads."),
        zh=("已有移轉計畫", "該版本已有提出或核准的移轉計畫。"),
    ),
    "migration-decided": Problem(
        en=("Decided before", "This migration was approved or rejected before."),
        zh=("已決定", "此移轉計畫先前已核准或駁回。"),
    ),
}
