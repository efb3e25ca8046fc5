"""The currencies of ISO 4217 that are in use: funds, metals and test codes are not among them."""

from typing import Final

_IN_USE: Final = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN
BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB
EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR
ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR
PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""

CURRENCIES: Final = frozenset(_IN_USE.split())

# What is not counted in hundredths. The standard knows cents of a New Taiwan dollar and fifths of
# an ariary, but nobody can pay with them.
_WHOLE: Final = """
BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF TWD UGX VND VUV XAF XOF XPF
"""
_IN_THOUSANDTHS: Final = """
BHD IQD JOD KWD LYD OMR TND
"""

_DIGITS: Final = dict.fromkeys(_WHOLE.split(), 0) | dict.fromkeys(_IN_THOUSANDTHS.split(), 3)


def digits(currency: str) -> int:
    """How many digits of an amount in minor units are behind the point."""
    return _DIGITS.get(currency, 2)
