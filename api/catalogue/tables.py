"""Problems of tables: when there is no workbook."""

from api.problems import Problem

PROBLEMS = {
    "workbook-busy": Problem(
        status=503,
        retry_after=30,
        en=("Busy with another workbook", "One workbook is made at a time; CSV comes at once."),
        zh=("正在製作另一份活頁簿", "活頁簿一次只能製作一份，請稍後再試；CSV 可立即下載。"),
    ),
    "workbook-too-big": Problem(
        en=(
            "Too big for a workbook",
            "A workbook has at most {most} rows and 2 GiB a sheet; take CSV, or ask for less.",
        ),
        zh=("活頁簿容納不下", "最多 {most} 列，每張工作表最多 2 GiB；請改用 CSV 或縮小範圍。"),
    ),
}
