"""Amounts that people send in."""

from marshmallow import validate

from api.fields import Integer, Schema, Text

MOST = 10**12
"""More than any chain turns over in a day; sums of it stay far within 64 bits."""


def positive(about: str) -> Integer:
    """Declare an amount of more than nothing, in minor units."""
    return Integer(
        required=True, least=1, most=MOST, metadata={"description": about, "example": 173}
    )


def currency_field() -> Text:
    """Declare a currency."""
    return Text(
        load_default="TWD",
        validate=validate.Regexp(r"^[A-Z]{3}(?!\n)$"),
        metadata={"description": "ISO 4217.", "example": "TWD"},
    )


class MoneyBody(Schema):
    """An amount of money."""

    amount = positive("Minor units; for TWD whole dollars.")
    currency = currency_field()
