import re
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from kernel.wording import Language
from vouchers.receipt_words import (
    Guarantee,
    Span,
    Terms,
    guarantee_in_words,
    guarantee_of,
    label,
    refunds_in_words,
    terms_in_words,
)

LANGUAGES: tuple[Language, ...] = ("zh-TW", "en")
MODES = ("never", "lapse", "top_up", "refund")
BASES = ("allocated", "list_price", "none")

PLAIN = Terms(
    unit="cup",
    cups=11,
    bonus_cups=0,
    currency="TWD",
    list_price=110,
    expiry_mode="never",
    ends=None,
    bonus_ends=None,
    products=["latte (M)", "mocha (L)"],
    accepted_at="all",
    places=[],
    redeem_channels=None,
    covers_up_to=None,
    allows_top_up=False,
    max_cups=None,
    cups_per_day=None,
    is_giftable=True,
    gift_unclaimed="return",
    refund_basis="allocated",
    refund_fee_bp=0,
    withdrawal_days=7,
)


def terms(**other: object) -> Terms:
    return replace(PLAIN, **other)  # type: ignore[arg-type]


def of_mode(mode: str) -> Terms:
    return terms(expiry_mode=mode, ends=None if mode == "never" else Span(6, "month"))


@pytest.mark.parametrize(("mode", "basis", "language"), list(product(MODES, BASES, LANGUAGES)))
def test_every_mode_and_basis_has_words_in_both_languages(
    mode: str, basis: str, language: Language
) -> None:
    told = replace(of_mode(mode), refund_basis=basis)
    words = [*terms_in_words(told, language), *refunds_in_words(told, language)]
    assert all(words)
    assert not any("{" in sentence or "None" in sentence for sentence in words)
    is_chinese = [bool(re.search(r"[\u4e00-\u9fff]", sentence)) for sentence in words]
    assert set(is_chinese) == {language == "zh-TW"}


@pytest.mark.parametrize(
    ("mode", "zh", "en"),
    [
        ("never", "無使用期限", "They never expire"),
        ("lapse", "自售出日起 6 個月內有效，逾期未兌換者失效", "Good for 6 months"),
        ("top_up", "補足當日定價之差額", "you pay the difference"),
        ("refund", "其價金自動退還付款人", "refunded to the payer by itself"),
    ],
)
def test_what_happens_at_the_end_is_told(mode: str, zh: str, en: str) -> None:
    assert zh in "".join(terms_in_words(of_mode(mode), "zh-TW"))
    assert en in " ".join(terms_in_words(of_mode(mode), "en"))


@pytest.mark.parametrize(
    ("basis", "en"),
    [
        ("allocated", "at what was paid for each"),
        ("list_price", "what was paid, less NT$110 list price for each one that was used"),
        ("none", "only where the law says so"),
    ],
)
def test_what_comes_back_is_told(basis: str, en: str) -> None:
    told = " ".join(refunds_in_words(terms(refund_basis=basis), "en"))
    assert en in told
    assert "within 7 days" in told
    assert ("goes back to the payer" in told) is (basis != "none")


@pytest.mark.parametrize(("fee", "told"), [(300, "3 %"), (250, "2.5 %"), (125, "1.25 %")])
def test_a_fee_is_told_in_percent(fee: int, told: str) -> None:
    assert f"A fee of {told} of the refund is kept." in refunds_in_words(
        terms(refund_fee_bp=fee), "en"
    )


