"""Problems of gifts."""

from api.problems import Problem

PROBLEMS = {
    "gift-not-found": Problem(
        en=("No gift for you", "There is no gift that you can see here."),
        zh=("找不到禮物", "這裡沒有您可以看到的禮物。"),
    ),
    "gift-claimed": Problem(
        en=("Claimed", "Somebody has claimed this gift."),
        zh=("禮物已被領取", "這份禮物已經有人領取。"),
    ),
    "gift-ended": Problem(
        en=("Over", "This gift could be claimed until {ended_at}."),
        zh=("禮物已失效", "這份禮物的領取期限至 {ended_at} 為止。"),
    ),
    "not-giftable": Problem(
        en=("Not to be given", "These cups were sold on terms that keep them with their buyer."),
        zh=("不可轉贈", "這些杯數的販售條款不允許轉贈。"),
    ),
    "offer-not-named": Problem(
        en=("Of which offer?", "You hold cups of several offers: say of which to give."),
        zh=("請指定商品", "您持有多種商品的杯數，請指定要轉贈哪一種。"),
    ),
    "gift-limit-reached": Problem(
        en=("Too many gifts", "A member has at most {most} gifts {limit}."),
        zh=("已達贈送上限", "每位會員{limit}最多 {most} 份禮物。"),
        words={
            "limit": {
                "open": ("open at a time", "同時"),
                "day": ("a day", "每日"),
            }
        },
    ),
}
