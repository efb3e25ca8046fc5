import pytest

from members import phones
from members.errors import PhoneUnsupported


@pytest.mark.parametrize(
    "typed", ["0912345678", "0912-345-678", "+886912345678", "+886 912 345 678", "(09)12345678"]
)
def test_a_taiwanese_mobile_number_has_one_form(typed: str):
    assert phones.e164(typed) == "+886912345678"


@pytest.mark.parametrize(
    "typed",
    [
        "02-23456789",  # a landline of Taipei
        "+886223456789",
        "+819012345678",  # a mobile phone in Japan
        "+14155552671",
        "0800123456",  # free of charge
        "091234567",  # a digit short
        "09123456789",  # a digit long
        "+1",
        "0",
        "----",
        "9" * 30,
    ],
)
def test_any_other_number_is_refused(typed: str):
    with pytest.raises(PhoneUnsupported):
        phones.e164(typed)


def test_a_masked_phone_shows_its_ends_only():
    assert phones.masked("+886912345678") == "+8869•••••678"
