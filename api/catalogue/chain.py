"""Problems of staff who sign in."""

from api.problems import Problem

PROBLEMS = {
    "sign-in-refused": Problem(
        en=("Sign-in refused", "Number, PIN, password or one-time code is wrong."),
        zh=("無法登入", "員工編號、密碼或驗證碼不正確。"),
    ),
}
