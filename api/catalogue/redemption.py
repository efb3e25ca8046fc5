"""Problems at the till."""

from api.problems import Problem

_CHANNELS = {
    "counter": ("at the counter", "櫃檯"),
    "kiosk": ("at a kiosk", "自助點餐機"),
    "drive-through": ("at the drive-through", "得來速"),
    "delivery": ("for delivery", "外送"),
}

_LIMITS = {
    "max_cups": ("The limit of one collection", "單次取杯上限"),
    "cups_per_day": ("The limit of a day", "每日取杯上限"),
    "cups_per_period": ("What the plan gives in a period", "本期杯數上限"),
    "minimum_interval": ("The time between two cups", "取杯間隔"),
    "card_per_scan": ("The limit of a card", "卡片單次上限"),
    "card_per_day": ("A card's limit of a day", "卡片每日上限"),
    "capsule": ("An offline code", "離線取杯碼"),
}

_NEXT = {"next_at": (" The next can be had on {next_at}.", "下次可取時間：{next_at}。")}

PROBLEMS = {
    "token-invalid": Problem(
        en=("Not a code of ours", "Ask the shopper to open the wallet and show the code anew."),
        zh=("無效的取杯碼", "請顧客重新開啟錢包並出示取杯碼。"),
    ),
    "token-expired": Problem(
        en=("The code is too old", "A code lives for a minute: scan the one that shows now."),
        zh=("取杯碼已過期", "取杯碼一分鐘內有效，請掃描目前畫面上的取杯碼。"),
    ),
    "token-used": Problem(
        en=("The code was used", "Each code hands over cups once: scan the next one."),
        zh=("取杯碼已使用", "每組取杯碼只能使用一次，請掃描下一組。"),
    ),
    "insufficient-cups": Problem(
        en=("Not enough cups", "{held} can be collected, {wanted} were asked for."),
        zh=("杯數不足", "可取 {held} 杯，要求取 {wanted} 杯。"),
        more=_NEXT,
    ),
    "product-mismatch": Problem(
        en=("Not for this drink", "Nothing in this wallet may be exchanged for this drink."),
        zh=("不適用此飲品", "錢包中沒有可兌換此飲品的寄杯。"),
    ),
    "covers-less": Problem(
        en=(
            "The drink is dearer",
            "A cup covers drinks of up to {covers} {currency}, not one of {list_price}.",
        ),
        zh=(
            "飲品價格超過可兌換額度",
            "每杯可兌換定價 {covers} {currency} 以內的飲品，此飲品 {list_price}，且不適用補差價。",
        ),
    ),
    "channel-not-accepted": Problem(
        en=("Not through this channel", "What this wallet holds is not accepted {channel}."),
        zh=("此通路不適用", "錢包中的寄杯不適用於{channel}。"),
        words={"channel": _CHANNELS},
    ),
    "top-up-due": Problem(
        en=(
            "Another amount is due",
            "Due besides: {due} {currency}, collected: {collected}. Settle it and scan anew.",
        ),
        zh=(
            "補差價金額不符",
            "應補差價 {due} {currency}，已收 {collected}。請與顧客結清後重新掃描。",
        ),
    ),
    "store-not-accepted": Problem(
        en=("Not at this store", "What this wallet holds is not accepted at this store."),
        zh=("本店不適用", "錢包中的寄杯不適用於本店。"),
    ),
    "lot-frozen": Problem(
        en=("Held back", "These cups are held back while their payment is disputed."),
        zh=("暫停使用", "付款爭議處理期間，這些杯數暫停使用。"),
    ),
    "wallet-blocked": Problem(
        en=(
            "The wallet is blocked",
            "The member lifts their own block in the app; that of the chain the chain lifts.",
        ),
        zh=("錢包已停用", "會員自行停用者，請在 App 解除；由本公司停用者，請聯絡客服。"),
    ),
    "limit-reached": Problem(
        en=("A limit is reached", "{limit} leaves {allowed} cups now; {wanted} were asked for."),
        zh=("已達上限", "{limit}：目前可取 {allowed} 杯，要求取 {wanted} 杯。"),
        words={"limit": _LIMITS},
        more=_NEXT,
    ),
    "approval-needed": Problem(
        en=(
            "The member has to approve it",
            "In the app: {wanted} cups were asked for, {free} need no approval. Then scan anew.",
        ),
        zh=(
            "須由會員核准",
            "一次取 {wanted} 杯須由會員在 App 核准（免核准 {free} 杯），核准後請重新掃描。",
        ),
    ),
    "own-wallet": Problem(
        en=("Your own wallet", "Ask a colleague to do it: these are your own cups."),
        zh=("自己的錢包", "這是您自己的寄杯，請由同事處理。"),
        status=403,
    ),
    "store-scope": Problem(
        en=("Another store's", "This belongs to another store: ask there."),
        zh=("屬於其他門市", "請洽該門市處理。"),
        status=403,
    ),
    "unknown-product": Problem(
        en=("Unknown product", "The chain sells no product with this id."),
        zh=("查無此商品", "沒有這個商品代碼。"),
    ),
    "already-voided": Problem(
        en=("Undone before", "This redemption was undone before; its cups are back."),
        zh=("已取消", "此筆取杯先前已取消，杯數已退回。"),
    ),
    "not-so-many-taken": Problem(
        en=("Fewer cups are left to undo", "{taken} of these can be undone still, not {wanted}."),
        zh=("可取消的杯數不足", "此飲品尚可取消 {taken} 杯，要求取消 {wanted} 杯。"),
    ),
    "late-void-waits": Problem(
        en=("Asked before", "A request to undo this redemption waits: approve or reject that one."),
        zh=("已有申請", "此筆取杯已有待核准的取消申請，請先核准或駁回。"),
    ),
    "late-void-decided": Problem(
        en=("Decided before", "This request was approved or rejected before."),
        zh=("已決定", "此申請先前已核准或駁回。"),
    ),
    "void-too-late": Problem(
        en=(
            "Too late to undo",
            "It could be undone until {ended_at}. A manager may have longer; later ask finance.",
        ),
        zh=("已逾取消時限", "可取消至 {ended_at}，店長的時限較長；逾時請洽財務申請。"),
    ),
}