@pytest.mark.parametrize(
    ("changes", "en"),
    [
        ({"products": ["latte (M)", "mocha (L)"]}, "Good for: latte (M), mocha (L)."),
        ({"products": [], "covers_up_to": 60}, "Good for any of our drinks."),
        ({"accepted_at": "selling"}, "Collect them at the store that sold them."),
        ({"accepted_at": "listed", "places": ["A", "B"]}, "Collect them at: A, B."),
        ({"accepted_at": "regions", "places": ["North"]}, "Collect them at our stores in: North."),
        ({"max_cups": 3}, "Collect them a few at a time, at most 3 cups."),
        ({"max_cups": 1, "unit": "bag"}, "Collect them a few at a time, at most 1 bag."),
        ({"cups_per_day": 5}, "At most 5 cups a day."),
        (
            {"redeem_channels": ["counter", "kiosk"]},
            "Ways to collect them: at the counter, at a kiosk.",
        ),
        ({"is_giftable": False}, "They cannot be given to somebody else."),
        ({"bonus_cups": 1}, "Included free: 1 cup, on the same terms as the others."),
        (
            {"bonus_cups": 1, "bonus_ends": Span(9, "day")},
            "Included free: 1 cup, good for 9 days from the day of the sale; the rest then lapses.",
        ),
        (
            {"is_plan": True},
            "Good in each period that is paid; what the plan does not carry on lapses at its end.",
        ),
        (
            {"is_taxed_at_sale": False},
            "A cash-value voucher: its invoice is issued when it is redeemed.",
        ),
    ],
)
def test_the_terms_are_told(changes: dict[str, object], en: str) -> None:
    assert en in terms_in_words(terms(**changes), "en")


@pytest.mark.parametrize(
    ("allows", "en"), [(True, "you pay the difference"), (False, "dearer ones cannot")]
)
def test_a_dearer_drink_is_spoken_of(*, allows: bool, en: str) -> None:
    told = terms_in_words(terms(covers_up_to=60, allows_top_up=allows), "en")
    assert any(en in sentence and "NT$60" in sentence for sentence in told)


@pytest.mark.parametrize("unclaimed", ["return", "refund"])
def test_an_unclaimed_gift_is_spoken_of(unclaimed: str) -> None:
    told = terms_in_words(terms(gift_unclaimed=unclaimed), "en")
    assert any("nobody claims" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("sold_on", "months", "until_on"),
    [
        (date(2026, 1, 15), 12, date(2027, 1, 14)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 1, 1), 1, date(2026, 1, 31)),
    ],
)
def test_a_guarantee_is_counted_as_the_civil_code_does(
    sold_on: date, months: int, until_on: date
) -> None:
    assert guarantee_of(sold_on=sold_on, months=months) == Guarantee(sold_on, until_on)


def test_what_is_not_guaranteed_has_no_dates() -> None:
    assert guarantee_of(sold_on=date(2026, 1, 15), months=0) is None


def test_a_guarantee_is_told_with_its_dates() -> None:
    told = Guarantee(date(2026, 1, 15), date(2027, 1, 14))
    assert guarantee_in_words(told, "en").endswith("from 15 January 2026 until 14 January 2027.")
    assert "自 2026年1月15日 起至 2027年1月14日 止" in guarantee_in_words(told, "zh-TW")


def test_a_name_with_braces_is_told_as_it_is() -> None:
    assert "Good for: {tea}." in terms_in_words(terms(products=["{tea}"]), "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_are_there_in_both_languages(language: Language) -> None:
    assert label("receipt", language) == {"zh-TW": "購買憑證", "en": "Receipt"}[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_membership_is_told_without_a_word_of_cups(language: Language) -> None:
    club = terms(cups=0, is_plan=True, products=[])

    (told,) = terms_in_words(club, language)

    assert told in {
        "A membership, good in each period that is paid.",
        "會員資格於每一已付費期間內有效。",
    }
    assert refunds_in_words(club, language)[1] in {
        "The days that are left can be given back at any time, each at its part of the price.",
        "剩餘期間可隨時退款，按日計算。",
    }


def test_an_unlimited_plan_tells_its_day_its_interval_and_its_end() -> None:
    club = terms(
        cups=0, is_plan=True, is_unlimited=True, cups_per_day=5, max_cups=1, minimum_interval_s=1790
    )

    told = terms_in_words(club, "en")

    for sentence in (
        "As many as you like.",
        "At most 1 cup at one time.",
        "At most 5 cups a day.",
        "At least 30 minutes from one to the next.",
        "Good in each period that is paid.",
    ):
        assert sentence in told
    assert not any("a few at a time" in sentence or "lapses" in sentence for sentence in told)


def test_what_is_not_counted_is_not_said_to_be_for_giving() -> None:
    club = terms(cups=0, is_plan=True, is_unlimited=True, is_giftable=True)

    told = terms_in_words(club, "en")

    assert "They cannot be given to somebody else." in told
    assert not any("You can give" in sentence for sentence in told)
