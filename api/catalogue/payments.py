"""Problems of payments: cards, and events of the provider."""

from api.problems import Problem

PROBLEMS = {
    "signature-invalid": Problem(
        status=400,
        en=("Signature not valid", "This is not an event that the payment provider signed now."),
        zh=("簽章無效", "這不是金流業者此刻簽署的事件。"),
    ),
    "card-declined": Problem(
        status=402,
        en=("Card declined", "The card was refused ({decline_code}). Try another one."),
        zh=("卡片遭拒", "這張卡片無法使用（{decline_code}），請換一張。"),
    ),
    "card-needs-authentication": Problem(
        status=402,
        en=(
            "Card needs authentication",
            "Your bank wants to know that it is you. Finish with the client_secret.",
        ),
        zh=("需要驗證", "發卡銀行要確認是您本人，請以 client_secret 完成驗證。"),
    ),
}
