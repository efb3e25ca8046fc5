"""Problems of staff who sign in, and of the chain's own data."""

from api.problems import Problem

PROBLEMS = {
    "sign-in-refused": Problem(
        en=("Sign-in refused", "Number, PIN, password or one-time code is wrong."),
        zh=("無法登入", "員工編號、密碼或驗證碼不正確。"),
    ),
    "legal-entity-exists": Problem(
        en=("Legal entity exists", "There is a legal entity of this code already."),
        zh=("法人已存在", "已有相同代碼的法人。"),
    ),
}
