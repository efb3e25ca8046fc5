"""Stores and offers that a body names must be there; those of a path are not found instead."""

from collections.abc import Collection, Mapping
from uuid import UUID

from marshmallow import ValidationError

import chain
import vouchers


def refuse_unknown_stores(named: Mapping[str, UUID | None]) -> None:
    """Refuse ids of no store, by the fields that hold them: `lines.0.store_id`.

    Raises:
        ValidationError: with every such field.
    """
    _refuse_unknown(named, chain.names_of_stores())


def refuse_unknown_offers(named: Mapping[str, UUID | None]) -> None:
    """The same for offers, on sale or not.

    Raises:
        ValidationError: with every such field.
    """
    _refuse_unknown(named, vouchers.list_offer_codes())


def _refuse_unknown(named: Mapping[str, UUID | None], known: Collection[UUID]) -> None:
    wrong = {way: ["Is not there."] for way, one in named.items() if one and one not in known}
    if wrong:
        raise ValidationError(wrong)
