"""Why so much comes back: a sentence or two for each line of a refund, in either language."""

from typing import cast

from kernel.wording import Count, Fact, Language, Money, Unit, say
from vouchers.refund_queries import ShownLine

_ZONE = "UTC"  # no moment is told


def why(line: ShownLine, language: Language) -> str:
    """Say by which rule a line comes back, and what is kept of it."""
    facts: dict[str, Fact] = {
        "cups": Count(line.cups, cast("Unit", line.unit)),
        "gross": Money(line.gross, line.currency),
        "kept": Money(abs(line.kept), line.currency),
        "fee": Money(line.fee, line.currency),
        "payable": Money(line.payable, line.currency),
        "list_price": Money(line.list_price or 0, line.currency),
        "days": line.withdrawal_days,
    }
    carried = _CARRIED if line.cups else _UNCOUNTED
    sentences = [carried[language], *(_of(line, language))]
    joint = "" if language == "zh-TW" else " "
    return joint.join(
        say(sentence, facts, language=language, time_zone=_ZONE) for sentence in sentences
    )


def _of(line: ShownLine, language: Language) -> list[str]:
    told = []
    if line.basis == "list_price":
        told.append(_of_collected(line.kept)[language])
    told += [words[language] for words in [_REASONS.get(line.reason)] if words is not None]
    if line.fee:
        told.append(_FEE[language])
    return told


_Words = dict[Language, str]


def _of_collected(kept: int) -> _Words:
    if kept < 0:
        return _KEPT_BEFORE
    return _KEPT if kept else _NOTHING_KEPT


_CARRIED: _Words = {
    "en": "Of the price, {gross} is for {cups} that you did not use.",
    "zh-TW": "未使用的 {cups}，所含價款為 {gross}。",
}
_UNCOUNTED: _Words = {
    "en": "Of the price, {gross} is for what you did not use.",
    "zh-TW": "未使用的部分，所含價款為 {gross}。",
}
_KEPT: _Words = {
    "en": "What was collected counts at {list_price} each, which keeps {kept} of that.",
    "zh-TW": "已領取的部分以每杯定價 {list_price} 計算，因此扣除 {kept}。",
}
_NOTHING_KEPT: _Words = {
    "en": "What was collected counts at {list_price} each, which keeps nothing of that.",
    "zh-TW": "已領取的部分以每杯定價 {list_price} 計算，無須扣除。",
}
_KEPT_BEFORE: _Words = {
    "en": "{kept} comes back besides: it was kept for what has not been collected after all.",
    "zh-TW": "先前扣除的部分領取已取消，另退還 {kept}。",
}
_FEE: _Words = {
    "en": "A fee of {fee} is taken.",
    "zh-TW": "另收手續費 {fee}。",
}
_REASONS: dict[str, _Words] = {
    "withdrawal": {
        "en": "Within {days} days of buying online or in the app all of it comes back.",
        "zh-TW": "網路或 App 購買後 {days} 日內，全額退還，不收手續費。",
    },
    "expiry": {
        "en": "Their end date has passed, so they come back by themselves.",
        "zh-TW": "已到期，自動退款。",
    },
    "gift_unclaimed": {
        "en": "Nobody claimed the gift, so it comes back by itself.",
        "zh-TW": "禮物無人領取，自動退款。",
    },
    "goodwill": {
        "en": "The chain gives all of it back.",
        "zh-TW": "由總部全額退還。",
    },
}
