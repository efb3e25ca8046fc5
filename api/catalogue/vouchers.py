"""Problems of offers and orders."""

from api.catalogue.payments import DECLINES
from api.problems import Problem

_CHANNELS = {
    "web": ("on the web", "網站"),
    "app": ("in the app", "手機 App"),
    "counter": ("at the counter", "櫃檯"),
}

PROBLEMS = {
    "not-on-sale": Problem(
        en=("Not on sale", "This offer is not sold at the moment."),
        zh=("目前未販售", "這項商品目前沒有販售。"),
    ),
    "channel-not-sold": Problem(
        en=("Not sold here", "This offer is not sold {channel}. It can be bought {channels}."),
        zh=("此通路未販售", "這項商品不在{channel}販售，請至以下通路購買：{channels}。"),
        words={"channel": _CHANNELS, "channels": _CHANNELS},
    ),
    "member-limit": Problem(
        en=(
            "That is more than one person may buy",
            "Everybody may buy {limit} of this offer. You have {held}, unpaid orders included.",
        ),
        zh=(
            "已達購買上限",
            "這項商品每人限購 {limit} 份，您已有 {held} 份（含尚未付款的訂單）。",
        ),
    ),
    "store-not-selling": Problem(
        en=("Not sold by this store", "This store cannot sell this offer. Choose another store."),
        zh=("此門市無法販售", "這間門市無法販售這項商品，請選擇其他門市。"),
    ),
    "own-order": Problem(
        en=("Not to yourself", "Somebody else has to sell to you, at their till."),
        zh=("不可賣給自己", "請由其他同仁在其收銀機為您結帳。"),
    ),
    "no-receipt-yet": Problem(
        en=("No receipt yet", "There is a receipt as soon as the order is paid and fulfilled."),
        zh=("尚無購買憑證", "訂單付款並發放杯數後，即可查看購買憑證。"),
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
    "payment-given-up": Problem(
        status=409,
        en=(
            "Another way came first",
            "Nothing was charged by this attempt, since another began. Look at the order first.",
        ),
        zh=(
            "已改用其他付款方式",
            "此次付款未扣款，因為已開始另一筆付款。請先查看訂單狀態。",
        ),
    ),
    "payment-declined": Problem(
        status=402,
        en=("Payment declined", "The card was refused ({decline_code}). Try another one."),
        zh=("付款遭拒", "卡片扣款失敗（{decline_code}），請換一張再試。"),
        words={"decline_code": DECLINES},
    ),
}
