"""Problems of the books."""

from api.problems import Problem

PROBLEMS = {
    "period-invalid": Problem(
        en=("Not a period", "{period} is not a month that has begun: give one such as 2026-01."),
        zh=("期間錯誤", "{period} 不是已開始的月份，請輸入如 2026-01。"),
    ),
    "already-reversed": Problem(
        en=("Reversed before", "An entry is reversed once, and a reversal not at all."),
        zh=("已沖銷", "分錄只能沖銷一次，沖銷分錄不能再沖銷。"),
    ),
}
