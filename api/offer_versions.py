"""What the office sees of a version of an offer, and does with it: what packs and plans share."""

import re

from marshmallow import validate

from api.fields import Id, Schema, Text, Timestamp
from kernel.errors import NotFound

_STATES = ("proposed", "approved", "rejected", "ended")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")

_CODE = validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9._-]*(?!\n)$")


class VersionView(Schema):
    """Who proposed a version, and what became of it."""

    state = Text(
        required=True,
        validate=validate.OneOf(_STATES),
        metadata={"description": "It is sold once it is approved, until its sale has ended."},
    )
    vat_code = Text(
        required=True,
        attribute="version.vat_code",
        metadata={"description": "Of the chain's VAT rates."},
    )
    proposed_by_id = Id(
        required=True,
        allow_none=True,
        attribute="version.proposed_by_id",
        metadata={"description": "Who proposed it; null where that was not kept."},
    )
    proposed_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="version.proposed_at",
        metadata={"description": "When."},
    )
    approved_by_id = Id(
        required=True,
        allow_none=True,
        attribute="version.approved_by_id",
        metadata={"description": "Who approved it; null before."},
    )
    approved_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="version.approved_at",
        metadata={"description": "When; null before."},
    )
    rejected_by_id = Id(
        required=True,
        allow_none=True,
        attribute="version.rejected_by_id",
        metadata={"description": "Who turned it down, or took it back; null if nobody did."},
    )
    rejected_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="version.rejected_at",
        metadata={"description": "When it was turned down, or taken back; null if not."},
    )


class EndSaleBody(Schema):
    """When a sale shall end."""

    sale_ends_at = Timestamp(
        load_default=None,
        allow_none=True,
        metadata={"description": "Now, if null; never later than was agreed."},
    )


def number_of(said: str) -> int:
    """The number of a version, as an address says it.

    Raises:
        NotFound: it is none.
    """
    if not _NUMBER.fullmatch(said):
        raise NotFound
    return int(said)


def code_field(example: str) -> Text:
    """Declare the code of a new offer."""
    return Text(
        required=True,
        least=1,
        most=40,
        validate=_CODE,
        metadata={"description": "The chain's own name for it, for good.", "example": example},
    )
