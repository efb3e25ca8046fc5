"""Problems of shoppers who sign in."""

from api.problems import Problem

PROBLEMS = {
    "rate-limited": Problem(
        status=429,
        en=("Too often", "Try again in {retry_after} seconds."),
        zh=("嘗試次數過多", "請於 {retry_after} 秒後再試。"),
    ),
    "phone-unsupported": Problem(
        en=("Phone not supported", "Codes are sent to Taiwanese mobile numbers only, 09…"),
        zh=("不支援此電話號碼", "驗證碼只能傳送到台灣的手機號碼（09 開頭）。"),
    ),
    "clock-too-far": Problem(
        en=("Too far ahead", "In the sandbox a member's clock runs ahead by {days} days at most."),
        zh=("時間超前過多", "沙盒中會員的時鐘最多只能超前 {days} 天。"),
    ),
    "code-wrong": Problem(
        en=("Wrong code", "The code does not fit, or no longer: look again, or ask for a new one."),
        zh=("驗證碼不正確", "驗證碼不正確或已失效，請確認後再試，或重新取得驗證碼。"),
    ),
}
