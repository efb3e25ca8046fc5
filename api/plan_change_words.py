"""Why a change of plan costs so much: a sentence for each line of its preview."""

from kernel.wording import Fact, Language, Money, say
from subs.service.change_quote import Line

_ZONE = "UTC"  # no moment is told

_WHY: dict[str, dict[Language, str]] = {
    "new_plan": {
        "en": "{left} of {days} days are left; for them the new plan costs {amount}.",
        "zh-TW": "本期 {days} 天尚餘 {left} 天，新方案於此期間的費用為 {amount}。",
    },
    "old_plan": {
        "en": "For these {left} days you have paid {amount} for the plan that you have.",
        "zh-TW": "這 {left} 天您已為目前的方案支付 {amount}。",
    },
    "not_carried": {
        "en": "Of that {amount} is in cups that you have collected, and does not come back.",
        "zh-TW": "其中 {amount} 屬於您已領取的杯數，不予退還。",
    },
}


def why(line: Line, currency: str, language: Language) -> str:
    """Say what a line is for."""
    facts: dict[str, Fact] = {
        "amount": Money(abs(line.amount), currency),
        "left": line.days.left,
        "days": line.days.whole,
    }
    return say(_WHY[line.code][language], facts, language=language, time_zone=_ZONE)
