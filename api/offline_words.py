"""Why an item waits for a person, and what to do about it: in either language."""

from typing import NamedTuple

from api.problems import Language


class Told(NamedTuple):
    """A cause and a remedy, each a sentence or two."""

    cause: str
    remedy: str


def told(reason: str, language: Language) -> Told:
    """Say it of a reason."""
    return _WORDS[reason][language]


_LOG: dict[Language, str] = {
    "en": "Ask the store what was served. Have the device checked; if it is lost, revoke it.",
    "zh-TW": "請向門市確認實際出杯，並檢查裝置；若裝置遺失，請停用。",
}
_BELIEVE: dict[Language, str] = {
    "en": "Ask the store what was served, then charge it, bear it, or dismiss it.",
    "zh-TW": "請向門市確認實際出杯，再決定扣杯、由總部吸收，或不予成立。",
}
_BEAR: dict[Language, str] = {
    "en": "Nothing can be taken for it: acknowledge that the chain bears it.",
    "zh-TW": "無法扣杯，請確認由總部吸收。",
}
_LATER: dict[Language, str] = {
    "en": "Charge it if the shopper has cups again, or acknowledge that the chain bears it.",
    "zh-TW": "若顧客已有可用杯數可扣杯，否則請確認由總部吸收。",
}
_CAUSES: dict[str, tuple[str, str, dict[Language, str]]] = {
    "key-replaced": (
        "The item was signed by a key that the device had before it was enrolled again.",
        "此筆紀錄由裝置重新註冊前的舊金鑰簽署。",
        _LOG,
    ),
    "number-reused": (
        "The device's log has two items of this number: one of them was not written by the till.",
        "此裝置的紀錄中有兩筆相同序號，其中一筆並非由收銀機正常產生。",
        _LOG,
    ),
    "chain-broken": (
        "The item does not follow from the one before it in the device's log.",
        "此筆紀錄與前一筆不相連。",
        _LOG,
    ),
    "device-revoked": (
        "The item arrived after the device had been revoked; who has it can write any time.",
        "此筆紀錄在裝置停用後才上傳；持有遺失裝置者可任意填寫時間。",
        _LOG,
    ),
    "capsule-invalid": (
        "What was shown is no capsule of the chain, or was not shown by the phone that has it.",
        "出示的不是本公司的離線取杯碼，或不是由持有者的手機出示。",
        _BELIEVE,
    ),
    "capsule-unknown": (
        "The chain has issued no such capsule.",
        "查無此離線取杯碼。",
        _BELIEVE,
    ),
    "clock-skew": (
        "The till's clock was off by more than ten minutes.",
        "收銀機的時間誤差超過十分鐘。",
        {
            "en": "Set the till's clock. Ask the store what was served, then charge it or bear it.",
            "zh-TW": "請校正收銀機時間，向門市確認實際出杯後扣杯或由總部吸收。",
        },
    ),
    "too-old": (
        "The item arrived more than three days after it was served.",
        "此筆紀錄在出杯三天後才上傳。",
        _BELIEVE,
    ),
    "capsule-revoked": (
        "The capsule had been revoked before the cups were served: the till had an old list.",
        "出杯前此離線取杯碼已停用，但收銀機的停用清單尚未更新。",
        _BELIEVE,
    ),
    "capsule-expired": (
        "The capsule was over when the cups were served.",
        "出杯時此離線取杯碼已過期。",
        _BELIEVE,
    ),
    "other-store-group": (
        "The capsule was for another group of stores.",
        "此離線取杯碼不適用於本店所屬的門市群組。",
        _BELIEVE,
    ),
    "unknown-product": (
        "The chain sells no such drink.",
        "查無此飲品。",
        _BELIEVE,
    ),
    "unknown-staff": (
        "Nobody who worked for the chain at that time has this id.",
        "出杯時查無此在職員工。",
        _BELIEVE,
    ),
    "own-wallet": (
        "Somebody served cups from their own wallet.",
        "員工以自己的錢包取杯。",
        {
            "en": "Speak to them. Charge it if a colleague saw it, or bear it.",
            "zh-TW": "請與該員工確認；若有同事見證可扣杯，否則由總部吸收。",
        },
    ),
    "wallet-blocked": (
        "The wallet is blocked.",
        "錢包已停用。",
        _BELIEVE,
    ),
    "top-up-collected": (
        "The till says that it collected money besides, which is not known to the books.",
        "收銀機記錄另收補差價，但帳上沒有這筆款項。",
        {
            "en": "Find the money and give it back or book it; then charge the cups or bear them.",
            "zh-TW": "請查明款項並退還或入帳，再扣杯或由總部吸收。",
        },
    ),
    "capsule-used": (
        "The capsule's cups had been collected before, at this or another store.",
        "此離線取杯碼的杯數先前已在本店或其他門市取完。",
        _BEAR,
    ),
    "insufficient-cups": (
        "Fewer cups were left in the wallet than were served.",
        "錢包剩餘杯數少於實際出杯。",
        _LATER,
    ),
    "product-mismatch": (
        "Nothing in the wallet may be exchanged for this drink.",
        "錢包中沒有可兌換此飲品的寄杯。",
        _LATER,
    ),
    "covers-less": (
        "The drink is dearer than what a cup in the wallet covers.",
        "飲品價格超過每杯可兌換的額度。",
        _LATER,
    ),
    "channel-not-accepted": (
        "What the wallet holds is not accepted through this device's channel.",
        "錢包中的寄杯不適用於此裝置的通路。",
        _LATER,
    ),
    "store-not-accepted": (
        "What the wallet holds is not accepted at this store.",
        "錢包中的寄杯不適用於此門市。",
        _LATER,
    ),
    "lot-frozen": (
        "What the wallet holds was held back by a disputed payment.",
        "錢包中的寄杯因付款爭議暫停使用。",
        _LATER,
    ),
    "top-up-due": (
        "The drink costs a top-up, which nobody could collect offline.",
        "此飲品需補差價，離線時無法收取。",
        {
            "en": "Charge the cups, and the chain bears the difference; or bear it all.",
            "zh-TW": "可扣杯並由總部吸收差價，或全部由總部吸收。",
        },
    ),
}

_WORDS: dict[str, dict[Language, Told]] = {
    reason: {"en": Told(en, remedy["en"]), "zh-TW": Told(zh, remedy["zh-TW"])}
    for reason, (en, zh, remedy) in _CAUSES.items()
}
