"""Which of the two languages a caller reads."""

import re
from functools import lru_cache
from typing import Final

from flask.globals import request_ctx
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from api.problems import Language

_CHINESE: Final = "zh-TW"


def language() -> Language:
    """Chinese where the caller prefers any Chinese to English, else English."""
    return _preferred(request_ctx.request.environ.get("HTTP_ACCEPT_LANGUAGE", ""))


@lru_cache(maxsize=256)
def _preferred(accepted: str) -> Language:
    """By the header Accept-Language, of which a chain's apps and tills send a few."""
    for tag, quality in parse_accept_header(accepted, LanguageAccept):
        if quality <= 0:
            continue
        spoken = tag.partition("-")[0].lower()
        if spoken == "zh":
            return _CHINESE
        if spoken in {"en", "*"}:
            return "en"
    return "en"


def in_language(message: str, spoken: Language) -> str:
    """Say one of the usual messages about a field in the caller's language."""
    if spoken == "en":
        return message
    for pattern, chinese in _MESSAGES:
        found = pattern.fullmatch(message)
        if found:
            return chinese.format(*found.groups())
    return message


_MESSAGES = tuple(
    (re.compile(english), chinese)
    for english, chinese in (
        (r"Missing data for required field\.", "必填欄位。"),
        (r"Unknown field\.", "不認得這個欄位。"),
        (r"Field may not be null\.", "不可為 null。"),
        (r"Invalid value\.", "值不正確。"),
        (r"Invalid input(?: type)?\.", "格式不正確，應為物件。"),
        (r"Not a valid integer\.", "必須是整數。"),
        (r"Not a valid number\.", "必須是數字。"),
        (r"Not a valid string\.", "必須是字串。"),
        (r"Not a valid boolean\.", "必須是 true 或 false。"),
        (r"Not a valid list\.", "必須是陣列。"),
        (r"Not a valid id\.", "代碼格式不正確。"),
        (r"Not a valid cursor\.", "游標無效。"),
        (r"Give a date as YYYY-MM-DD\.", "日期請用 YYYY-MM-DD。"),
        (r"Give a time with its offset, as in RFC 3339\.", "時間請附時區，格式為 RFC 3339。"),
        (r"Given more than once\.", "重複給了這個參數。"),
        (r"Contains a character that is not allowed\.", "含有不允許的字元。"),
        (r"May not be empty\.", "不可空白。"),
        (r"String does not match expected pattern\.", "格式不正確。"),
        (r"Shorter than minimum length (\d+)\.", "長度至少 {0}。"),
        (r"Longer than maximum length (\d+)\.", "長度最多 {0}。"),
        (r"Length must be between (\d+) and (\d+)\.", "長度須介於 {0} 與 {1} 之間。"),
        (r"Length must be (\d+)\.", "長度須為 {0}。"),
        (r"Comes after `to`\.", "不可晚於 to。"),
        (r"Is in the future\.", "不可為未來日期。"),
        (r"Is not there\.", "查無此代碼。"),
        (r"Is listed more than once\.", "重複列出。"),
        (r"Is priced in another currency\.", "定價幣別不同。"),
        (r"Are fewer than all cups\.", "須少於總杯數。"),
        (r"Are needed to end by themselves\.", "須有贈送杯數才能另訂期限。"),
        (r"Goes with an expiry_mode\.", "須搭配 expiry_mode。"),
        (r"Goes with ([a-z_]+)(?:: ([a-z]+))?\.", "須搭配 {0} 使用。"),
        (
            r"Is needed for refunds by it and for bonus cups that lapse\.",
            "以定價退款或贈送杯數另訂期限時必填。",
        ),
        (r"Is needed where something is refunded by itself\.", "有自動退款時必須可退款。"),
        (r"Is needed for this expiry_mode\.", "此 expiry_mode 必填。"),
        (r"Name products, or covers_up_to\.", "請指定品項或 covers_up_to。"),
        (r"Is after the sale begins\.", "須晚於開始販售時間。"),
        (r"Is over\.", "不可為過去時間。"),
        (r"Is not the offer's currency\.", "與此商品的幣別不同。"),
        (r"Is the payer itself\.", "收款門市不可為付款門市。"),
        (r"Begins today or later\.", "須從今天或之後開始。"),
        (r"Begins on the first of a month\.", "須從某月一日開始。"),
        (r"Give either period, or from and to\.", "請給 period，或 from 與 to。"),
        (r"Give one of store_id and legal_entity_id\.", "store_id 與 legal_entity_id 請擇一。"),
        (
            r"Give one of payment_method, card_id and by_holder\.",
            "payment_method、card_id 與 by_holder 請擇一。",
        ),
        (r"Give one of items and product_id\.", "items 與 product_id 請擇一。"),
        (
            r"Give one of phone and code\.",
            "phone 與 code 請擇一。",
        ),
        (r"Give 32 bytes in base64url, without padding\.", "須為 32 位元組的 base64url。"),
        (r"Choose another one\.", "請換一組。"),
        (r"Too easy to guess\.", "太容易猜到。"),
        (r"Must be one of: (.+)\.", "必須是以下其中之一：{0}。"),
        (r"Must be equal to (.+)\.", "必須等於 {0}。"),
        (r"Must be greater than or equal to (\S+)\.", "不可小於 {0}。"),
        (r"Must be less than or equal to (\S+)\.", "不可大於 {0}。"),
        (
            r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.",
            "須介於 {0} 與 {1} 之間。",
        ),
    )
)
