"""The catalogue of problems: slug → status, title and detail in English and Chinese.

Every room has a file in `api/catalogue/` with its entries; here they become one.
"""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any, Literal, NamedTuple

import api.catalogue
from kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Refusal,
    Unauthenticated,
)

Language = Literal["en", "zh-TW"]

_STATUS_OF_FAMILY: dict[type[Refusal], int] = {
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    RateLimited: 429,
}


_COMMAS = (", ", "、")


class Wording(NamedTuple):
    """A short title, and a sentence in which `{held}` stands for the fact `held`."""

    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """How a refusal is told to people.

    `en` and `zh` are (title, detail). `status` is only given where the family's own is not
    meant; `retry_after` is seconds, for the header. `words` says how a fact that is a code for
    machines reads in the sentence: fact → code → (English, Chinese). `more` is what is said
    besides where a fact is known: fact → (English, Chinese).
    """

    en: tuple[str, str]
    zh: tuple[str, str]
    status: int | None = None
    retry_after: int | None = None
    words: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    more: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def wording(self, language: Language) -> Wording:
        """Answer title and detail template in one of the two languages."""
        return Wording(*(self.zh if language == "zh-TW" else self.en))

    def besides(self, facts: Mapping[str, Any], language: Language) -> str:
        """Answer the template of what is said besides, with these facts known."""
        at = 1 if language == "zh-TW" else 0
        return "".join(said[at] for name, said in self.more.items() if facts.get(name) is not None)

    def worded(self, facts: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Answer facts as they read in a sentence; a code without words stays, a list is told."""
        at = 1 if language == "zh-TW" else 0
        told = dict(facts)
        for name, fact in facts.items():
            words = self.words.get(name, {})
            if isinstance(fact, list):
                named = (words.get(str(one), (str(one),) * 2)[at] for one in fact)
                told[name] = _COMMAS[at].join(named)
            elif found := words.get(str(fact)):
                told[name] = found[at]
            elif name.endswith("_at") and isinstance(fact, str):
                told[name] = _moment(fact)
        return told


def _moment(fact: str) -> str:
    """A moment as people read it; the fact itself keeps its fractions."""
    try:
        moment = datetime.fromisoformat(fact)
    except ValueError:
        return fact
    if moment.utcoffset():  # of a store's clock: it is told there
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class _Facts(dict[str, Any]):
    """Facts for a template; what is missing shows as an ellipsis instead of failing the answer."""

    def __missing__(self, name: str) -> str:
        return "…"


@cache
def catalogue() -> dict[str, Problem]:
    """Merge the rooms' entries.

    Raises:
        RuntimeError: two rooms explain the same slug.
    """
    merged: dict[str, Problem] = {}
    for room in pkgutil.iter_modules(api.catalogue.__path__):
        entries = import_module(f"api.catalogue.{room.name}").PROBLEMS
        if twice := merged.keys() & entries.keys():
            raise RuntimeError(f"explained twice: {', '.join(sorted(twice))}")
        merged |= entries
    return merged


def status_of(refusal: type[Refusal]) -> int:
    """Answer the HTTP status of a kind of refusal: its entry's, or its family's."""
    entry = catalogue().get(refusal.code)
    if entry is not None and entry.status is not None:
        return entry.status
    return next(
        status for family, status in _STATUS_OF_FAMILY.items() if issubclass(refusal, family)
    )


def told(refusal: Refusal, language: Language) -> Wording:
    """Answer title and detail of one refusal, its facts filled in.

    A refusal without an entry is told by its code: `test_every_refusal_is_explained` keeps that
    from happening.
    """
    entry = catalogue().get(refusal.code)
    if entry is None:
        return Wording(refusal.code, refusal.code)
    wording, facts = entry.wording(language), _Facts(entry.worded(refusal.facts, language))
    detail = wording.detail + entry.besides(refusal.facts, language)
    return Wording(wording.title, detail.format_map(facts))
