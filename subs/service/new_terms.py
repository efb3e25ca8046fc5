"""What changes for whoever goes from one version of a plan to another: which sentences do."""

from typing import Final

import vouchers
from kernel.wording import Language
from subs.service.rows import Plan, plans_of
from subs.terms_wording import schedule_in_words
from vouchers.models import OfferVersion

_SAID: Final[dict[Language, tuple[str, str, str]]] = {
    "zh-TW": ("新條款：{terms}", "原條款：{terms}", "價格與權益不變。"),
    "en": ("New: {terms}", "Until now: {terms}", "The price and what you get stay the same."),
}
_BETWEEN: Final[dict[Language, str]] = {"zh-TW": "", "en": " "}


def changes_in_words(before: OfferVersion, after: OfferVersion, language: Language) -> str:
    """The sentences that are new, and those that no longer hold.

    What is only for who begins (a trial, an introduction) changes nothing for them.
    """
    plans = plans_of([before.id, after.id])
    words = vouchers.list_terms_in_words([before, after], language)

    def told(plan: Plan) -> list[str]:
        return [*schedule_in_words(plan, language), *words[plan.version.id]]

    old, new = told(plans[before.id]), told(plans[after.id])
    come = [one for one in new if one not in old]
    gone = [one for one in old if one not in new]
    between = _BETWEEN[language]
    is_new, is_old, is_same = _SAID[language]
    said = [
        sentence.format(terms=between.join(sentences))
        for sentence, sentences in ((is_new, come), (is_old, gone))
        if sentences
    ]
    return between.join(said) or is_same
