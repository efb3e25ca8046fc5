"""Phone numbers: which are taken, how they are shown, and how they are found again."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from kernel import secrets
from members.errors import PhoneUnsupported

_TAIWAN = "TW"
_TAIWAN_CODE = 886
_SHOWN_AT_START = 5
_SHOWN_AT_END = 3


def e164(text: str) -> str:
    """The E.164 form of a Taiwanese mobile number, given so or as it is dialled at home.

    Raises:
        PhoneUnsupported: it is foreign, a landline, or no number.
    """
    try:
        number = phonenumbers.parse(text, _TAIWAN)
    except NumberParseException:
        raise PhoneUnsupported from None
    is_taiwanese = number.country_code == _TAIWAN_CODE and phonenumbers.is_valid_number(number)
    if not is_taiwanese or phonenumbers.number_type(number) != PhoneNumberType.MOBILE:
        raise PhoneUnsupported
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def masked(phone: str) -> str:
    """What its owner recognises and nobody else can call: `+8869•••••678`."""
    hidden = "•" * (len(phone) - _SHOWN_AT_START - _SHOWN_AT_END)
    return phone[:_SHOWN_AT_START] + hidden + phone[-_SHOWN_AT_END:]


def index(phone: str) -> bytes:
    """The blind index of a phone (E.164): equal for equal phones, and says nothing of them."""
    return secrets.mac("phone index", phone.encode())
