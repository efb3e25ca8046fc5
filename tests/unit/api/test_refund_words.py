"""Why something comes back, where there are no cups to count."""

from uuid import UUID

import pytest

from api.refund_words import why
from kernel.wording import Language
from vouchers.refund_queries import ShownLine


def line(*, cups: int, unit: str = "cup") -> ShownLine:
    return ShownLine(
        lot_id=UUID(int=1),
        gift_id=None,
        name="ten",
        unit=unit,
        cups=cups,
        gross=999,
        kept=0,
        fee=0,
        reason="request",
        basis="allocated",
        list_price=None,
        withdrawal_days=7,
        currency="TWD",
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Of the price, NT$999 is for what you did not use."),
        ("zh-TW", "未使用的部分，所含價款為 NT$999。"),
    ],
)
def test_what_is_not_counted_is_not_told_as_no_cups(language: Language, words: str) -> None:
    assert why(line(cups=0), language) == words


def test_prepaid_periods_are_told_as_periods() -> None:
    told = why(line(cups=2, unit="period"), "en")

    assert told == "Of the price, NT$999 is for 2 periods that you did not use."
