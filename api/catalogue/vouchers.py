"""Problems of offers and orders."""

from api.problems import Problem

PROBLEMS = {
    "not-on-sale": Problem(
        en=("Not on sale", "This offer is not sold at the moment."),
        zh=("目前未販售", "這項商品目前沒有販售。"),
    ),
    "mixed-currencies": Problem(
        en=("More than one currency", "Order what is priced in different currencies apart."),
        zh=("幣別不同", "不同幣別的商品請分開訂購。"),
    ),
    "order-too-large": Problem(
        en=("Order too large", "One order costs at most {most}. Order the rest apart."),
        zh=("訂單金額過大", "單筆訂單最多 {most}，其餘請分開訂購。"),
    ),
    "already-paid": Problem(
        en=("Already paid", "This order is paid. You were not charged again."),
        zh=("已經付款", "這筆訂單已經付款，沒有再次扣款。"),
    ),
    "order-ended": Problem(
        en=("Order ended", "This order was to be paid until {ended_at}. Place it again."),
        zh=("訂單已失效", "這筆訂單須在 {ended_at} 前付款，請重新下單。"),
    ),
    "payment-declined": Problem(
        status=402,
        en=("Payment declined", "The card was refused ({decline_code}). Try another one."),
        zh=("付款遭拒", "卡片扣款失敗（{decline_code}），請換一張再試。"),
    ),
}
