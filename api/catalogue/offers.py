"""Problems of making offers."""

from api.problems import Problem

PROBLEMS = {
    "unlawful-offer": Problem(
        en=("Unlawful offer", "The law of {jurisdiction} does not allow this offer: {breaches}."),
        zh=("不合法的商品條款", "依{jurisdiction}法律不得如此販售：{breaches}。"),
        words={
            "jurisdiction": {"TW": ("Taiwan", "台灣"), "MY": ("Malaysia", "馬來西亞")},
            "breaches": {
                "paid-cups-lapse": (
                    "cups that were paid for may not lapse",
                    "已付款的杯數不得訂有失效期限",
                ),
                "no-refund": ("unused cups must be refundable", "未使用的杯數必須可以退款"),
                "refund-fee": ("the refund fee is too high", "退款手續費過高"),
                "withdrawal-days": (
                    "distance sales may be withdrawn for longer",
                    "通訊交易的無條件退貨期間過短",
                ),
                "guarantee-months": (
                    "the performance guarantee is too short",
                    "履約保證期間過短",
                ),
            },
        },
    ),
    "offer-exists": Problem(
        en=("Offer exists", "There is an offer of this code: propose a version of it instead."),
        zh=("商品已存在", "已有相同代碼的商品，請改為提出新版本。"),
    ),
    "offer-currency": Problem(
        en=("Another currency", "This offer is priced in {currency}, and stays so."),
        zh=("幣別不同", "此商品以 {currency} 計價，不得變更幣別。"),
    ),
    "version-decided": Problem(
        en=("Decided before", "This version was approved or rejected before."),
        zh=("已決定", "此版本先前已核准或駁回。"),
    ),
    "version-outdated": Problem(
        en=("Outdated", "Version {latest} is approved: this older one would never be sold."),
        zh=("版本已過時", "第 {latest} 版已核准，較舊的版本不會再販售。"),
    ),
    "version-not-approved": Problem(
        en=("Not on sale", "This version is not approved, so there is no sale to end."),
        zh=("尚未核准", "此版本尚未核准，沒有可結束的販售。"),
    ),
    "sale-ends-earlier": Problem(
        en=(
            "Ends earlier",
            "Its sale ends at {sale_ends_at}. To sell for longer, propose a further version.",
        ),
        zh=("已提早結束", "此版本販售至 {sale_ends_at} 為止；要延長請提出新版本。"),
    ),
}
