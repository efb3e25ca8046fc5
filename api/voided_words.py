"""What was undone, in a sentence for the clerk and one for the member, in either language."""

from kernel.wording import Count, Fact, Language, Money, Unit, say

_ZONE = "UTC"  # no moment is told

_Words = dict[Language, str]

_UNDONE: dict[str, _Words] = {
    "clerk": {
        "en": "Undone: {cups}; still collected: {left}.",
        "zh-TW": "已取消 {cups}，仍計已取 {left}。",
    },
    "member": {"en": "Back in the wallet: {cups}.", "zh-TW": "已退回錢包 {cups}。"},
}
_ALL_UNDONE: dict[str, _Words] = {
    **_UNDONE,
    "clerk": {
        "en": "Undone: {cups}; nothing of it stays collected.",
        "zh-TW": "已取消 {cups}，此筆取杯已全數取消。",
    },
}
_MONEY: dict[str, _Words] = {
    "clerk": {"en": " Give back {amount}.", "zh-TW": "請退還顧客 {amount}。"},
    "member": {"en": " {amount} is given back to you.", "zh-TW": "並退還您 {amount}。"},
}


def words_of(
    *, cups: int, left: int, units: set[Unit], top_up: int, currency: str, language: Language
) -> dict[str, str]:
    """Say how many went back, how many stay collected, and what money the clerk gives back.

    Counted in the unit of what they came from; of several units they are cups.
    """
    unit: Unit = next(iter(units)) if len(units) == 1 else "cup"
    told = _UNDONE if left else _ALL_UNDONE
    money = _MONEY if top_up else {}
    facts: dict[str, Fact] = {
        "cups": Count(cups, unit),
        "left": Count(left, unit),
        "amount": Money(top_up, currency),
    }
    return {
        who: say(
            words[language] + money.get(who, {language: ""})[language],
            facts,
            language=language,
            time_zone=_ZONE,
        )
        for who, words in told.items()
    }
