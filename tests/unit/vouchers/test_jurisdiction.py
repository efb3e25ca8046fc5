"""What the law allows the terms of an offer to be."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.catalogue.offers import PROBLEMS
from vouchers import jurisdiction
from vouchers.offer_errors import Unlawful
from vouchers.offer_terms import OfferTerms

TERMS = OfferTerms(
    name="Ten", price=450, cups=10, currency="TWD", sale_starts_at=datetime(2026, 1, 1, tzinfo=UTC)
)


def breaches(kind: str = "pack", law: str = "TW", **changed: Any) -> list[str]:
    try:
        jurisdiction.check(replace(TERMS, **changed), kind=kind, jurisdiction=law)
    except Unlawful as refusal:
        return list(refusal.facts["breaches"])
    return []


def test_usual_terms_are_lawful_everywhere() -> None:
    assert [breaches(law=law) for law in jurisdiction.known()] == [[], []]


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({"expiry_mode": "lapse"}, ["paid-cups-lapse"]),
        ({"expiry_mode": "top_up"}, []),
        ({"expiry_mode": "refund"}, []),
        ({"refund_basis": "none"}, ["no-refund"]),
        ({"refund_fee_bp": 300}, []),
        ({"refund_fee_bp": 301}, ["refund-fee"]),
        ({"withdrawal_days": 7}, []),
        ({"withdrawal_days": 6}, ["withdrawal-days"]),
        ({"withdrawal_days": 6, "sale_channels": ["app"]}, ["withdrawal-days"]),
        ({"withdrawal_days": 0, "sale_channels": ["counter"]}, []),
        ({"guarantee_months": 11}, ["guarantee-months"]),
    ],
)
def test_taiwan_binds_packs(changed: dict[str, Any], broken: list[str]) -> None:
    assert breaches(**changed) == broken


def test_bonus_cups_of_their_own_may_lapse_in_taiwan() -> None:
    own = {"bonus_cups": 1, "bonus_after_count": 30, "bonus_after_unit": "day"}
    assert breaches(**own) == []


def test_cups_of_a_plan_may_lapse_in_taiwan_and_need_no_refund() -> None:
    assert breaches("plan", expiry_mode="lapse", refund_basis="none") == []
    assert breaches("plan", guarantee_months=0) == ["guarantee-months"]


def test_all_breaches_are_told_at_once_with_what_is_allowed() -> None:
    wrong = replace(TERMS, expiry_mode="lapse", refund_fee_bp=500)

    with pytest.raises(Unlawful) as refusal:
        jurisdiction.check(wrong, kind="pack", jurisdiction="TW")

    told = [(one["term"], one["given"], one["allowed"]) for one in refusal.value.facts["rules"]]
    assert told == [
        ("expiry_mode", "lapse", {"one_of": ["never", "top_up", "refund"]}),
        ("refund_fee_bp", 500, {"most": 300}),
    ]


def test_malaysia_lets_cups_lapse_and_takes_a_fee_of_five_percent() -> None:
    assert breaches(law="MY", expiry_mode="lapse", refund_fee_bp=500, guarantee_months=0) == []
    assert breaches(law="MY", refund_fee_bp=501) == ["refund-fee"]


def test_no_offer_is_made_where_the_law_is_not_known() -> None:
    with pytest.raises(KeyError):
        breaches(law="XX")


def test_every_rule_names_its_law_and_binds_a_term_that_there_is() -> None:
    for law in jurisdiction.known():
        for rule in jurisdiction.rules_of(law):
            assert rule.law, rule.code
            assert rule.source.startswith("https://")
            assert hasattr(TERMS, rule.term)
            assert any(bound is not None for bound in (rule.one_of, rule.least, rule.most))


def test_every_rule_and_jurisdiction_has_words_in_both_languages() -> None:
    words = PROBLEMS["unlawful-offer"].words
    known = {rule.code for law in jurisdiction.known() for rule in jurisdiction.rules_of(law)}
    assert words["breaches"].keys() == known
    assert words["jurisdiction"].keys() == set(jurisdiction.known())
