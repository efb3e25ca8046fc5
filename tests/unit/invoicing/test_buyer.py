"""Which buyers an invoice can be made out to."""

import pytest

from invoicing import Buyer, BuyerInvalid, check_buyer, is_tax_id


@pytest.mark.parametrize(
    "number",
    [
        "04595257",  # the digits of its products make 40
        "10458575",  # a 7 in the seventh place may count as 1 or as 0
        "22099131",
        "04595252",  # sums to 35: good only since 5 divides instead of 10
        "00000000",
    ],
)
def test_a_tax_id_whose_sum_5_divides_is_one(number):
    assert is_tax_id(number)


@pytest.mark.parametrize(
    "number",
    [
        "04595253",
        "04595256",
        "22099132",
        "0459525",
        "045952570",
        "0459525７",  # a full-width digit
        "A4595257",
        "04595257\n",
        "",
    ],
)
def test_anything_else_is_no_tax_id(number):
    assert not is_tax_id(number)


def test_a_7_in_the_seventh_place_counts_as_1_or_0():
    good = [last for last in range(10) if is_tax_id(f"1045857{last}")]
    # Without the 28 the others sum to 15: so the last digit, alone or with 1, is divisible by 5.
    assert good == [0, 4, 5, 9]


@pytest.mark.parametrize(
    "buyer",
    [
        Buyer(),
        Buyer(tax_id="04595257"),
        Buyer(carrier="/ABC+123"),
        Buyer(carrier="/AB.-+1Z"),
        Buyer(carrier="AB12345678901234"),
        Buyer(donation_code="168"),
        Buyer(donation_code="0001234"),
    ],
)
def test_nothing_or_one_of_the_three_is_a_buyer(buyer):
    check_buyer(buyer)


@pytest.mark.parametrize(
    ("buyer", "field"),
    [
        (Buyer(tax_id="12345678"), "tax_id"),
        (Buyer(tax_id=""), "tax_id"),
        (Buyer(carrier="/abc+123"), "carrier"),
        (Buyer(carrier="ABC+1234"), "carrier"),
        (Buyer(carrier="/ABC+1234"), "carrier"),
        (Buyer(carrier="/ABC+123\n"), "carrier"),
        (Buyer(carrier="AB1234567890123"), "carrier"),
        (Buyer(donation_code="12"), "donation_code"),
        (Buyer(donation_code="12345678"), "donation_code"),
        (Buyer(donation_code="１６８"), "donation_code"),
        (Buyer(tax_id="04595257", carrier="/ABC+123"), "several"),
        (Buyer(carrier="/ABC+123", donation_code="168"), "several"),
    ],
)
def test_a_refused_buyer_says_which_field_is_wrong(buyer, field):
    with pytest.raises(BuyerInvalid) as refused:
        check_buyer(buyer)
    assert refused.value.facts == {"field": field}
