from typing import Any

import pytest

import members
from kernel.ids import NOBODY
from kernel.wording import Count, Words
from members.notices import NOTICES

DECLARED: dict[str, Any] = {
    "zh": Words("還有 {left}", subject="寄杯"),
    "en": Words("{left} left", subject="Cups"),
    "facts": {"left": Count(3, "cup"), "lot_id": NOBODY},
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"en": Words("{right} left", subject="Cups")}, "no facts .*right"),
        ({"zh": Words("還有 {left}", subject="{offer}")}, "no facts .*offer"),
        ({"en": Words("{lot_id}", subject="Cups")}, "no facts .*lot_id"),
        ({"en": Words("{left:>3}", subject="Cups")}, "plain name"),
        ({"en": Words("{left} left")}, "needs a subject"),
        ({"facts": {"left": True}}, "of no kind"),
    ],
)
def test_words_that_do_not_fit_their_facts_are_refused(change: dict[str, Any], problem: str):
    with pytest.raises(ValueError, match=problem):
        members.notice("unit.ill_declared", **{**DECLARED, **change})
    assert "unit.ill_declared" not in NOTICES


def test_what_is_urgent_needs_no_subject():
    urgent = {"zh": Words("還有 {left}"), "en": Words("{left} left"), "is_urgent": True}

    made = members.notice("unit.urgent", **{**DECLARED, **urgent})

    assert NOTICES.pop("unit.urgent") is made


def test_a_name_is_taken_once():
    members.notice("unit.twice", **DECLARED)

    with pytest.raises(ValueError, match="declared already"):
        members.notice("unit.twice", **DECLARED)
    del NOTICES["unit.twice"]
