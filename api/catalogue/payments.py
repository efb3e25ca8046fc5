"""Problems of payments: cards, terminals, cash, money back, and events of the provider."""

from api.problems import Problem

DECLINES = {
    "authentication_required": ("the bank wants its holder", "銀行要求持卡人驗證"),
    "card_declined": ("the bank said no", "銀行拒絕"),
    "expired_card": ("it has expired", "卡片已過期"),
    "generic_decline": ("the bank said no", "銀行拒絕"),
    "incorrect_cvc": ("its security code is wrong", "安全碼錯誤"),
    "incorrect_number": ("its number is wrong", "卡號錯誤"),
    "insufficient_funds": ("not enough money on it", "餘額或額度不足"),
    "processing_error": ("the bank could not be asked", "銀行暫時無法處理"),
}
"""What cardholders read instead of the provider's code, where there is a word for it."""

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
        words={"decline_code": DECLINES},
    ),
    "card-needs-authentication": Problem(
        status=402,
        en=(
            "Card needs authentication",
            "Your bank wants to know that it is you. Finish with the client_secret.",
        ),
        zh=("需要驗證", "發卡銀行要確認是您本人，請以 client_secret 完成驗證。"),
    ),
    "terminal-not-set-up": Problem(
        status=409,
        en=("No card terminals", "No card terminals are connected to this system."),
        zh=("未連接刷卡機", "本系統尚未連接刷卡機。"),
    ),
    "payment-under-way": Problem(
        status=409,
        en=(
            "Payment under way",
            "A payment for the same is under way ({payment_id}). Wait for it, or give it up.",
        ),
        zh=("付款進行中", "同一筆款項正在付款中（{payment_id}），請等待結果或先取消。"),
    ),
    "nothing-left": Problem(
        status=409,
        en=("Not enough left", "Only {left} of the payment is left to give back, not {wanted}."),
        zh=("可退金額不足", "此付款僅剩 {left} 可退，無法退回 {wanted}。"),
    ),
    "shift-closed": Problem(
        status=409,
        en=("Shift is closed", "The money of this shift has been counted. Start a new shift."),
        zh=("班次已結帳", "此班次已完成點鈔結帳，請開始新的班次。"),
    ),
    "handed-out": Problem(
        status=409,
        en=("Handed out before", "The payer has got this cash already. Do not hand it out again."),
        zh=("款項已交付", "這筆現金先前已交給付款人，請勿再次交付。"),
    ),
    "count-unexplained": Problem(
        status=422,
        en=(
            "Count differs",
            "{counted} {currency} were counted, {expected} were recorded. Say why in a note.",
        ),
        zh=("點鈔金額不符", "實點 {counted} {currency}，帳上應為 {expected}，請在備註說明原因。"),
    ),
}

DIFFERENCES = {
    "unknown_to_us": {
        "en": "The provider has taken money that none of our payments stands for.",
        "zh-TW": "金流業者收到一筆款項，但我方沒有對應的付款紀錄。",
    },
    "unknown_to_provider": {
        "en": "We have a payment as paid, and the provider knows nothing of it.",
        "zh-TW": "我方記錄已付款，但金流業者查無此筆付款。",
    },
    "amount_differs": {
        "en": "The provider has taken another amount, or in another currency, than we asked for.",
        "zh-TW": "金流業者收取的金額或幣別與我方要求不符。",
    },
    "status_differs": {
        "en": "One side has the payment as paid and the other has not.",
        "zh-TW": "雙方對此筆付款是否成功的紀錄不一致。",
    },
    "repayment_unknown_to_us": {
        "en": "The provider has given money back, and not because we asked for it.",
        "zh-TW": "金流業者退回一筆款項，但並非由我方提出。",
    },
    "repayment_unknown_to_provider": {
        "en": "We have money as given back, and the provider knows nothing of it.",
        "zh-TW": "我方記錄已退款，但金流業者查無此筆退款。",
    },
    "repayment_differs": {
        "en": "The sides do not agree on how much was given back, or whether it was.",
        "zh-TW": "雙方對退款金額或結果的紀錄不一致。",
    },
    "dispute_unknown_to_us": {
        "en": "A bank disputes a payment that is none of ours.",
        "zh-TW": "銀行對一筆不屬於我方的付款提出爭議。",
    },
}
"""What each kind of difference between a provider's list and ours means."""
