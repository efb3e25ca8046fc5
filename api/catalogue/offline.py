"""Problems of what was served without a network."""

from api.problems import Problem

_REMEDIES = {
    "charged": ("charged", "扣杯"),
    "borne": ("borne", "由總部吸收"),
    "dismissed": ("dismissed", "不予成立"),
}

PROBLEMS = {
    "offline-item-invalid": Problem(
        en=(
            "Not an item of a log",
            "Item {index} (from 0) is none of ours: {problem}. Leave it out, and send the rest.",
        ),
        zh=(
            "不是有效的離線紀錄",
            "第 {index} 筆（從 0 起算）不是有效的離線紀錄：{problem}。請移除後重新上傳其餘紀錄。",
        ),
        words={
            "problem": {
                "form": ("it is not written as an item is", "格式不符"),
                "device": ("no device with a key is called so", "查無此裝置或裝置沒有金鑰"),
                "signature": ("it was not signed by its device", "裝置簽章不符"),
            }
        },
    ),
    "uploads-busy": Problem(
        status=503,
        retry_after=2,
        en=("Busy with other uploads", "Nothing of this one was done: send it again, as it is."),
        zh=("正在處理其他上傳", "本次上傳尚未處理，請稍後原樣重新上傳。"),
    ),
    "already-resolved": Problem(
        en=("Decided before", "Somebody has decided about this item before: {remedy}."),
        zh=("已處理", "這筆紀錄先前已處理：{remedy}。"),
        words={"remedy": _REMEDIES},
    ),
    "remedy-not-allowed": Problem(
        en=("Not for this reason", "For the reason of this item {remedy} is no remedy."),
        zh=("不適用此處理方式", "這筆紀錄的原因不適用「{remedy}」。"),
        words={"remedy": _REMEDIES},
    ),
    "nothing-to-charge": Problem(
        en=("Nothing to charge", "The wallet, or the capsule, has nothing left for this item."),
        zh=("無可扣杯數", "錢包或離線取杯碼已沒有可扣的杯數。"),
    ),
}
