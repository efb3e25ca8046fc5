"""What a plan's schedule says, in words: for whoever is about to take it up, or has it. Pure.

What its cups are good for, and what comes back of them, is told as of packs
(`vouchers.receipt_words`).
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from kernel.wording import Count, Language, Money, Unit, say
from subs.service.rows import Plan

Sentence = tuple[str, dict[str, Any]]


def beginning_in_words(plan: Plan, language: Language) -> list[str]:
    """What holds once for each member: a trial, and the price of the first periods."""
    return [_said(words, language, facts) for words, facts in _beginning(plan)]


def schedule_in_words(plan: Plan, language: Language) -> list[str]:
    """What holds in every period: price, cups, renewal, what goes along, sharing, pausing."""
    return [_said(words, language, facts) for words, facts in _every_period(plan, language)]


def _beginning(plan: Plan) -> Iterator[Sentence]:
    schedule = plan.schedule
    if schedule.trial_days is not None:
        yield "trial", {"days": schedule.trial_days}
        if schedule.trial_cups:
            yield "trial_cups", {"cups": _count(plan, schedule.trial_cups)}
        yield ("trial_card" if schedule.trial_needs_card else "trial_without_card"), {}
    if schedule.intro_price is not None and schedule.intro_periods is not None:
        price = Money(schedule.intro_price, plan.version.currency)
        name = "first_period" if schedule.intro_periods == 1 else "first_periods"
        yield name, {"price": price, "periods": schedule.intro_periods}


def _every_period(plan: Plan, language: Language) -> Iterator[Sentence]:
    version, schedule = plan
    every = _span(schedule.every_count, schedule.every_unit, language)
    if version.price:
        yield "price", {"price": Money(version.price, version.currency), "every": every}
    else:
        yield "free", {}
    if version.cups:
        gives = every
        if schedule.grant_count is not None and schedule.grant_unit is not None:
            gives = _span(schedule.grant_count, schedule.grant_unit, language)
        yield "cups", {"cups": _count(plan, version.cups), "every": gives}
    yield ("renews" if version.price else "goes_on"), {"every": every}
    yield from _carrying(plan)
    if version.price:
        yield from _unpaid(plan)
    yield from _freedoms(plan)


def _carrying(plan: Plan) -> Iterator[Sentence]:
    schedule = plan.schedule
    if schedule.carry_over == "all":
        yield "carries_all", {}
    elif schedule.carry_over_cap is not None:
        yield "carries_some", {"most": _count(plan, schedule.carry_over_cap)}


def _unpaid(plan: Plan) -> Iterator[Sentence]:
    schedule = plan.schedule
    yield ("grace" if schedule.grace_days else "no_grace"), {"days": schedule.grace_days}
    if schedule.benefits_in_grace and schedule.grace_days:
        yield "good_in_grace", {}
    if not schedule.back_dates:
        yield "begins_late", {}


def _freedoms(plan: Plan) -> Iterator[Sentence]:
    schedule = plan.schedule
    if schedule.sharers:
        yield ("sharer" if schedule.sharers == 1 else "sharers"), {"most": schedule.sharers}
    if schedule.most_pause_days:
        yield "pause", {"days": schedule.most_pause_days}
    if schedule.cancel_refund == "prorated":
        yield "prorated", {}


def _count(plan: Plan, cups: int) -> Count:
    return Count(cups, cast("Unit", plan.version.unit))


def _span(count: int, unit: str, language: Language) -> str:
    one, several, en = _SPANS[unit]
    if language == "zh-TW":
        return one if count == 1 else f" {count} {several}"
    return en if count == 1 else f"{count} {en}s"


def _said(name: str, language: Language, facts: dict[str, Any]) -> str:
    zh, en = _SENTENCES[name]
    words = zh if language == "zh-TW" else en
    return say(words, facts, language=language, time_zone=_ZONE)


_ZONE: Final = "UTC"  # no moment is told

_SPANS: Final = {
    "day": ("日", "天", "day"),
    "week": ("週", "週", "week"),
    "month": ("月", "個月", "month"),
    "year": ("年", "年", "year"),
}

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "trial": (
        "首次訂閱者可先免費試用 {days} 天。",
        "If it is your first time, it begins with {days} days free of charge.",
    ),
    "trial_cups": ("試用期間可兌換 {cups}。", "The trial includes {cups}."),
    "trial_card": (
        "試用須登錄付款卡片；試用結束前未取消者，結束時開始扣款。",
        "The trial needs a card, which is charged when it is over, unless you cancel before.",
    ),
    "trial_without_card": (
        "試用無須登錄付款卡片；未登錄者，試用結束時方案即結束。",
        "The trial needs no card; without one the plan ends with it.",
    ),
    "first_period": (
        "首次訂閱者第一期 {price}。",
        "If it is your first time, the first period costs {price}.",
    ),
    "first_periods": (
        "首次訂閱者前 {periods} 期每期 {price}。",
        "If it is your first time, each of the first {periods} periods costs {price}.",
    ),
    "price": ("每{every} {price}。", "{price} every {every}."),
    "free": ("免費。", "It costs nothing."),
    "cups": ("每{every} {cups}。", "{cups} every {every}."),
    "renews": (
        "每{every}自動續訂扣款，可隨時取消；取消後可使用至已付費期間結束。",
        (
            "It renews every {every} by itself. You can cancel at any time, and have it until the"
            " end of what is paid."
        ),
    ),
    "goes_on": (
        "每{every}自動延續，可隨時取消。",
        "It goes on every {every} by itself. You can cancel at any time.",
    ),
    "carries_all": (
        "未兌換者全部可留用至次期。",
        "What is not collected goes along into the next period.",
    ),
    "carries_some": (
        "未兌換者最多可留用 {most} 至次期。",
        "Of what is not collected, at most {most} go along into the next period.",
    ),
    "grace": (
        "續訂扣款未成功時，將於 {days} 天內再試；仍未成功，方案即結束。",
        (
            "If a payment to renew does not work, it is tried again within {days} days; then the"
            " plan ends."
        ),
    ),
    "no_grace": (
        "續訂扣款未成功時，方案即結束。",
        "If a payment to renew does not work, the plan ends.",
    ),
    "good_in_grace": (
        "再試期間，原有權益仍可使用。",
        "Meanwhile, what you have stays good.",
    ),
    "begins_late": (
        "逾期才付款的期間，自付款時起算。",
        "A period that is paid late begins when it is paid.",
    ),
    "sharer": ("可與另外 1 人共用。", "One other person can collect from it."),
    "sharers": ("可與另外 {most} 人共用。", "Up to {most} other people can collect from it."),
    "pause": ("可暫停，每次最多 {days} 天。", "You can pause it for up to {days} days at a time."),
    "prorated": (
        "立即終止者，按剩餘天數退費。",
        "If you end it at once, the price of the days that are left is paid back.",
    ),
}
