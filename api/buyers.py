"""To whom an invoice is made out, as requests say it."""

from typing import Any

from marshmallow import validate

from api.fields import Schema, Text
from invoicing import Buyer


class BuyerBody(Schema):
    """What the e-invoice is made out to: at most one of these; nothing means on paper."""

    tax_id = Text(
        load_default=None,
        allow_none=True,
        most=8,
        validate=validate.Regexp(r"^[0-9]{8}(?!\n)$"),
        metadata={"description": "A company's tax id (統一編號), eight digits."},
    )
    carrier = Text(
        load_default=None,
        allow_none=True,
        most=16,
        metadata={"description": "A mobile barcode (/ABC+123) or a citizen's certificate."},
    )
    donation_code = Text(
        load_default=None,
        allow_none=True,
        most=7,
        metadata={"description": "Who gets the invoice instead, three to seven digits."},
    )


def buyer_in(body: dict[str, Any]) -> Buyer | None:
    """Take the buyer out of a body, if it names one."""
    told = body.pop("buyer")
    return None if told is None else Buyer(**told)
