"""Problems of refunds."""

from api.problems import Problem

PROBLEMS = {
    "not-refundable": Problem(
        en=("Not refundable", "These cups do not come back for money: {why}."),
        zh=("無法退款", "這些杯數無法退款：{why}。"),
        words={
            "why": {
                "terms": ("the terms they were sold on", "購買時的條款"),
                "bonus": (
                    "bonus cups come back with all paid cups of their pack",
                    "贈送的杯數須與該組付費杯數一併退還",
                ),
                "unpaid": ("no payment for them is known", "查無付款紀錄"),
            }
        },
    ),
    "nothing-to-refund": Problem(
        en=("Nothing to refund", "There are no unused cups to give back."),
        zh=("沒有可退的杯數", "沒有未使用的杯數可以退還。"),
    ),
    "too-few-left": Problem(
        en=("Too few left", "{left} are left, and {wanted} were to be given back."),
        zh=("剩餘杯數不足", "剩餘 {left} 杯，無法退還 {wanted} 杯。"),
    ),
    "whole-rest-only": Problem(
        en=(
            "All or none",
            "Collected cups count at list price, so give back all {left} that are left.",
        ),
        zh=("須一次全部退還", "已領取的杯數依定價計算，須將剩餘 {left} 杯全部退還。"),
    ),
    "refund-not-failed": Problem(
        en=("Not failed", "Only a refund that failed is paid again; this one is {status}."),
        zh=("並未失敗", "只有失敗的退款可以重新付款；這筆{status}。"),
        words={
            "status": {
                "owed": ("on its way", "處理中"),
                "paid": ("paid", "已付款"),
                "unpaid": ("of no payment that is known", "查無付款紀錄"),
            }
        },
    ),
}
