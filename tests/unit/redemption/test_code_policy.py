"""How many cups a card, a capsule, a new phone or an unapproved scan is good for."""

from datetime import UTC, datetime, timedelta

import pytest

from redemption.code_policy import Caution, Use, check_use
from redemption.errors import ApprovalNeeded, LimitReached, StoreNotAccepted
from redemption.token import Code, Sealed

TOMORROW = datetime(2026, 1, 14, 20, tzinfo=UTC)
CARELESS = Caution(approval_from=0, new_phone_cups=0)


def shown(kind="phone", *, group=1, **use) -> Use:
    sealed = Sealed(b"serial-8", 1, 2, group, TOMORROW + timedelta(days=1), 5)
    code = Code(kind, b"serial-8", 5, is_genuine=True, sealed=sealed if kind == "capsule" else None)
    plain = {"cups": 0, "cups_today": 0, "approved": 0, "is_new_phone": False, "capsule_cups": None}
    return Use(code=code, **{**plain, **use})


def check(use: Use, cups: int, caution: Caution = CARELESS) -> None:
    check_use(use, cups=cups, store_group=1, caution=caution, next_day_at=TOMORROW)


def test_a_phone_is_bounded_by_nothing_of_its_own():
    check(shown(), 1000)


def test_a_card_gives_two_cups_at_a_time():
    check(shown("card"), 2)
    with pytest.raises(LimitReached) as refusal:
        check(shown("card"), 3)
    assert refusal.value.facts == {
        "limit": "card_per_scan",
        "allowed": 2,
        "wanted": 3,
        "next_at": None,
    }


def test_a_card_gives_four_cups_a_business_day_and_more_on_the_next():
    check(shown("card", cups_today=2), 2)
    with pytest.raises(LimitReached) as refusal:
        check(shown("card", cups_today=3), 2)
    assert refusal.value.facts == {
        "limit": "card_per_day",
        "allowed": 1,
        "wanted": 2,
        "next_at": TOMORROW.isoformat(),
    }


@pytest.mark.parametrize(
    ("today", "cups", "limit", "allowed", "next_at"),
    [
        (0, 5, "card_per_scan", 2, None),
        (2, 3, "card_per_scan", 2, None),
        (3, 3, "card_per_day", 1, TOMORROW.isoformat()),
        (4, 3, "card_per_day", 0, TOMORROW.isoformat()),
    ],
)
def test_of_a_card_s_limits_the_one_is_named_that_leaves_less_now(
    today, cups, limit, allowed, next_at
):
    """With two left of the day, three are refused for being three: they are tomorrow, too."""
    with pytest.raises(LimitReached) as refusal:
        check(shown("card", cups_today=today), cups)
    told = refusal.value.facts
    assert (told["limit"], told["allowed"], told["next_at"]) == (limit, allowed, next_at)
    if allowed:
        check(shown("card", cups_today=today), allowed)


def test_a_capsule_gives_its_cups_once():
    check(shown("capsule", capsule_cups=2, cups=1), 1)
    with pytest.raises(LimitReached) as refusal:
        check(shown("capsule", capsule_cups=2, cups=2), 1)
    assert (refusal.value.facts["limit"], refusal.value.facts["allowed"]) == ("capsule", 0)


def test_what_a_capsule_gave_too_much_offline_allows_nothing_and_not_less():
    with pytest.raises(LimitReached) as refusal:
        check(shown("capsule", capsule_cups=2, cups=6), 1)
    assert refusal.value.facts["allowed"] == 0


def test_a_capsule_is_for_its_group_of_stores():
    with pytest.raises(StoreNotAccepted):
        check(shown("capsule", capsule_cups=2, group=7), 1)


def test_five_cups_at_once_want_approval_and_four_do_not():
    caution = Caution(approval_from=5, new_phone_cups=0)
    check(shown(), 4, caution)
    check(shown(approved=5), 5, caution)
    for approved in (0, 5):
        with pytest.raises(ApprovalNeeded) as refusal:
            check(shown(approved=approved), 6, caution)
        assert refusal.value.facts == {"free": 4, "wanted": 6}


def test_a_new_phone_gives_two_cups_in_its_first_day_unless_approved():
    caution = Caution(approval_from=5, new_phone_cups=2)
    check(shown(), 4, caution)
    check(shown(is_new_phone=True), 2, caution)
    check(shown(is_new_phone=True, cups=2, approved=3), 3, caution)
    with pytest.raises(ApprovalNeeded) as refusal:
        check(shown(is_new_phone=True, cups=1), 2, caution)
    assert refusal.value.facts == {"free": 1, "wanted": 2}
