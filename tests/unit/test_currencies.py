"""Minor units of currencies: those of ISO 4217, but for coins that nobody can pay with."""

from collections import defaultdict

import pytest

from kernel.currencies import CURRENCIES, digits
from payments.policy import at_provider
from payments.stripe_payments import whole


def test_a_currency_has_the_digits_of_the_standard_and_cents_of_new_taiwan_dollars_are_none():
    by_digits = defaultdict(set)
    for currency in CURRENCIES:
        by_digits[digits(currency)].add(currency)

    assert by_digits[0] == {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"),
        *("VND", "VUV", "XAF", "XOF", "XPF"),
        *("TWD", "MGA"),
    }
    assert by_digits[3] == {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
    assert by_digits[2] == CURRENCIES - by_digits[0] - by_digits[3]


@pytest.mark.parametrize(
    ("currency", "amount", "asked"),
    [
        ("TWD", 499, 49_900),
        ("ISK", 499, 49_900),  # whole, and asked for in hundredths, as those two
        ("UGX", 499, 49_900),
        ("JPY", 499, 499),
        ("MGA", 499, 499),
        ("GBP", 3_000, 3_000),
        ("KWD", 9_500, 9_500),
    ],
)
def test_an_amount_is_asked_for_in_the_providers_units(currency: str, amount: int, asked: int):
    assert at_provider(amount, currency) == asked
    assert whole(asked, currency) == amount
