"""Cups of a redemption that shall be undone, drink by drink."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from api.fields import Cups, Id, Schema


class VoidedItemBody(Schema):
    """Cups of one drink."""

    product_id = Id(required=True, metadata={"description": "The drink."})
    cups = Cups(most=100, required=True, metadata={"description": "How many of it."})


def cups_by_product(items: Sequence[dict[str, Any]] | None) -> Mapping[UUID, int] | None:
    """Cups by product, None for all.

    Raises:
        ValidationError: a drink is named twice.
    """
    if items is None:
        return None
    wanted = {item["product_id"]: item["cups"] for item in items}
    if len(wanted) < len(items):
        raise ValidationError({"items": ["Given more than once."]})
    return wanted
