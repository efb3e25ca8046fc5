"""What was handed over, in a sentence for the clerk and one for the member, in either language."""

from collections.abc import Sequence
from typing import Any, cast

from kernel.wording import Count, Language, Money, Unit, say
from redemption import Redeemed

_ZONE = "UTC"  # no moment is told


def words_of(redeemed: Redeemed, language: Language) -> dict[str, str] | None:
    """Say which drinks, from which packs and plans, what is left, and what was paid besides.

    None for an answer that was kept before it had names.
    """
    if any(item["product"] is None for item in redeemed.items):
        return None
    drinks = _JOINED[language].join(_item(item, language) for item in redeemed.items)
    paid = _paid(redeemed.top_up, language)
    return {
        who: _say(words[language], language, drinks=drinks, paid=paid)
        for who, words in _WHO.items()
    }


def _item(item: dict[str, Any], language: Language) -> str:
    return _say(
        _ITEM[language],
        language,
        drink=_drink(item["product"], language),
        cups=_count(item["cups"], item["taken"]),
        taken=_COMMA[language].join(
            _say(_TAKEN[language], language, cups=_count(one["cups"], [one]), name=one["name"])
            for one in item["taken"]
        ),
        left=_left(item, language),
    )


def _left(item: dict[str, Any], language: Language) -> str:
    if item["is_unlimited"]:
        return _UNLIMITED[language]
    return _say(_LEFT[language], language, cups=_count(item["left"], item["taken"]))


def _drink(product: dict[str, str], language: Language) -> str:
    if not product["size"]:
        return product["name"]
    return _say(_SIZED[language], language, **product)


def _paid(top_up: dict[str, Any], language: Language) -> str:
    if not top_up["amount"]:
        return ""
    return _say(_PAID[language], language, amount=Money(**top_up))


def _count(cups: int, taken: Sequence[dict[str, Any]]) -> Count:
    """So many, in the unit of what they come from; of several units they are cups."""
    units = {one["unit"] for one in taken}
    return Count(cups, cast("Unit", units.pop() if len(units) == 1 else "cup"))


def _say(words: str, language: Language, **facts: str | Count | Money) -> str:
    return say(words, facts, language=language, time_zone=_ZONE)


_Words = dict[Language, str]

_JOINED: _Words = {"en": ". ", "zh-TW": "。"}
_COMMA: _Words = {"en": ", ", "zh-TW": "、"}
_SIZED: _Words = {"en": "{name} ({size})", "zh-TW": "{name}（{size}）"}
_TAKEN: _Words = {"en": "{cups} from “{name}”", "zh-TW": "{cups}自「{name}」"}
_LEFT: _Words = {"en": "{cups} left", "zh-TW": "尚餘 {cups}"}
_UNLIMITED: _Words = {"en": "no count is kept of what is left", "zh-TW": "不限杯數"}
_ITEM: _Words = {
    "en": "{cups} of {drink}: {taken}; {left}",
    "zh-TW": "{drink} {cups}：{taken}；{left}",
}
_PAID: _Words = {"en": " Paid besides: {amount}.", "zh-TW": "另收補差價 {amount}。"}
_WHO: dict[str, _Words] = {
    "clerk": {"en": "{drinks}.{paid}", "zh-TW": "{drinks}。{paid}"},
    "member": {"en": "You collect {drinks}.{paid}", "zh-TW": "您取用{drinks}。{paid}"},
}
