"""What the law allows the terms of an offer to be. Pure: terms in, refusal out.

The rules are data, `jurisdictions.json`, each with the law that it is taken from: a further
jurisdiction is a further entry there. A chain's counsel confirms them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from vouchers.offer_errors import Unlawful
from vouchers.offer_terms import OfferTerms

USUAL: Final = "TW"

_AT_A_DISTANCE: Final = frozenset({"web", "app"})


@dataclass(frozen=True, slots=True)
class Rule:
    """What one term may be, in offers of these kinds; `code` names a breach of it."""

    code: str
    term: str
    kinds: Sequence[str]
    law: str
    source: str
    one_of: Sequence[str] | None = None
    least: int | None = None
    most: int | None = None
    at_a_distance: bool = False
    note: str = ""

    def binds(self, terms: OfferTerms, *, kind: str) -> bool:
        """Whether it is about such an offer at all."""
        is_distant = not _AT_A_DISTANCE.isdisjoint(terms.sale_channels)
        return kind in self.kinds and (is_distant or not self.at_a_distance)

    def allows(self, given: Any) -> bool:
        """Whether the term may be this."""
        if self.one_of is not None:
            return given in self.one_of
        low = self.least is None or given >= self.least
        return low and (self.most is None or given <= self.most)

    def told(self, given: Any) -> dict[str, Any]:
        """A breach as facts: which term was what, what it may be, and by which law."""
        bounds = {"one_of": self.one_of, "least": self.least, "most": self.most}
        return {
            "code": self.code,
            "term": self.term,
            "given": given,
            "allowed": {name: bound for name, bound in bounds.items() if bound is not None},
            "law": self.law,
        }


def known() -> Sequence[str]:
    """The jurisdictions whose rules are known, the usual one first."""
    return sorted(_rules(), key=lambda code: (code != USUAL, code))


def rules_of(jurisdiction: str) -> Sequence[Rule]:
    """The rules of a jurisdiction; a KeyError where none are known."""
    return _rules()[jurisdiction]


def check(terms: OfferTerms, *, kind: str, jurisdiction: str) -> None:
    """Refuse an offer of a kind (pack or plan) that the law does not allow.

    Raises:
        Unlawful: with every rule that is broken.
    """
    broken = [
        rule.told(getattr(terms, rule.term))
        for rule in rules_of(jurisdiction)
        if rule.binds(terms, kind=kind) and not rule.allows(getattr(terms, rule.term))
    ]
    if broken:
        raise Unlawful(
            jurisdiction=jurisdiction, breaches=[rule["code"] for rule in broken], rules=broken
        )


@cache
def _rules() -> Mapping[str, Sequence[Rule]]:
    path = Path(__file__).with_name("jurisdictions.json")
    kept = json.loads(path.read_text(encoding="utf-8"))
    del kept["about"]
    return MappingProxyType(
        {code: [Rule(**rule) for rule in rules] for code, rules in kept.items()}
    )
