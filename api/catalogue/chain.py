"""Problems of staff who sign in, and of the chain's own data."""

from api.problems import Problem

PROBLEMS = {
    "sign-in-refused": Problem(
        en=("Sign-in refused", "Number, PIN, password or one-time code is wrong."),
        zh=("無法登入", "員工編號、密碼或驗證碼不正確。"),
    ),
    "first-pin": Problem(
        en=("First PIN", "This PIN is from the desk: choose one of your own first."),
        zh=("請先設定密碼", "這組密碼由辦公室提供，請先設定自己的密碼。"),
    ),
    "staff-number-taken": Problem(
        en=("Staff number taken", "Somebody has this staff number already."),
        zh=("員工編號已被使用", "已有人使用這個員工編號。"),
    ),
    "not-at-tills": Problem(
        en=("Not at tills", "This person does not work at tills, so there is no PIN to reset."),
        zh=("不在櫃檯工作", "此人員不在櫃檯工作，沒有密碼可以重設。"),
    ),
    "device-revoked": Problem(
        en=("Device revoked", "This device was revoked and stays so: make another one."),
        zh=("裝置已停用", "這個裝置已停用，無法再次註冊；請建立新的裝置。"),
    ),
    "public-key-taken": Problem(
        en=("Key taken", "Another device has this public key: each makes its own."),
        zh=("金鑰已被使用", "這把公開金鑰已屬於另一個裝置；每個裝置請各自產生金鑰。"),
    ),
    "legal-entity-exists": Problem(
        en=("Legal entity exists", "There is a legal entity of this code already."),
        zh=("法人已存在", "已有相同代碼的法人。"),
    ),
}
